/**
 * How fast the embedded store streams every match as NDJSON, and CSV is made of it.
 *
 *   node bench/export.bench.ts [--json] [--mixed N] [--short N] [--threads N]
 *
 * `mixed` are documents of about 700 bytes in segments that follow one another in time; `short` are lines of 40 bytes
 * in ten segments that all cover the same hour, half of each within one second, as imports of many files leave them.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { toCsv } from '../src/api/csv.ts';
import { parseQuery } from '../src/query/parser.ts';
import type { DocumentBatch } from '../src/record/record-batch.ts';
import type { EmbeddedStore } from '../src/store/embedded/embedded-store.ts';
import { createMixedBatches, newMixedPod, takeMixedBatch } from './mixed-documents.ts';
import { openUnboundedStore } from './unbounded-store.ts';

/** 2026-11-23T04:00:00Z; a line every 0.2 ms stays within the hour for 18 million lines. */
const START_NS = 1_795_406_400_000_000_000n;
const STEP_NS = 200_000n;
const HOUR_NS = 3_600_000_000_000n;
const RANGE = { startNs: START_NS, endNs: START_NS + HOUR_NS };
const MIXED_SEGMENTS = 6;
const SHORT_SEGMENTS = 10;
const FIRST_SHORT_POD = 100;
const SIGNAL = new AbortController().signal;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    mixed: { type: 'string', default: '480000' },
    short: { type: 'string', default: '100000' },
    threads: { type: 'string', default: '2' },
  },
});

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'logboom-bench-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true }));

await measure('mixed', Number(options.mixed), fillMixed);
await measure('short', Number(options.short), fillShort);

async function fillMixed(store: EmbeddedStore, count: number): Promise<void> {
  const next = createMixedBatches(START_NS, STEP_NS);
  for (let segment = 0; segment < MIXED_SEGMENTS; segment += 1) {
    for (let part = 0; part < 4; part += 1) await store.append(next(count / MIXED_SEGMENTS / 4), SIGNAL);
    await store.seal();
  }
}

async function fillShort(store: EmbeddedStore, count: number): Promise<void> {
  for (let segment = 0; segment < SHORT_SEGMENTS; segment += 1) {
    await store.append([shortBatch(segment, count / SHORT_SEGMENTS)], SIGNAL);
    await store.seal();
  }
}

function shortBatch(number: number, count: number): DocumentBatch {
  const pod = newMixedPod(FIRST_SHORT_POD + number);
  for (let index = 0; index < count; index += 1) {
    const text = `request ${index} of ${number} served in ${index % 97} ms`;
    const line = { pod: number, text, message: text, level: 'info', fields: undefined };
    const burstNs = HOUR_NS / 2n + BigInt(index) * 100_000n;
    const spreadNs = (BigInt(index) * HOUR_NS) / BigInt(count);
    pod.pending.push({ line, timeNs: START_NS + (index % 2 === 0 ? burstNs : spreadNs), offset: pod.offset });
    pod.offset += text.length + 1;
  }
  return takeMixedBatch(pod, false);
}

async function measure(
  name: string,
  count: number,
  fill: (store: EmbeddedStore, count: number) => Promise<void>,
): Promise<void> {
  const store = await openUnboundedStore(path.join(directory, name), Number(options.threads));
  await fill(store, count);
  const { query } = parseQuery('*');
  const exported = (): AsyncIterable<Uint8Array> => store.export({ query, range: RANGE }, SIGNAL);
  for (const [format, open] of [
    ['ndjson', exported],
    ['csv', () => toCsv(exported())],
  ] as const) {
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    let bytes = 0;
    let lines = 0;
    for await (const block of open()) {
      bytes += block.length;
      for (let at = block.indexOf(10); at >= 0; at = block.indexOf(10, at + 1)) lines += 1;
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const result = {
      bench: 'export',
      store: name,
      format,
      records: lines - (format === 'csv' ? 1 : 0),
      recordsPerSecond: Math.round(lines / seconds),
      megabytesPerSecond: Math.round(bytes / seconds / 1e6),
      cpuSeconds: Math.round((user + system) / 1e4) / 100,
      residentMegabytes: Math.round(process.memoryUsage().rss / 1e6),
    };
    process.stdout.write(
      options.json
        ? `${JSON.stringify(result)}\n`
        : `${name} ${format}: ${result.records} records, ${result.recordsPerSecond} records/s, ${result.megabytesPerSecond} MB/s, ${result.cpuSeconds} s CPU, ${result.residentMegabytes} MB resident\n`,
    );
  }
  await store.close();
}
