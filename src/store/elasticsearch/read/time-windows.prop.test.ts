import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SortOrder, TimeRange } from '../../store.ts';
import type { SearchAnswer } from './search-answer.ts';
import { timeWindows } from './time-windows.ts';

const NS_PER_MS = 1_000_000n;
const NO_HITS = { hits: [], total: 0, pointInTime: undefined, shards: 1 };

/** Counts crowds of records as an engine does: in buckets that begin at multiples of their width. */
function engineWith(crowds: readonly (readonly [timeMs: number, count: number])[]): {
  readonly asked: string[];
  readonly send: (body: string) => Promise<SearchAnswer>;
} {
  const asked: string[] = [];
  const send = (body: string): Promise<SearchAnswer> => {
    asked.push(body);
    const width = Number(/"fixed_interval":"(\d+)ms"/.exec(body)?.[1]);
    const gte = Date.parse(/"gte":"([^"]+)"/.exec(body)?.[1] ?? '1970-01-01T00:00:00Z');
    const lt = Date.parse(/"lt":"([^"]+)"/.exec(body)?.[1] ?? '2262-01-01T00:00:00Z');
    const buckets = new Map<number, number>();
    for (const [timeMs, count] of crowds) {
      if (timeMs < gte || timeMs >= lt) continue;
      const key = Math.floor(timeMs / width) * width;
      buckets.set(key, (buckets.get(key) ?? 0) + count);
    }
    const sorted = [...buckets].toSorted(([one], [other]) => one - other);
    const stretches = { buckets: sorted.map(([key, count]) => ({ key, doc_count: count })) };
    return Promise.resolve({ ...NO_HITS, aggregations: { stretches } });
  };
  return { asked, send };
}

async function windowsOf(
  range: TimeRange,
  order: SortOrder,
  { isDense, send }: { isDense: boolean; send: (body: string) => Promise<SearchAnswer> },
): Promise<TimeRange[]> {
  const windows: TimeRange[] = [];
  for await (const window of timeWindows({ range, order, isDense, send })) windows.push(window);
  return windows;
}

const crowd = fc.tuple(fc.integer({ min: 0, max: 4_000_000 }), fc.integer({ min: 1, max: 300_000 }));

test('windows follow each other and are the whole range, whatever an engine counts', async () => {
  const cases = fc.asyncProperty(
    fc.array(crowd, { maxLength: 40 }),
    fc.constantFrom('asc', 'desc'),
    fc.boolean(),
    fc.bigInt({ min: -5n, max: 3_000_000_000_000n }),
    fc.bigInt({ min: 0n, max: 3_000_000_000_000n }),
    async (crowds, order, isDense, startNs, lengthNs) => {
      const range = { startNs, endNs: startNs + lengthNs };
      const windows = await windowsOf(range, order, { isDense, send: engineWith(crowds).send });
      const inOrder = order === 'asc' ? windows : windows.toReversed();
      assert.equal(inOrder[0]?.startNs, range.startNs);
      assert.equal(inOrder.at(-1)?.endNs, range.endNs);
      for (const [index, { startNs: from, endNs }] of inOrder.entries()) {
        assert.ok(from <= endNs);
        if (index > 0) assert.equal(inOrder[index - 1]?.endNs, from);
      }
    },
  );
  await fc.assert(cases, { numRuns: 200 });
});

test('a window of many records is split until it has few, and the first one is found with few questions', async () => {
  // A record each millisecond for an hour, in a range of ten years.
  const second = Array.from({ length: 3_600 }, (_, index): [number, number] => [index * 1_000, 1_000]);
  const { asked, send } = engineWith(second);
  const range = { startNs: 0n, endNs: 315_360_000_000n * NS_PER_MS };
  const [first] = await windowsOf(range, 'desc', { isDense: false, send });
  const counted = second.filter(([timeMs]) => BigInt(timeMs) * NS_PER_MS >= (first?.startNs ?? 0n));
  const records = counted.reduce((sum, [, count]) => sum + count, 0);
  assert.ok(records >= 100_000 && records <= 300_000, `${records} records`);
  assert.ok(asked.length <= 4, `${asked.length} questions`);
});

test('few records are one window', async () => {
  const { asked, send } = engineWith([
    [5_000, 3],
    [900_000, 4],
  ]);
  const range = { startNs: 0n, endNs: 1_000_000n * NS_PER_MS };
  assert.deepEqual(await windowsOf(range, 'desc', { isDense: true, send }), [range]);
  assert.equal(asked.length, 1);
});
