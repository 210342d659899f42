import { pino } from 'pino';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricName } from './metrics.ts';
import { METRICS } from './metrics.ts';
import { formatLogLine } from './log-text.ts';
import { assert } from '../base/assert.ts';
import type { Labels, LogLevel, Telemetry } from './telemetry.ts';

export interface NodeTelemetryOptions {
  /** Less important lines are left out. */
  readonly level: LogLevel;
  /** `auto` is text on a terminal and JSON lines elsewhere. */
  readonly format: 'auto' | 'json' | 'text';
  readonly version: string;
  /** Where log lines go, such as standard error. */
  readonly destination: LogDestination;
  /** Whether text has colours; by default on a terminal. */
  readonly hasColor?: boolean | undefined;
}

export interface LogDestination {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** One value of a gauge that is read when somebody asks. */
export interface GaugeReading {
  readonly value: number;
  readonly labels: Labels;
}

export interface NodeTelemetry extends Telemetry {
  /** Lets a gauge have exactly the values that `read` returns when somebody asks: what is gone is not told any more. */
  collect(metric: MetricName, read: () => readonly GaugeReading[]): void;
  /** Everything counted so far, in the text format of Prometheus. */
  metricsText(): Promise<string>;
}

/** From a cache hit to the slowest search that anyone waits for. */
const BUCKETS_SECONDS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** From a single line to the largest batch. */
const BUCKETS_BYTES = [2 ** 10, 2 ** 14, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26];

/** Writes log lines with pino and counts with prom-client. A metric that is given an unknown label throws. */
export function createNodeTelemetry(options: NodeTelemetryOptions): NodeTelemetry {
  const registry = new Registry();
  const { counters, gauges, histograms } = registerMetrics(registry);
  registerProcess(registry, options.version);
  const logger = createLogger(options);
  const readers: (() => void)[] = [];
  return {
    count: (metric, value, labels) => counters.get(metric)?.inc(labels ?? {}, value),
    gauge: (metric, value, labels) => gauges.get(metric)?.set(labels ?? {}, value),
    observe: (metric, value, labels) => histograms.get(metric)?.observe(labels ?? {}, value),
    collect(metric, read) {
      const gauge = gauges.get(metric);
      assert(gauge !== undefined, `${metric} is a gauge`);
      readers.push(() => {
        gauge.reset();
        for (const { labels, value } of read()) gauge.set(labels, value);
      });
    },
    log: (level, event, text, fields) => logger[level]({ event, ...fields }, text),
    metricsText() {
      for (const read of readers) read();
      return registry.metrics();
    },
  };
}

function createLogger({ level, format, destination, hasColor }: NodeTelemetryOptions): pino.Logger {
  const isTerminal = destination.isTTY === true;
  const isText = format === 'text' || (format === 'auto' && isTerminal);
  const color = hasColor ?? isTerminal;
  const write = (line: string): void => {
    destination.write(isText ? formatLogLine(line, color) : line);
  };
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}

interface Instruments {
  readonly counters: Map<MetricName, Counter>;
  readonly gauges: Map<MetricName, Gauge>;
  readonly histograms: Map<MetricName, Histogram>;
}

function registerMetrics(registry: Registry): Instruments {
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const name of metricNames()) {
    const { kind, help, labels } = METRICS[name];
    const definition = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'counter') counters.set(name, new Counter(definition));
    else if (kind === 'gauge') gauges.set(name, new Gauge(definition));
    else {
      const buckets = name.endsWith('_bytes') ? BUCKETS_BYTES : BUCKETS_SECONDS;
      histograms.set(name, new Histogram({ ...definition, buckets }));
    }
  }
  return { counters, gauges, histograms };
}

function metricNames(): MetricName[] {
  return Object.keys(METRICS).filter((name): name is MetricName => name in METRICS);
}

/** The usual facts of a process, read when somebody asks: nothing ticks in the background for them. */
function registerProcess(registry: Registry, version: string): void {
  const registers = [registry];
  new Gauge({
    name: 'logboom_build_info',
    help: 'The version that runs.',
    labelNames: ['version'],
    registers,
  })
    .labels(version)
    .set(1);
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'process_cpu_seconds_total',
    help: 'User and system time of the process.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.set((user + system) / 1e6);
    },
  });
}
