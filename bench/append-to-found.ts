/** How long appended lines take to be found by search while other lines arrive beside them. */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 50;
const WARM_MS = 2_000;
const PROBE_PAUSE_MS = 100;
const POLL_MS = 10;

/** A line that is not found after this long is lost for the figure. */
const FOUND_MS_MAX = 60_000;

export interface AppendToFoundOptions {
  /** Directory whose `*.log` are followed. */
  readonly logs: string;
  /** Of the server that is searched. */
  readonly baseUrl: string;
  readonly linesPerSecond: number;
  readonly probes: number;
}

export interface AppendToFound {
  readonly linesPerSecond: number;
  readonly probes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Appends marked lines one after the other and searches for each until it is there; the search's own time counts. */
export async function measureAppendToFound(options: AppendToFoundOptions): Promise<AppendToFound> {
  const { logs, linesPerSecond, probes } = options;
  const background = setInterval(() => writeBackground(logs, linesPerSecond), TICK_MS);
  await sleep(WARM_MS);
  const latencies: number[] = [];
  // The first one waits for the file's first look.
  await measureOne(options, 'first');
  for (let probe = 0; probe < probes; probe++) {
    latencies.push(await measureOne(options, String(probe)));
    await sleep(PROBE_PAUSE_MS);
  }
  clearInterval(background);
  latencies.sort((left, right) => left - right);
  const percentile = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0;
  return {
    linesPerSecond,
    probes,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    maxMs: percentile(1),
  };
}

async function measureOne({ logs, baseUrl }: AppendToFoundOptions, probe: string): Promise<number> {
  const marker = `marker-${process.pid}-${probe}-end`;
  const started = performance.now();
  appendFileSync(path.join(logs, 'probe.log'), `${new Date().toISOString()} INFO ${marker}\n`);
  while (performance.now() - started < FOUND_MS_MAX) {
    const response = await fetch(`${baseUrl}/api/v1/search?start=now-1m&query=%22${marker}%22`);
    const body = (await response.json()) as { records?: unknown[] };
    // An engine cannot search an index whose first shard is not there yet: that is part of the wait.
    if (body.records === undefined && response.status !== 503)
      throw new Error(`search answered ${response.status} ${JSON.stringify(body)}`);
    if ((body.records ?? []).length > 0) return Math.round(performance.now() - started);
    await sleep(POLL_MS);
  }
  throw new Error(`a line is not found after ${FOUND_MS_MAX} ms`);
}

function writeBackground(logs: string, linesPerSecond: number): void {
  const count = Math.round((linesPerSecond * TICK_MS) / 1000);
  let text = '';
  for (let line = 0; line < count; line++) {
    text += `${new Date().toISOString()} INFO request ${Math.random().toString(36)} handled in ${line} ms by worker 7\n`;
  }
  appendFileSync(path.join(logs, `background-${Math.floor(Math.random() * 4)}.log`), text);
}
