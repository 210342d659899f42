/**
 * How many documents one core takes through the built-in pipeline: half are JSON lines of eight flat keys (about
 * 200 bytes), half are text, in the agents' layout with Kubernetes metadata.
 *
 *   node bench/pipeline.bench.ts [--json] [--seconds N]
 */
import { parseArgs } from 'node:util';
import { createBatchProcessor } from '../src/indexer/pipeline/batch-processor.ts';
import { batchOfDocuments, documentOf } from '../src/indexer/testing/batches.ts';
import type { RecordBatch } from '../src/record/record-batch.ts';

const BATCH_LINES = 1000;
const BATCHES = 50;
const FILE_ID = '0123456789abcdef0123';
const LEVELS = ['info', 'info', 'info', 'debug', 'warn', 'error'];

interface Case {
  readonly name: string;
  readonly lineOf: (i: number) => string;
}

function jsonLine(i: number): string {
  return JSON.stringify({
    level: LEVELS[i % LEVELS.length],
    ts: `2026-11-23T04:30:00.${String(i % 1000).padStart(3, '0')}Z`,
    msg: `request served for customer ${i % 90_001}`,
    method: 'GET',
    path: `/api/v1/items/${i}`,
    status: 200 + (i % 5),
    duration: (i % 900) / 8,
    remote: `10.0.${i % 256}.${i % 199}`,
  });
}

function textLine(i: number): string {
  return i % 2 === 0
    ? `2026-11-23 04:30:00.${String(i % 1000).padStart(3, '0')} INFO  [worker-${i % 16}] c.e.shop.OrderService - order ${i * 7919} accepted for customer ${i % 90_001} in ${i % 317} ms, items=${i % 9}, warehouse=eu-central-${i % 3}`
    : `10.1.${i % 256}.7 - - [23/Nov/2026:04:30:00 +0000] "GET /static/app-${i}.js HTTP/1.1" 200 ${i % 99_999} "https://shop.example/checkout" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101" rt=0.0${i % 10}`;
}

const CASES: readonly Case[] = [
  { name: 'half JSON, half text', lineOf: (i) => (i % 2 === 0 ? jsonLine(i) : textLine(i >> 1)) },
  { name: 'JSON', lineOf: jsonLine },
  { name: 'text', lineOf: textLine },
  { name: 'text without a level', lineOf: (i) => textLine(2 * i + 1) },
];

function batchesOf({ lineOf }: Case): RecordBatch[] {
  return Array.from({ length: BATCHES }, (_, batch) => {
    const indices = Array.from({ length: BATCH_LINES }, (__, index) => batch * BATCH_LINES + index);
    const documents = indices.map((index) =>
      documentOf(lineOf(index), { offset: index * 217, fileId: FILE_ID }),
    );
    return batchOfDocuments(FILE_ID, documents, indices);
  });
}

function measure(example: Case, seconds: number, hasFastPath: boolean): Record<string, unknown> {
  const batches = batchesOf(example);
  const lineBytes =
    Array.from({ length: 1000 }, (_, i) => Buffer.byteLength(example.lineOf(i))).reduce((a, b) => a + b) /
    1000;
  const processor = createBatchProcessor([], { hasFastPath });
  for (const batch of batches) processor.process(batch);
  let lines = 0;
  const started = process.cpuUsage();
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    for (const batch of batches) lines += processor.process(batch).batch.count;
  }
  const { user, system } = process.cpuUsage(started);
  const cpuSeconds = (user + system) / 1e6;
  return {
    name: example.name,
    path: hasFastPath ? 'fast' : 'general',
    lineBytes: Math.round(lineBytes),
    linesPerSecond: Math.round(lines / cpuSeconds),
    megabytesPerSecond: Math.round((lines * lineBytes) / cpuSeconds / 1e6),
  };
}

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, seconds: { type: 'string', default: '2' } },
});
const results = [
  ...CASES.map((example) => measure(example, Number(values.seconds), true)),
  ...CASES.slice(0, 1).map((example) => measure(example, Number(values.seconds), false)),
];
if (values.json === true) process.stdout.write(`${JSON.stringify(results)}\n`);
else for (const result of results) process.stdout.write(`${Object.values(result).join('  ')}\n`);
