/**
 * Warns of what could not be collected: of a file at once, and then once a minute with how often it happened. Whoever
 * truncates a file every second would fill the program's own log otherwise. The ledger, the gap records among the logs,
 * and the metrics have every one.
 */
import type { MetricName } from '../telemetry/metrics.ts';
import type { Labels, LogLevel, Telemetry } from '../telemetry/telemetry.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How often the log tells of the gaps of one file. */
const TELL_MS_MIN = 60_000;

/** Files that are remembered for a minute; of those beyond, each gap is told. */
const FILES_MAX = 10_000;

interface Told {
  toldMs: number;
  /** How often it happened since. */
  times: number;
  last: { readonly level: LogLevel; readonly text: string; readonly fields: Fields } | undefined;
}

/** Passes on everything but warnings of gaps that come too often; `monotonicMs` is a clock in milliseconds. */
export class GapWarnings implements Telemetry {
  readonly #telemetry: Telemetry;
  readonly #monotonicMs: () => number;
  readonly #filesMax: number;
  readonly #files = new Map<string, Told>();

  constructor(telemetry: Telemetry, monotonicMs: () => number, { filesMax = FILES_MAX } = {}) {
    this.#telemetry = telemetry;
    this.#monotonicMs = monotonicMs;
    this.#filesMax = filesMax;
  }

  count(metric: MetricName, value: number, labels?: Labels): void {
    this.#telemetry.count(metric, value, labels);
  }

  gauge(metric: MetricName, value: number, labels?: Labels): void {
    this.#telemetry.gauge(metric, value, labels);
  }

  observe(metric: MetricName, value: number, labels?: Labels): void {
    this.#telemetry.observe(metric, value, labels);
  }

  log(level: LogLevel, event: string, text: string, fields?: Fields): void {
    const path = fields?.['path'];
    if (event !== 'gap' || fields === undefined || typeof path !== 'string') {
      return this.#telemetry.log(level, event, text, fields);
    }
    const told = this.#files.get(path);
    if (told !== undefined) {
      told.times += 1;
      told.last = { level, text, fields };
      return this.#tell(path, told, TELL_MS_MIN);
    }
    this.#telemetry.log(level, event, text, fields);
    if (this.#files.size >= this.#filesMax) return;
    this.#files.set(path, { toldMs: this.#monotonicMs(), times: 0, last: undefined });
  }

  /** Tells what waited for a minute; asked now and then, so that what happened last is not kept back. */
  tellDue(): void {
    for (const [path, told] of this.#files) this.#tell(path, told, TELL_MS_MIN);
  }

  /** Tells everything that waits. */
  tellAll(): void {
    for (const [path, told] of this.#files) this.#tell(path, told, 0);
  }

  #tell(path: string, told: Told, waitedMsMin: number): void {
    const nowMs = this.#monotonicMs();
    if (nowMs - told.toldMs < waitedMsMin) return;
    if (told.last === undefined) {
      this.#files.delete(path);
      return;
    }
    const { level, text, fields } = told.last;
    const { times } = told;
    const often = times === 1 ? '' : `; ${times} times since the last warning of this file`;
    this.#telemetry.log(level, 'gap', `${text}${often}`, { ...fields, times });
    Object.assign(told, { toldMs: nowMs, times: 0, last: undefined });
  }
}
