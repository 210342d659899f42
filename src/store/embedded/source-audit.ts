/**
 * Counts what search finds of each file, exactly, in memory that does not grow with records. Each file of the store
 * is counted on its own, a segment once in a while, because it never changes. Where the offsets of a log file in two
 * of them overlap, or reach beyond what the ledger acknowledges, those offsets are counted again together.
 */
import { must } from '../../base/assert.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import { type LossRange, possibleLossRanges } from '../../record/possible-loss.ts';
import type { FileAudit } from '../store.ts';
import { type TalliedRange, unsureRanges } from './audit-ranges.ts';
import type { ExpiredFile } from './catalog.ts';
import type { FileTally, RangeTally, Source } from './segment-engine.ts';
import type { SegmentTallies } from './segment-tallies.ts';
import type { QueryContext } from './source-search.ts';
import { guarded } from './source-search.ts';
import type { SnapshotSource } from './store-state.ts';

const SUM_MODULUS = 1n << 64n;

/** Ranges that are counted again in one query, whose text names each of them. */
const RANGES_MAX = 5000;

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
  readonly parts: { tally: FileTally; source: Source }[];
  /** Of the distinct ones: where the ledger says that something may be lost. */
  inPossibleLoss?: { count: number; sum: bigint };
}

/** A range, and whose it is. */
interface Asked {
  readonly range: LossRange;
  readonly entry: Found;
}

export interface AuditContext extends QueryContext {
  readonly segmentTallies: SegmentTallies;
}

/** Yields one entry per file id that the snapshot, the ledger, or what was dropped or expired knows. */
export async function* auditSources(
  sources: readonly SnapshotSource[],
  facts: AuditFacts,
  context: AuditContext,
): AsyncIterable<FileAudit> {
  const found = await tallyAll(sources, context);
  await recount(found, facts, context);
  await countPossibleLosses(found, facts, context);
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
  const unsure = found?.inPossibleLoss;
  return {
    fileId,
    ledger,
    found: count + dropped.count + expired.count,
    twice: count - (found?.distinct ?? 0),
    offsetSum: String(((found?.sum ?? 0n) + dropped.sum + expired.sum) % SUM_MODULUS),
    droppedByPipeline: dropped.count,
    expired: expired.count,
    ...(unsure === undefined
      ? {}
      : { inPossibleLoss: { count: unsure.count, offsetSum: String(unsure.sum % SUM_MODULUS) } }),
  };
}

async function tallyAll(
  sources: readonly SnapshotSource[],
  context: AuditContext,
): Promise<Map<string, Found>> {
  const { engine, signal, segmentTallies } = context;
  const found = new Map<string, Found>();
  for (const snapshot of sources) {
    const { source } = snapshot;
    const none: FileTally[] = [];
    const count = () => guarded(snapshot, context, none, () => engine.tally(source, signal));
    const tallies = source.kind === 'segment' ? await segmentTallies.of(source.path, count) : await count();
    for (const tally of tallies) addTally(found, tally, source);
  }
  return found;
}

function addTally(found: Map<string, Found>, tally: FileTally, source: Source): void {
  const entry = found.get(tally.fileId) ?? { count: 0, distinct: 0, sum: 0n, parts: [] };
  found.set(tally.fileId, entry);
  add(entry, tally, 1);
  entry.parts.push({ tally, source });
}

/** Counts again the offsets for which adding up is not exact. */
async function recount(found: Map<string, Found>, facts: AuditFacts, context: QueryContext): Promise<void> {
  const unsure: { range: TalliedRange; entry: Found }[] = [];
  for (const [fileId, entry] of found) {
    const belowOffset = facts.ledger.get(fileId)?.acknowledgedOffset ?? Number.MAX_SAFE_INTEGER;
    for (const range of unsureRanges(entry.parts.map(toPart), belowOffset)) unsure.push({ range, entry });
  }
  const remade = new Set<FileTally>();
  for (let start = 0; start < unsure.length; start += RANGES_MAX) {
    const some = unsure.slice(start, start + RANGES_MAX);
    for (const { range, entry } of some) {
      for (const { tally, source } of partsIn(range, entry)) {
        // A journal grows: what it had a moment ago is taken back as a whole, whatever it has by now.
        if (source.kind === 'segment' || remade.has(tally)) continue;
        remade.add(tally);
        add(entry, tally, -1);
      }
    }
    for (const tally of await tallyAsked(some, context)) {
      const { range, entry } = must(some[tally.index], 'range');
      add(entry, tally.segments, -1);
      if (!range.isBeyond) add(entry, tally, 1);
    }
  }
}

/** Counts what stands where something may be lost, of files that do not agree with the ledger. */
async function countPossibleLosses(
  found: Map<string, Found>,
  facts: AuditFacts,
  context: QueryContext,
): Promise<void> {
  const unsure: Asked[] = [];
  for (const [fileId, entry] of found) {
    const ledger = facts.ledger.get(fileId);
    if (ledger === undefined || agrees(entry, ledger)) continue;
    for (const range of possibleLossRanges(ledger)) unsure.push({ range, entry });
  }
  for (let start = 0; start < unsure.length; start += RANGES_MAX) {
    const some = unsure.slice(start, start + RANGES_MAX);
    for (const { index, distinct, offsetSum } of await tallyAsked(some, context)) {
      const { entry } = must(some[index], 'range');
      const { count, sum } = entry.inPossibleLoss ?? { count: 0, sum: 0n };
      entry.inPossibleLoss = { count: count + distinct, sum: sum + offsetSum };
    }
  }
}

function agrees({ distinct, sum }: Found, ledger: LedgerRecord): boolean {
  return distinct === ledger.records && String(sum % SUM_MODULUS) === ledger.offsetSum;
}

function tallyAsked(asked: readonly Asked[], { engine, signal }: QueryContext): Promise<RangeTally[]> {
  const sources = new Map<Source, number[]>();
  for (const [place, { range, entry }] of asked.entries()) {
    for (const { source } of partsIn(range, entry)) {
      const places = sources.get(source);
      if (places === undefined) sources.set(source, [place]);
      else places.push(place);
    }
  }
  const ranges = asked.map(({ range, entry }) => ({ ...range, fileId: fileIdOf(entry) }));
  return engine.tallyRanges(
    [...sources].map(([source, places]) => ({ source, ranges: places })),
    ranges,
    signal,
  );
}

function partsIn({ startOffset, endOffset }: LossRange, { parts }: Found): Found['parts'] {
  return parts.filter(({ tally }) => tally.offsetMax >= startOffset && tally.offsetMin < endOffset);
}

function add(
  entry: Found,
  { count, distinct, offsetSum }: Pick<RangeTally, 'count' | 'distinct' | 'offsetSum'>,
  sign: 1 | -1,
): void {
  entry.count += sign * count;
  entry.distinct += sign * distinct;
  entry.sum += sign === 1 ? offsetSum : -offsetSum;
}

function toPart({ tally, source }: Found['parts'][number]) {
  return { min: tally.offsetMin, max: tally.offsetMax, canGrow: source.kind !== 'segment' };
}

function fileIdOf({ parts }: Found): string {
  return must(parts[0], 'part').tally.fileId;
}
