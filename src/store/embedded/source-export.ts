/**
 * Every match of a snapshot, oldest first. A file is opened when the merge has come to its first record and closed
 * behind its last, so only files that overlap in time are open together.
 */
import type { ExportRequest } from '../store.ts';
import type { FoundRow } from './segment-engine.ts';
import type { QueryContext } from './source-search.ts';
import { compareKeys, guarded } from './source-search.ts';
import type { SnapshotSource } from './store-state.ts';

/** Bytes of a block of NDJSON, about. */
const BLOCK_CHARACTERS = 256 * 1024;

/** Rows of a slice of a segment, if they are spread evenly over its time. */
const SLICE_ROWS = 50_000;

/** Yields blocks of NDJSON. */
export async function* exportSources(
  sources: readonly SnapshotSource[],
  request: ExportRequest,
  context: QueryContext,
): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  let lines: string[] = [];
  let characters = 0;
  for await (const row of mergedRows(sources, request, context)) {
    lines.push(row.document);
    characters += row.document.length;
    if (characters < BLOCK_CHARACTERS) continue;
    yield encoder.encode(`${lines.join('\n')}\n`);
    lines = [];
    characters = 0;
  }
  if (lines.length > 0) yield encoder.encode(`${lines.join('\n')}\n`);
}

async function* mergedRows(
  sources: readonly SnapshotSource[],
  request: ExportRequest,
  context: QueryContext,
): AsyncIterable<FoundRow> {
  const waiting = sources.toSorted((one, other) => (one.minNs < other.minNs ? -1 : 1));
  const open: Cursor[] = [];
  try {
    for (;;) {
      await openDue(waiting, open, request, context);
      const first = earliest(open);
      if (first?.row === undefined) return;
      yield first.row;
      await first.advance();
      if (first.row === undefined) open.splice(open.indexOf(first), 1);
    }
  } finally {
    for (const cursor of open) await cursor.close();
  }
}

/** Opens every file that may have a record before the earliest that is known. */
async function openDue(
  waiting: SnapshotSource[],
  open: Cursor[],
  request: ExportRequest,
  context: QueryContext,
): Promise<void> {
  for (;;) {
    const next = waiting[0];
    if (next === undefined) return;
    const row = earliest(open)?.row;
    if (row !== undefined && next.minNs > row.timeNs) return;
    waiting.shift();
    const cursor = new Cursor(next, request, context);
    await cursor.advance();
    if (cursor.row !== undefined) open.push(cursor);
  }
}

function earliest(open: readonly Cursor[]): Cursor | undefined {
  let best: Cursor | undefined;
  for (const cursor of open) {
    if (best?.row === undefined) best = cursor;
    else if (cursor.row !== undefined && compareKeys(cursor.row, best.row, 'asc') < 0) best = cursor;
  }
  return best;
}

/** Scans a file slice by slice, because each scan is sorted in memory. */
async function* scanSlices(
  { source, minNs, maxNs, rows }: SnapshotSource,
  { query, range }: ExportRequest,
  { engine, signal }: QueryContext,
): AsyncIterable<readonly FoundRow[]> {
  const endNs = range.endNs > maxNs ? maxNs + 1n : range.endNs;
  let startNs = range.startNs < minNs ? minNs : range.startNs;
  const count = source.kind === 'journal' ? 1n : BigInt(Math.ceil(rows / SLICE_ROWS));
  const widthNs = (maxNs - minNs) / count + 1n;
  while (startNs < endNs) {
    const sliceEndNs = startNs + widthNs < endNs ? startNs + widthNs : endNs;
    yield* engine.scan(source, { query, range: { startNs, endNs: sliceEndNs } }, signal);
    startNs = sliceEndNs;
  }
}

/** Reads one file's matches one by one. */
class Cursor {
  row: FoundRow | undefined;
  readonly #source: SnapshotSource;
  readonly #context: QueryContext;
  readonly #blocks: AsyncIterator<readonly FoundRow[]>;
  #block: readonly FoundRow[] = [];
  #index = 0;

  constructor(source: SnapshotSource, request: ExportRequest, context: QueryContext) {
    this.#source = source;
    this.#context = context;
    this.#blocks = scanSlices(source, request, context)[Symbol.asyncIterator]();
  }

  /** Moves to the next row; undefined behind the last. Resolves at once while the block lasts. */
  async advance(): Promise<void> {
    while (this.#index >= this.#block.length) {
      const block = await guarded(this.#source, this.#context, undefined, async () => {
        const result = await this.#blocks.next();
        return result.done === true ? undefined : result.value;
      });
      if (block === undefined) {
        this.row = undefined;
        return;
      }
      this.#block = block;
      this.#index = 0;
    }
    this.row = this.#block[this.#index];
    this.#index += 1;
  }

  async close(): Promise<void> {
    await this.#blocks.return?.();
  }
}
