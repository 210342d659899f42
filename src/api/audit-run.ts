/**
 * Runs an audit: lets the agents of this process bring their ledger up to date, looks at every file, and looks again
 * until all that stood in the files when it began is acknowledged, as long as its caller waits.
 *
 * Invariants: the marks are taken once, from a ledger that is known to be up to date; a ledger that cannot be brought
 * up to date delays a look by `REFRESH_MS_MAX` at most; one refresh at a time is under way.
 */
import { messageOf } from '../base/errors.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import type { ApiOptions } from './api-options.ts';
import type { AuditAnswer } from './api-types.ts';
import type { RestingLedgers } from './audit-report.ts';
import { buildAuditReport } from './audit-report.ts';

/** An agent answers within milliseconds, unless what it sends its ledger to takes nothing. */
const REFRESH_MS_MAX = 2_000;

/** Between two looks; doubled each time, because a look reads the whole store. */
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 5_000;

/** Nothing that works takes so long from a file to the store. */
const REST_NS_MIN = 5_000_000_000n;

export class Auditor {
  readonly #options: ApiOptions;
  #refreshing: Promise<void> | undefined;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** Looks at least once, and again for `waitMs` while it cannot tell. */
  async run(waitMs: number, signal: AbortSignal): Promise<AuditAnswer> {
    const { scheduler, store } = this.#options;
    const deadlineMs = scheduler.monotonicMs() + waitMs;
    let marks: Map<string, number> | undefined;
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      const unknownReason = await this.#refreshProblem();
      const open = new Map<string, number>();
      const onLag = (fileId: string, bytesWritten: number): void => void open.set(fileId, bytesWritten);
      const startMs = scheduler.monotonicMs();
      const resting = unknownReason === undefined ? this.#resting() : undefined;
      const answer = await buildAuditReport(store.audit(signal), { unknownReason, marks, onLag, resting });
      const nowMs = scheduler.monotonicMs();
      if (answer.verdict !== 'unknown' || nowMs >= deadlineMs || signal.aborted) return answer;
      if (unknownReason === undefined) marks ??= open;
      // A store that takes long to read is not read all the time.
      const restMs = Math.max(pauseMs, nowMs - startMs);
      await scheduler.sleep(Math.min(restMs, deadlineMs - nowMs), signal);
    }
  }

  /** While a part has a problem, bytes may be on the way for as long as that lasts. */
  #resting(): RestingLedgers | undefined {
    const { agentNode: node, readiness, scheduler } = this.#options;
    if (node === undefined || !readiness().ready) return undefined;
    return { node, untilTime: formatTimestamp(scheduler.nowNs() - REST_NS_MIN) };
  }

  /** Brings the ledger up to date; returns why it may be old, if it may. */
  async #refreshProblem(): Promise<string | undefined> {
    const { scheduler, store } = this.#options;
    const patience = new AbortController();
    const tooLate = scheduler.sleep(REFRESH_MS_MAX, patience.signal).then(() => {
      const problem = store.problem();
      const reason = problem === undefined ? 'what it says of its files is not stored yet' : problem;
      return `the agent's ledger may be old: ${reason}`;
    });
    const refreshed = this.#refresh(patience.signal).then(
      () => undefined,
      (error: unknown) => `the agent's ledger may be old: ${messageOf(error)}`,
    );
    try {
      return await Promise.race([refreshed, tooLate]);
    } finally {
      patience.abort();
    }
  }

  /** Waits for a refresh that began earlier: what it says may be older than this audit. */
  async #refresh(signal: AbortSignal): Promise<void> {
    while (this.#refreshing !== undefined) await this.#refreshing.catch(() => undefined);
    if (signal.aborted) return;
    this.#refreshing = this.#options.refreshLedger().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }
}
