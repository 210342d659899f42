/**
 * Every match of a snapshot, oldest first, in constant memory: time is cut into slices, and of each slice the engine
 * gives the documents of all files together, in order. So never more than one slice is held, however many files
 * overlap in time.
 *
 * Where files may hold more than one slice, their matches are counted first, in buckets of time, and the cuts made so
 * that each slice has about the same number; reading a file costs the same whether it gives much or little. A slice
 * whose documents are larger than those before is given up and cut anew. Only records of one and the same nanosecond
 * cannot be divided.
 */
import { AppError } from '../../base/errors.ts';
import type { ExportRequest, TimeRange } from '../store.ts';
import type { CountedBucket } from './export-plan.ts';
import { cutIntoSlices, stretchEnd } from './export-plan.ts';
import type { ScanBlock } from './segment-engine.ts';
import type { QueryContext } from './source-search.ts';
import { guarded } from './source-search.ts';
import type { SnapshotSource } from './store-state.ts';

/**
 * Bytes of a slice that are aimed at: the engine needs several times as much to put them in order, and reads a row group
 * again for each slice that has a part of it.
 */
const SLICE_BYTES = 24 * 1024 * 1024;

/** A slice of this many times what is aimed at is divided. */
const SLICE_FACTOR_MAX = 2;

/** Files with no more rows than this many slices are read without counting. */
const UNCOUNTED_SLICES = 1.25;

/** Bytes of a document, for the first guess. */
const DOCUMENT_BYTES = 600;

/** Rows of all files that are counted at once, about. */
const STRETCH_ROWS = 500_000;

/** Buckets of a count. */
const BUCKETS = 512;

/** Bytes of a block that is given out, about: it ends with a line. */
const BLOCK_BYTES = 256 * 1024;

const NEWLINE = 10;

/** Yields blocks of NDJSON, which are the caller's. Twice `sliceBytes` are held at most. */
export async function* exportSources(
  sources: readonly SnapshotSource[],
  request: ExportRequest,
  context: QueryContext,
  sliceBytes = SLICE_BYTES,
): AsyncIterable<Uint8Array> {
  const exporter = new Exporter(sources, request, context, sliceBytes);
  for (;;) {
    const slice = await exporter.next();
    if (slice === undefined) return;
    for (let at = 0; at < slice.length;) {
      const end = slice.indexOf(NEWLINE, Math.min(at + BLOCK_BYTES, slice.length) - 1) + 1;
      yield slice.subarray(at, end);
      at = end;
    }
  }
}

/** A range of time that is read at once, or counted first when it may be too much. */
interface Planned extends TimeRange {
  readonly rowsMax: number;
}

class Exporter {
  #sources: readonly SnapshotSource[];
  readonly #request: ExportRequest;
  readonly #context: QueryContext;
  /** What follows, oldest first; behind it nothing is planned yet. At most `BUCKETS` per stretch. */
  #planned: Planned[] = [];
  #startNs: bigint;
  #documentBytes = DOCUMENT_BYTES;
  readonly #sliceBytes: number;

  constructor(
    sources: readonly SnapshotSource[],
    request: ExportRequest,
    context: QueryContext,
    sliceBytes: number,
  ) {
    this.#sliceBytes = sliceBytes;
    this.#sources = sources;
    this.#request = request;
    this.#context = context;
    this.#startNs = request.range.startNs;
  }

  /** Returns the next documents; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const next = this.#planned.shift() ?? this.#nextStretch();
      if (next === undefined) return undefined;
      if (next.rowsMax > UNCOUNTED_SLICES * this.#sliceRows && next.endNs - next.startNs > 1n) {
        this.#planned.unshift(...(await this.#plan(next)));
        continue;
      }
      const block = await this.#read(next);
      // Too large: with documents of this size it is more than a slice, and is counted.
      if (block === undefined) this.#documentBytes *= 4;
      if (block === undefined) this.#planned.unshift({ ...next, rowsMax: Number.POSITIVE_INFINITY });
      else if (block.rows > 0) {
        this.#documentBytes = block.bytes.length / block.rows;
        return block.bytes;
      }
    }
  }

  get #sliceRows(): number {
    return this.#sliceBytes / this.#documentBytes;
  }

  #nextStretch(): Planned | undefined {
    const range = { startNs: this.#startNs, endNs: this.#request.range.endNs };
    const stretch = stretchEnd(this.#sources, range, STRETCH_ROWS);
    if (stretch === undefined) return undefined;
    this.#startNs = stretch.endNs;
    const rowsMax = this.#asked(stretch).reduce((sum, { rows }) => sum + rows, 0);
    return { ...stretch, rowsMax };
  }

  async #plan({ startNs, endNs }: TimeRange): Promise<Planned[]> {
    const bucketNs = (endNs - startNs + BigInt(BUCKETS) - 1n) / BigInt(BUCKETS);
    const range = { startNs, endNs };
    const asked = { query: this.#request.query, range, widthNs: bucketNs, by: undefined };
    const { engine, signal } = this.#context;
    const counts = new Map<number, number>();
    for (const source of this.#asked(range)) {
      const found = await this.#guarded(source, () => engine.histogram(source.source, asked, signal));
      for (const { bucket, count } of found ?? []) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
    }
    const buckets: CountedBucket[] = [...counts].map(([bucket, rows]) => ({ bucket, rows }));
    const slices = cutIntoSlices(buckets, { range, bucketNs, sliceRows: this.#sliceRows });
    // What cannot be cut finer by this count, because it is one bucket, is counted again by itself.
    return slices.map(({ rows, ...slice }) => ({ ...slice, rowsMax: rows }));
  }

  async #read(planned: Planned): Promise<ScanBlock | undefined> {
    const { engine, signal } = this.#context;
    const range = { startNs: planned.startNs, endNs: planned.endNs };
    const bytesMax = range.endNs - range.startNs > 1n ? SLICE_FACTOR_MAX * this.#sliceBytes : undefined;
    const request = { query: this.#request.query, range, bytesMax };
    for (;;) {
      const asked = this.#asked(range);
      try {
        const files = asked.map(({ source }) => source);
        return await engine.scan(files, request, signal);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'corrupt') throw error;
        const count = this.#sources.length;
        for (const source of asked) {
          await this.#guarded(source, () => engine.scan([source.source], request, signal));
        }
        if (this.#sources.length === count) throw error;
      }
    }
  }

  /** Asks one file; one that cannot be read is reported and left out from now on. */
  async #guarded<T>(source: SnapshotSource, task: () => Promise<T>): Promise<T | undefined> {
    let isReadable = false;
    const answer = await guarded(source, this.#context, undefined, async () => {
      const found = await task();
      isReadable = true;
      return found;
    });
    if (!isReadable) this.#sources = this.#sources.filter((other) => other !== source);
    return answer;
  }

  #asked({ startNs, endNs }: TimeRange): readonly SnapshotSource[] {
    return this.#sources.filter(({ minNs, maxNs }) => minNs < endNs && maxNs >= startNs);
  }
}
