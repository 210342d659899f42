/**
 * What the embedded store costs: documents of realistic mixed lines (half JSON, half text) from memory into the
 * journal, and from there into Parquet. Counts the processor time of the whole process, the engine's thread
 * included, while batches are appended and sealed, against the raw bytes of the lines; and the bytes on disk
 * against `zstd -3` of the raw lines of each pod, as they are sealed, and merged as the store merges them by itself.
 *
 *   node bench/ingest.bench.ts [--json] [--lines N] [--threads N] [--keep DIRECTORY]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';
import { nodeCrc32 } from '../src/base/node/node-crc32.ts';
import { nodeFileSystem } from '../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../src/base/node/node-scheduler.ts';
import type { DocumentBatch } from '../src/record/record-batch.ts';
import { startDuckDbEngine } from '../src/store/embedded/duckdb-engine.ts';
import type { NewSegment, SegmentEngine } from '../src/store/embedded/segment-engine.ts';
import { openEmbeddedStore } from '../src/store/embedded/embedded-store.ts';
import type { EmbeddedStore } from '../src/store/embedded/embedded-store.ts';
import type { MixedPod } from './mixed-documents.ts';
import { newMixedPod, takeMixedBatch } from './mixed-documents.ts';
import { POD_COUNT, createMixedLines } from './mixed-logs.ts';

/** 2026-11-23T04:00:00Z; a line every 0.2 ms stays within the hour for 18 million lines. */
const START_NS = 1_795_406_400_000_000_000n;
const HOUR = '2026-11-23T04';
const STEP_NS = 200_000n;
const ROUND_LINES = 40_000;
/** Lines of one pod that an agent sends together. */
const BATCH_LINES = 1_000;
/** About 64 MiB of journal. */
const ROUNDS_PER_SEAL = 4;

interface Result {
  readonly mode: 'raw lines' | 'JSON parsed';
  readonly lines: number;
  readonly rawBytes: number;
  readonly megabytesPerCoreSecond: number;
  readonly linesPerCoreSecond: number;
  readonly appendCoreSeconds: number;
  readonly sealCoreSeconds: number;
  readonly diskBytes: number;
  readonly zstd3Bytes: number;
  readonly diskRatio: number;
  readonly compactCoreSeconds: number;
  readonly compactedRatio: number;
  readonly rssPeakBytes: number;
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    lines: { type: 'string', default: '480000' },
    threads: { type: 'string', default: '1' },
    keep: { type: 'string' },
  },
});

for (const mode of ['raw lines', 'JSON parsed'] as const) {
  const result = await measure(mode, Number(options.lines));
  process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : `${describe(result)}\n`);
}

async function measure(mode: Result['mode'], lines: number): Promise<Result> {
  const directory = options.keep ?? fs.mkdtempSync(path.join(os.tmpdir(), 'logboom-bench-'));
  const { store, engine, sealed } = await openStore(directory);
  const pods = Array.from({ length: POD_COUNT }, (_, pod) => newMixedPod(pod));
  const raw: string[][] = pods.map(() => []);
  const next = createMixedLines(7);
  const spent = { append: 0, seal: 0 };
  let rawBytes = 0;
  let zstd3Bytes = 0;
  let rssPeakBytes = 0;
  for (let done = 0, round = 1; done < lines; done += ROUND_LINES, round += 1) {
    const batches: DocumentBatch[] = [];
    for (let index = 0; index < ROUND_LINES; index += 1) {
      const line = next();
      const pod = pods[line.pod] as MixedPod;
      pod.pending.push({ line, timeNs: START_NS + BigInt(done + index) * STEP_NS, offset: pod.offset });
      pod.offset += Buffer.byteLength(line.text) + 1;
      rawBytes += Buffer.byteLength(line.text) + 1;
      raw[line.pod]?.push(line.text);
      if (pod.pending.length === BATCH_LINES) batches.push(takeMixedBatch(pod, mode === 'JSON parsed'));
    }
    for (const pod of pods) batches.push(takeMixedBatch(pod, mode === 'JSON parsed'));
    spent.append += await coreSeconds(() => appendAll(store, batches));
    if (round % ROUNDS_PER_SEAL === 0 || done + ROUND_LINES >= lines) {
      spent.seal += await coreSeconds(() => store.seal());
      rssPeakBytes = Math.max(rssPeakBytes, process.memoryUsage.rss());
      for (const [pod, texts] of raw.entries()) {
        zstd3Bytes += compressedBytes(texts);
        raw[pod] = [];
      }
    }
  }
  const { bytesOnDisk, records } = await store.stats();
  if (records !== lines) throw new Error(`${records} records for ${lines} lines`);
  const compacted = await compact(engine, sealed, path.join(directory, 'segments'));
  await store.close();
  if (options.keep === undefined) fs.rmSync(directory, { recursive: true });
  const seconds = spent.append + spent.seal;
  return {
    mode,
    lines,
    rawBytes,
    megabytesPerCoreSecond: rawBytes / 1e6 / seconds,
    linesPerCoreSecond: lines / seconds,
    appendCoreSeconds: spent.append,
    sealCoreSeconds: spent.seal,
    diskBytes: bytesOnDisk,
    zstd3Bytes,
    diskRatio: bytesOnDisk / zstd3Bytes,
    compactCoreSeconds: compacted.seconds,
    compactedRatio: compacted.bytes / zstd3Bytes,
    rssPeakBytes,
  };
}

