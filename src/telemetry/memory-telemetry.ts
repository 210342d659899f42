import type { MetricName } from './metrics.ts';
import type { Labels, LogLevel, Telemetry } from './telemetry.ts';

export interface LoggedLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps everything it is told, for tests. */
export class MemoryTelemetry implements Telemetry {
  readonly lines: LoggedLine[] = [];
  /** Sums of counters, last values of gauges, sums of observations, by name and labels as `name{a=b}`. */
  readonly values = new Map<string, number>();

  count(metric: MetricName, value: number, labels?: Labels): void {
    const key = keyOf(metric, labels);
    this.values.set(key, (this.values.get(key) ?? 0) + value);
  }

  gauge(metric: MetricName, value: number, labels?: Labels): void {
    this.values.set(keyOf(metric, labels), value);
  }

  observe(metric: MetricName, value: number, labels?: Labels): void {
    this.count(metric, value, labels);
  }

  log(level: LogLevel, event: string, text: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.lines.push({ level, event, text, fields });
  }

  /** The value of a metric, 0 when nothing was counted. */
  valueOf(metric: MetricName, labels?: Labels): number {
    return this.values.get(keyOf(metric, labels)) ?? 0;
  }

  /** The lines of one event, oldest first. */
  linesOf(event: string): LoggedLine[] {
    return this.lines.filter((line) => line.event === event);
  }
}

function keyOf(metric: MetricName, labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? metric : `${metric}{${pairs.toSorted().join(',')}}`;
}
