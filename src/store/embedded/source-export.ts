/**
 * Every match of a snapshot, oldest first, in constant memory: time is cut into slices, and of each slice all files
 * are read one after the other, sorted here, and given out. So never more than one file is open in the engine, and
 * never more than one slice is held, however many files overlap in time.
 *
 * The width of a slice follows the density of what it finds. One that turns out too large is given up and asked for
 * again in a quarter of its width; only records of one and the same nanosecond cannot be divided further.
 */
import type { ExportRequest, TimeRange } from '../store.ts';
import type { FoundRow } from './segment-engine.ts';
import type { QueryContext } from './source-search.ts';
import { compareKeys, guarded } from './source-search.ts';
import type { SnapshotSource } from './store-state.ts';

/** Characters of a block of NDJSON, about. */
const BLOCK_CHARACTERS = 256 * 1024;

/** Characters of a slice that are aimed at: enough that asking each file costs little against reading it. */
const SLICE_CHARACTERS = 16 * 1024 * 1024;

/** A slice with more is divided. */
const SLICE_CHARACTERS_MAX = 2 * SLICE_CHARACTERS;

/** Characters of a document, for the first guess. */
const DOCUMENT_CHARACTERS = 600;

/** Yields blocks of NDJSON. */
export async function* exportSources(
  sources: readonly SnapshotSource[],
  request: ExportRequest,
  context: QueryContext,
): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const rows of slices(sources, request, context)) {
    let lines: string[] = [];
    let characters = 0;
    for (const row of rows) {
      lines.push(row.document);
      characters += row.document.length;
      if (characters < BLOCK_CHARACTERS) continue;
      yield encoder.encode(`${lines.join('\n')}\n`);
      lines = [];
      characters = 0;
    }
    if (lines.length > 0) yield encoder.encode(`${lines.join('\n')}\n`);
  }
}

async function* slices(
  sources: readonly SnapshotSource[],
  request: ExportRequest,
  context: QueryContext,
): AsyncIterable<readonly FoundRow[]> {
  let startNs = request.range.startNs;
  let widthNs = firstWidth(sources);
  for (;;) {
    const next = nextStart(sources, startNs);
    if (next === undefined || next >= request.range.endNs) return;
    startNs = next;
    const endNs = startNs + widthNs < request.range.endNs ? startNs + widthNs : request.range.endNs;
    const slice = await readSlice(sources, { ...request, range: { startNs, endNs } }, context);
    if (slice === undefined) {
      widthNs = (endNs - startNs) / 4n || 1n;
      continue;
    }
    startNs = endNs;
    if (slice.characters < SLICE_CHARACTERS / 4) widthNs *= 2n;
    if (slice.rows.length > 0) yield slice.rows.sort((one, other) => compareKeys(one, other, 'asc'));
  }
}

/** Reads the slice of every file; undefined when it is too large and can be divided. */
async function readSlice(
  sources: readonly SnapshotSource[],
  { query, range }: ExportRequest,
  context: QueryContext,
): Promise<{ rows: FoundRow[]; characters: number } | undefined> {
  const rows: FoundRow[] = [];
  let characters = 0;
  for (const source of sources.filter((candidate) => isIn(candidate, range))) {
    const isTooLarge = await guarded(source, context, false, async () => {
      for await (const block of context.engine.scan(source.source, { query, range }, context.signal)) {
        for (const row of block) {
          rows.push(row);
          characters += row.document.length;
        }
        if (characters > SLICE_CHARACTERS_MAX && range.endNs - range.startNs > 1n) return true;
      }
      return false;
    });
    if (isTooLarge) return undefined;
  }
  return { rows, characters };
}

function isIn({ minNs, maxNs }: SnapshotSource, { startNs, endNs }: TimeRange): boolean {
  return minNs < endNs && maxNs >= startNs;
}

/** The first time at or after `startNs` that a file may have records of. */
function nextStart(sources: readonly SnapshotSource[], startNs: bigint): bigint | undefined {
  let first: bigint | undefined;
  for (const { minNs, maxNs } of sources) {
    if (maxNs < startNs) continue;
    const candidate = minNs > startNs ? minNs : startNs;
    if (first === undefined || candidate < first) first = candidate;
  }
  return first;
}

/** The width in which the densest file alone would fill a slice. */
function firstWidth(sources: readonly SnapshotSource[]): bigint {
  const sliceRows = BigInt(Math.round(SLICE_CHARACTERS / DOCUMENT_CHARACTERS));
  let widthNs = 1n << 62n;
  for (const { minNs, maxNs, rows } of sources) {
    const own = ((maxNs - minNs + 1n) * sliceRows) / BigInt(Math.max(rows, 1));
    if (own < widthNs) widthNs = own;
  }
  return widthNs > 0n ? widthNs : 1n;
}
