import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import type { LedgerGap } from '../../record/ledger.ts';
import type { FileAudit } from '../store.ts';
import type {
  FileRange,
  FileTally,
  RangedSource,
  RangeTally,
  SegmentEngine,
  Source,
} from './segment-engine.ts';
import { SegmentTallies } from './segment-tallies.ts';
import { auditSources } from './source-audit.ts';
import { testFileId } from './testing/test-documents.ts';

const FILE = testFileId(1);

interface Part {
  readonly isJournal: boolean;
  readonly offsets: readonly number[];
  /** What a journal gets between the two looks of an audit. */
  readonly later: readonly number[];
}

const part = fc.record({
  isJournal: fc.boolean(),
  offsets: fc.array(fc.nat(40), { maxLength: 12 }),
  later: fc.array(fc.nat(40), { maxLength: 3 }),
});

void test('an audit counts what one set of all offsets would, in whatever parts they stand', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.nat(45), async (parts, acknowledgedOffset) => {
      const audit = await auditOf(parts, acknowledgedOffset);
      const all = parts.flatMap(({ offsets }) => offsets).filter((offset) => offset < acknowledgedOffset);
      const distinct = [...new Set(all)];
      assert.deepEqual(
        { found: audit?.found ?? 0, twice: audit?.twice ?? 0, offsetSum: audit?.offsetSum ?? '0' },
        {
          found: all.length,
          twice: all.length - distinct.length,
          offsetSum: String(distinct.reduce((sum, offset) => sum + offset, 0)),
        },
      );
    }),
  );
});

void test('what stands in a possible loss is counted once, in whatever parts it stands', async () => {
  const ranges = fc.array(fc.tuple(fc.nat(40), fc.nat(12)), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.nat(45), ranges, async (parts, end, losses) => {
      const gaps = losses.map(([startOffset, length]): LedgerGap => {
        return { kind: 'possible_loss', startOffset, endOffset: startOffset + length, reason: 'unsure' };
      });
      const audit = await auditOf(parts, end, { gaps });
      const isUnsure = (offset: number): boolean =>
        offset < end &&
        gaps.some(({ startOffset, endOffset }) => offset >= startOffset && offset < endOffset);
      const unsure = [...new Set(parts.flatMap(({ offsets }) => offsets))].filter(isUnsure);
      assert.deepEqual(audit?.inPossibleLoss ?? { count: 0, offsetSum: '0' }, {
        count: unsure.length,
        offsetSum: String(unsure.reduce((sum, offset) => sum + offset, 0)),
      });
    }),
  );
});

void test('what a journal gets while it is counted is counted whole or not at all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.nat(45), async (parts, acknowledgedOffset) => {
      const audit = await auditOf(parts, acknowledgedOffset, { isGrowing: true });
      // Each journal either as it was or as it became: never less than it had, never more than it has.
      const count = (has: (one: Part) => readonly number[]): number =>
        parts.flatMap(has).filter((offset) => offset < acknowledgedOffset).length;
      const before = count(({ offsets }) => offsets);
      const after = count(({ isJournal, offsets, later }) => (isJournal ? [...offsets, ...later] : offsets));
      const found = audit?.found ?? 0;
      assert.ok(before <= found && found <= after, `${before} <= ${found} <= ${after}`);
      assert.ok((audit?.twice ?? 0) >= 0);
    }),
  );
});

async function auditOf(
  parts: readonly Part[],
  acknowledgedOffset: number,
  { isGrowing = false, gaps = [] }: { isGrowing?: boolean; gaps?: readonly LedgerGap[] } = {},
): Promise<FileAudit | undefined> {
  const sources = parts.map(({ isJournal }, index) => {
    const kind = isJournal ? 'journal' : 'segment';
    const source = { kind, path: String(index) } as Source;
    return { source, minNs: 0n, maxNs: 0n, rows: 1, segment: undefined };
  });
  const engine = {
    tally: async ({ path }: Source) => tallyOf(parts[Number(path)]?.offsets ?? []),
    tallyRanges: async (asked: readonly RangedSource[], ranges: readonly FileRange[]) =>
      tallyRanges(asked, ranges, ({ kind, path }) => {
        const { offsets, later } = parts[Number(path)] ?? { offsets: [], later: [] };
        return isGrowing && kind === 'journal' ? [...offsets, ...later] : offsets;
      }),
  } as unknown as SegmentEngine;
  const ledger = new Map([[FILE, { acknowledgedOffset, gaps } as NonNullable<FileAudit['ledger']>]]);
  const facts = { ledger, expired: new Map(), droppedIds: [], droppedBelow: () => ({ count: 0, sum: 0n }) };
  const context = {
    engine,
    signal: new AbortController().signal,
    onUnreadable: () => Promise.reject(new Error('every part can be read')),
    segmentTallies: new SegmentTallies(new VirtualScheduler()),
  };
  for await (const audit of auditSources(sources, facts, context)) return audit;
  return undefined;
}

function tallyRanges(
  sources: readonly RangedSource[],
  ranges: readonly FileRange[],
  offsetsOf: (source: Source) => readonly number[],
): RangeTally[] {
  return ranges.flatMap(({ startOffset, endOffset }, index) => {
    const inRange = ({ source, ranges: places }: RangedSource): number[] =>
      offsetsOf(source).filter(
        (offset) => places.includes(index) && offset >= startOffset && offset < endOffset,
      );
    const [all] = tallyOf(sources.flatMap(inRange));
    if (all === undefined) return [];
    const segments = sources
      .filter(({ source }) => source.kind === 'segment')
      .flatMap((source) => tallyOf(inRange(source)));
    return {
      index,
      ...all,
      segments: {
        count: segments.reduce((sum, { count }) => sum + count, 0),
        distinct: segments.reduce((sum, { distinct }) => sum + distinct, 0),
        offsetSum: segments.reduce((sum, { offsetSum }) => sum + offsetSum, 0n),
      },
    };
  });
}

function tallyOf(offsets: readonly number[]): FileTally[] {
  if (offsets.length === 0) return [];
  const distinct = [...new Set(offsets)];
  return [
    {
      fileId: FILE,
      count: offsets.length,
      distinct: distinct.length,
      offsetMin: Math.min(...offsets),
      offsetMax: Math.max(...offsets),
      offsetSum: distinct.reduce((sum, offset) => sum + BigInt(offset), 0n),
    },
  ];
}
