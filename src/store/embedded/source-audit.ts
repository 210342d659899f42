/**
 * Counts what search finds of each file, exactly, in memory that does not grow with records. Each file of the store
 * is counted on its own; where the offsets of a log file in two of them overlap, or reach beyond what the ledger
 * acknowledges, those are counted again together, record by record.
 */
import type { LedgerRecord } from '../../record/ledger.ts';
import type { FileAudit } from '../store.ts';
import type { ExpiredFile } from './catalog.ts';
import type { FileTally, Source } from './segment-engine.ts';
import type { QueryContext } from './source-search.ts';
import { guarded } from './source-search.ts';
import type { SnapshotSource } from './store-state.ts';

const SUM_MODULUS = 1n << 64n;

/** Log files that are counted again in one query. */
const BOUNDS_MAX = 1000;

export interface AuditFacts {
  readonly ledger: ReadonlyMap<string, LedgerRecord>;
  readonly expired: ReadonlyMap<string, ExpiredFile>;
  readonly droppedIds: Iterable<string>;
  droppedBelow(fileId: string, belowOffset: number): { count: number; sum: bigint };
}

interface Found {
  count: number;
  distinct: number;
  sum: bigint;
  readonly ranges: { min: number; max: number; source: Source }[];
}

/** Yields one entry per file id that the snapshot, the ledger, or what was dropped or expired knows. */
export async function* auditSources(
  sources: readonly SnapshotSource[],
  facts: AuditFacts,
  context: QueryContext,
): AsyncIterable<FileAudit> {
  const found = await tallyAll(sources, context);
  await recount(found, facts, context);
  const ids = new Set([
    ...found.keys(),
    ...facts.ledger.keys(),
    ...facts.expired.keys(),
    ...facts.droppedIds,
  ]);
  for (const fileId of [...ids].toSorted()) yield toAudit(fileId, found.get(fileId), facts);
}

function toAudit(fileId: string, found: Found | undefined, facts: AuditFacts): FileAudit {
  const ledger = facts.ledger.get(fileId);
  const dropped = facts.droppedBelow(fileId, ledger?.acknowledgedOffset ?? Number.POSITIVE_INFINITY);
  const expired = facts.expired.get(fileId) ?? { count: 0, sum: 0n };
  const count = found?.count ?? 0;
  return {
    fileId,
    ledger,
    found: count + dropped.count + expired.count,
    twice: count - (found?.distinct ?? 0),
    offsetSum: String(((found?.sum ?? 0n) + dropped.sum + expired.sum) % SUM_MODULUS),
    droppedByPipeline: dropped.count,
    expired: expired.count,
  };
}

async function tallyAll(
  sources: readonly SnapshotSource[],
  context: QueryContext,
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const source of sources) {
    const none: FileTally[] = [];
    const tallies = await guarded(source, context, none, () =>
      context.engine.tally(source.source, context.signal),
    );
    for (const tally of tallies) addTally(found, tally, source.source);
  }
  return found;
}

function addTally(found: Map<string, Found>, tally: FileTally, source: Source): void {
  const entry = found.get(tally.fileId) ?? { count: 0, distinct: 0, sum: 0n, ranges: [] };
  found.set(tally.fileId, entry);
  entry.count += tally.count;
  entry.distinct += tally.distinct;
  entry.sum += tally.offsetSum;
  entry.ranges.push({ min: tally.offsetMin, max: tally.offsetMax, source });
}

/** Counts again the files for which adding up is not exact. */
async function recount(found: Map<string, Found>, facts: AuditFacts, context: QueryContext): Promise<void> {
  const unsure: { fileId: string; belowOffset: number; entry: Found }[] = [];
  for (const [fileId, entry] of found) {
    const belowOffset = facts.ledger.get(fileId)?.acknowledgedOffset ?? Number.MAX_SAFE_INTEGER;
    const reachesBeyond = entry.ranges.some((range) => range.max >= belowOffset);
    if (reachesBeyond || hasOverlap(entry.ranges)) unsure.push({ fileId, belowOffset, entry });
  }
  for (let start = 0; start < unsure.length; start += BOUNDS_MAX) {
    const part = unsure.slice(start, start + BOUNDS_MAX);
    const sources = [...new Set(part.flatMap(({ entry }) => entry.ranges.map((range) => range.source)))];
    const tallies = await context.engine.tallyExactly(sources, part, context.signal);
    for (const { entry } of part) Object.assign(entry, { count: 0, distinct: 0, sum: 0n });
    for (const { fileId, count, distinct, offsetSum } of tallies) {
      const entry = found.get(fileId);
      if (entry !== undefined) Object.assign(entry, { count, distinct, sum: offsetSum });
    }
  }
}

function hasOverlap(ranges: readonly { min: number; max: number }[]): boolean {
  const ordered = ranges.toSorted((one, other) => one.min - other.min);
  return ordered.some((range, index) => index > 0 && range.min <= (ordered[index - 1]?.max ?? -1));
}
