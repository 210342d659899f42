import type { MetricName } from './metrics.ts';

export type Labels = Readonly<Record<string, string>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * How Logboom tells what it does: counters for machines and log lines for people. Counted once per batch, never
 * once per line. `node-telemetry.ts` writes to pino and prom-client, `memory-telemetry.ts` serves tests.
 */
export interface Telemetry {
  /** Adds to a counter. */
  count(metric: MetricName, value: number, labels?: Labels): void;
  /** Sets a gauge. */
  gauge(metric: MetricName, value: number, labels?: Labels): void;
  /** Adds one observation to a histogram. */
  observe(metric: MetricName, value: number, labels?: Labels): void;
  /** Writes a log line; `event` is a stable snake_case name, `text` a sentence for a person. */
  log(level: LogLevel, event: string, text: string, fields?: Readonly<Record<string, unknown>>): void;
}
