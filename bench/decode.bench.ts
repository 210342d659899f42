/**
 * How many lines one core decodes: CRI lines of about 216 bytes, from a buffer in memory to batches that are thrown
 * away.
 *
 *   node bench/decode.bench.ts [--json] [--seconds N]
 */
import { parseArgs } from 'node:util';
import { BufferPool } from '../src/capture/buffer-pool.ts';
import { ContainerLanes } from '../src/capture/container-lanes.ts';
import { createDecoder } from '../src/capture/decoder.ts';
import type { LineFormat } from '../src/capture/decoder-types.ts';

interface Case {
  readonly name: string;
  readonly format: LineFormat;
  readonly corpus: Buffer;
  readonly lines: number;
  readonly resource: Record<string, unknown>;
}

const CHUNK_BYTES = 256 * 1024;
const CORPUS_LINES = 200_000;
const BATCH_BYTES = 1024 * 1024;

const METADATA = {
  kubernetes: {
    namespace: 'shop-production',
    pod: { name: 'checkout-7d9c5b8f6d-x2x7q', uid: '0d3c2c1e-6f5a-4b7e-9a52-3f1d2c4b5a69' },
    container: { name: 'checkout' },
    node: { name: 'node-17' },
  },
  container: { runtime: 'containerd' },
  service: { name: 'checkout' },
  host: { name: 'node-17' },
  agent: { type: 'logboom', version: '0.1.0' },
};

const TEXTS = [
  (i: number) =>
    `INFO  [worker-${i % 16}] c.e.shop.OrderService - order ${i * 7919} accepted for customer ${i % 90_001} in ${i % 317} ms, items=${i % 9}, warehouse=eu-central-${i % 3}, trace=4bf92f3577b34da6a3ce929d0e${String(i % 1_000_000).padStart(6, '0')}`,
  (i: number) =>
    `{"level":"info","msg":"request served","method":"GET","path":"/api/v1/items/${i}","status":200,"duration_ms":${i % 900},"remote":"10.0.${i % 256}.${i % 199}","agent":"curl/8.5.0","id":"${i * 31}"}`,
  (i: number) =>
    `10.1.${i % 256}.7 - - [23/Nov/2026:04:30:00 +0000] "GET /static/app-${i}.js HTTP/1.1" 200 ${i % 99_999} "https://shop.example/checkout" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101" rt=0.0${i % 10}`,
];

function stampOf(i: number): string {
  const nanos = String((i * 137_731) % 1_000_000_000).padStart(9, '0');
  return `2026-11-23T04:${String(30 + (Math.floor(i / 60_000) % 30)).padStart(2, '0')}:${String(Math.floor(i / 1000) % 60).padStart(2, '0')}.${nanos}Z`;
}

function corpusOf(frame: (text: string, i: number) => string, texts = TEXTS): Buffer {
  const lines: string[] = [];
  for (let i = 0; i < CORPUS_LINES; i++) lines.push(frame(texts[i % texts.length]?.(i) ?? '', i));
  return Buffer.from(lines.join(''));
}

function decodeOnce({ corpus, format, resource }: Case, buffers: BufferPool): number {
  const file = {
    fileId: '0123456789abcdef0123',
    path: '/var/log/pods/shop-production_checkout-7d9c5b8f6d-x2x7q_0d3c2c1e/checkout/0.log',
    format,
    stream: 'file',
    resource,
  } as const;
  const decoder = createDecoder(file, new ContainerLanes(), {
    lineBytesMax: 1024 * 1024,
    longLines: 'truncate',
    multiline: {
      mode: 'stack-traces',
      languages: ['go', 'java', 'python', 'node', 'ruby', 'dotnet'],
      start: undefined,
      continue: undefined,
      linesMax: 500,
      bytesMax: 1024 * 1024,
      flushMs: 1000,
    },
    encoding: 'auto',
    timeZone: () => 0,
    taiOffsetSeconds: 37,
    buffers,
  });
  let outBytes = 0;
  for (let at = 0; at < corpus.length; at += CHUNK_BYTES) {
    decoder.push(corpus, at, Math.min(at + CHUNK_BYTES, corpus.length), at, 1_795_000_000_000_000_000n);
    for (const batch of decoder.take()) {
      outBytes += batch.body.length;
      buffers.release(batch.body);
    }
  }
  return outBytes;
}

function measure(test: Case, seconds: number) {
  const buffers = new BufferPool(BATCH_BYTES);
  for (let i = 0; i < 3; i++) decodeOnce(test, buffers);
  const startCpu = process.cpuUsage();
  const start = performance.now();
  let rounds = 0;
  let outBytes = 0;
  while (performance.now() - start < seconds * 1000) {
    outBytes += decodeOnce(test, buffers);
    rounds++;
  }
  const cpu = process.cpuUsage(startCpu);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  return {
    name: test.name,
    lineBytes: Math.round(test.corpus.length / test.lines),
    linesPerCpuSecond: Math.round((rounds * test.lines) / cpuSeconds),
    rawMegabytesPerCpuSecond: Math.round((rounds * test.corpus.length) / cpuSeconds / 1e6),
    documentMegabytesPerCpuSecond: Math.round(outBytes / cpuSeconds / 1e6),
  };
}

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, seconds: { type: 'string' }, only: { type: 'string' } },
});
const cri = corpusOf((text, i) => `${stampOf(i)} ${i % 50 === 0 ? 'stderr' : 'stdout'} F ${text}\n`);
const docker = corpusOf(
  (text, i) => `${JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: stampOf(i) })}\n`,
);
const plain = corpusOf((text, i) => `${stampOf(i).replace('T', ' ')} ${text}\n`);
const s6 = corpusOf((text, i) =>
  `@400000006b03c57539${(i * 137).toString(16).padStart(6, '0')} ${text}\n`.replace(/^@(.{24}).*? /, '@$1 '),
);
const crlf = corpusOf((text, i) => `${stampOf(i)} stdout F ${text}\r\n`);
const utf8 = corpusOf((text, i) => `${stampOf(i)} stdout F Bestellung für Größe ${text}\n`);
const cases: Case[] = [
  { name: 'cri, with metadata', format: 'cri', corpus: cri, resource: METADATA },
  { name: 'cri, without metadata', format: 'cri', corpus: cri, resource: {} },
  { name: 'auto (cri lines), with metadata', format: 'auto', corpus: cri, resource: METADATA },
  { name: 'docker, with metadata', format: 'docker', corpus: docker, resource: METADATA },
  { name: 'auto (plain lines), with metadata', format: 'auto', corpus: plain, resource: METADATA },
  { name: 's6, with metadata', format: 's6', corpus: s6, resource: METADATA },
  { name: 'cri with CRLF, with metadata', format: 'cri', corpus: crlf, resource: METADATA },
  { name: 'cri with some UTF-8, with metadata', format: 'cri', corpus: utf8, resource: METADATA },
].map((test) => ({ ...test, lines: CORPUS_LINES }) as Case);

const results = cases
  .filter((test) => values.only === undefined || test.name.startsWith(values.only))
  .map((test) => measure(test, Number(values.seconds ?? 2)));
if (values.json === true) process.stdout.write(`${JSON.stringify(results)}\n`);
else
  for (const result of results)
    process.stdout.write(
      `${Object.entries(result)
        .map(([key, value]) => `${key}=${value}`)
        .join('  ')}\n`,
    );
