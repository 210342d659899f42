import { AppError } from '../../../base/errors.ts';
import type { ErrorCode } from '../../../base/errors.ts';
import type { Scheduler } from '../../../base/scheduler.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { CountKeeper } from './count-keeper.ts';

/** Records that are stored shorter than twice that before their index goes are missed by an audit. */
const LOOK_MS = 300_000;

const AWAY: ReadonlySet<ErrorCode> = new Set(['aborted', 'unreachable', 'timed_out', 'too_busy']);

/** Looks at what indices hold for as long as an indexer runs. */
export class CountLoop {
  readonly #keeper: Pick<CountKeeper, 'look'>;
  readonly #options: { readonly scheduler: Scheduler; readonly telemetry: Telemetry };
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** Why looks fail, as it was told; once is enough. */
  #told = '';

  constructor(
    keeper: Pick<CountKeeper, 'look'>,
    options: { readonly scheduler: Scheduler; readonly telemetry: Telemetry },
  ) {
    this.#keeper = keeper;
    this.#options = options;
  }

  /** Begins, unless it has begun. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#options.scheduler.sleep(LOOK_MS, signal);
      if (!signal.aborted) await this.#look(signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      await this.#keeper.look(signal);
      this.#told = '';
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // That the engine is away is told by those who write to it.
      if (AWAY.has(error.code) || this.#told === error.message) return;
      this.#told = error.message;
      const text =
        'Cannot count what indices hold: an audit will miss the records of those that are deleted.';
      this.#options.telemetry.log('warn', 'store_counts_failed', text, error.details);
    }
  }
}