interface OpenStore {
  readonly store: EmbeddedStore;
  readonly engine: SegmentEngine;
  /** What was sealed so far. */
  readonly sealed: NewSegment[];
}

async function openStore(directory: string): Promise<OpenStore> {
  const temporaryDirectory = path.join(directory, 'tmp');
  fs.mkdirSync(temporaryDirectory, { recursive: true });
  const engine = await startDuckDbEngine({
    memoryBytesMax: 256 << 20,
    threads: Number(options.threads),
    temporaryDirectory,
    fileSystem: nodeFileSystem,
  });
  const sealed: NewSegment[] = [];
  const seal = engine.seal.bind(engine);
  engine.seal = async (request) => {
    const segments = await seal(request);
    sealed.push(...segments);
    return segments;
  };
  const silent = {
    count: () => undefined,
    gauge: () => undefined,
    observe: () => undefined,
    log: () => undefined,
  };
  const forever = Number.MAX_SAFE_INTEGER;
  const store = await openEmbeddedStore({
    directory,
    config: {
      retention: { bytesMax: forever, ageMsMax: undefined },
      journalBytesMax: 1 << 30,
      journalAgeMsMax: forever,
      freeBytesMin: 0,
    },
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    telemetry: silent,
    engine,
    crc32: nodeCrc32,
  });
  return { store, engine, sealed };
}

/** Merges segments of one hour into one, which the store does when there are a dozen or the hour is over. */
async function compact(
  engine: SegmentEngine,
  segments: readonly NewSegment[],
  directory: string,
): Promise<{ seconds: number; bytes: number }> {
  const sources = segments.map((segment) => {
    return { kind: 'segment' as const, path: path.join(directory, segment.path), columns: segment.columns };
  });
  let merged = '';
  const seconds = await coreSeconds(async () => {
    merged = (await engine.compact({ sources, directory, hour: HOUR, sequence: 1e9 })).path;
  });
  return { seconds, bytes: fs.statSync(path.join(directory, merged)).size };
}

async function appendAll(store: EmbeddedStore, batches: readonly DocumentBatch[]): Promise<void> {
  const { signal } = new AbortController();
  for (let at = 0; at < batches.length; at += 8) await store.append(batches.slice(at, at + 8), signal);
}

async function coreSeconds(task: () => Promise<void>): Promise<number> {
  // Garbage of the benchmark itself is not the store's: `npm run bench` exposes the collector.
  globalThis.gc?.();
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function compressedBytes(texts: readonly string[]): number {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: 3 };
  return zlib.zstdCompressSync(Buffer.from(texts.join('\n')), { params }).length;
}

function describe(result: Result): string {
  const { mode, megabytesPerCoreSecond, linesPerCoreSecond, appendCoreSeconds, sealCoreSeconds } = result;
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    `${mode}: ${megabytesPerCoreSecond.toFixed(0)} MB/s of raw lines per core, ${(linesPerCoreSecond / 1000).toFixed(0)} k lines/s`,
    `  append ${appendCoreSeconds.toFixed(2)} s, seal ${sealCoreSeconds.toFixed(2)} s of a core for ${mega(result.rawBytes)}`,
    `  on disk ${mega(result.diskBytes)}, zstd -3 of the raw lines ${mega(result.zstd3Bytes)}: ${result.diskRatio.toFixed(2)}`,
    `  merged ${result.compactedRatio.toFixed(3)}, ${result.compactCoreSeconds.toFixed(2)} s of a core`,
    `  RSS ${mega(result.rssPeakBytes)} at most (documents of the benchmark included)`,
  ].join('\n');
}
