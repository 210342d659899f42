import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { SegmentSource } from './segment-engine.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { testBatch, testFileId } from './testing/test-documents.ts';

const world = new DuckDbWorld();
after(() => world.close());

/** Seals a store of its own with these offsets of each file. */
async function sealedSegment(name: string, files: Record<string, readonly number[]>): Promise<SegmentSource> {
  const store = await world.openStore(name);
  const batches = Object.entries(files).map(([fileId, offsets]) =>
    testBatch(
      fileId,
      offsets.map((offset) => ({ offset, message: `${offset}` })),
    ),
  );
  await store.append(batches, new AbortController().signal);
  await store.seal();
  const directory = world.directoryOf(name);
  const file = fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .find((entry) => entry.includes('hour=') && entry.endsWith('.parquet'));
  assert.ok(file !== undefined, 'a segment');
  return { kind: 'segment', path: path.join(directory, file), columns: [] };
}

test('ranges are counted over all sources together, and over each segment on its own', async () => {
  const [one, other] = [testFileId(1), testFileId(2)];
  const sources = [
    await sealedSegment('first', { [one]: [0, 10, 20], [other]: [5] }),
    await sealedSegment('second', { [one]: [10, 20, 30], [other]: [6] }),
  ];
  const engine = await world.startEngine('engine');
  const { signal } = new AbortController();
  try {
    const ranges = [
      { fileId: one, startOffset: 10, endOffset: 21 },
      { fileId: one, startOffset: 21, endOffset: Number.MAX_SAFE_INTEGER },
      { fileId: other, startOffset: 7, endOffset: 100 },
    ];
    const tallies = await engine.tallyRanges(
      sources.map((source) => ({ source, ranges: [0, 1, 2] })),
      ranges,
      signal,
    );
    assert.deepEqual(
      tallies.toSorted((left, right) => left.index - right.index),
      [
        {
          index: 0,
          count: 4,
          distinct: 2,
          offsetSum: 30n,
          segments: { count: 4, distinct: 4, offsetSum: 60n },
        },
        {
          index: 1,
          count: 1,
          distinct: 1,
          offsetSum: 30n,
          segments: { count: 1, distinct: 1, offsetSum: 30n },
        },
      ],
    );
  } finally {
    await engine.close();
  }
});
