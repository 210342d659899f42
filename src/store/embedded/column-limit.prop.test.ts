import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Query } from '../../query/ast.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import type { SegmentEngine, Source } from './segment-engine.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { BASE_NS, testBatch, testFileId } from './testing/test-documents.ts';
import type { TestRecord } from './testing/test-documents.ts';

const SIGNAL = new AbortController().signal;
const FILE = testFileId(1);
const ALL = { kind: 'all' } as const;
const HOUR_NS = 3_600_000_000_000n;

const world = new DuckDbWorld();
after(() => world.close());

const key = fc.constantFrom('a', 'b', 'A', 'a.b', 'c', '$c', '$$', 'ä', 'a b', 'a/b', 'a~1', 'rest');
const scalar = fc.constantFrom<unknown>('x', 'Xy', '5', '', 5, 1.5, -1, true, false, ['x', 5], [{ b: 'x' }]);
const value = fc.oneof(
  { weight: 3, arbitrary: scalar },
  { weight: 2, arbitrary: fc.dictionary(key, scalar, { minKeys: 1, maxKeys: 3 }) },
);
const members = fc.dictionary(key, value, { maxKeys: 4 });
const maybe = fc.option(fc.dictionary(key, value, { minKeys: 1, maxKeys: 3 }), { nil: undefined });

/** Documents with members in every place for which there can be a rest. */
const record = fc
  .record({ more: members, fields: maybe, labels: maybe, hasLevel: fc.boolean() })
  .map(({ more, fields, labels, hasLevel }) => ({
    ...(hasLevel ? { level: 'info' } : {}),
    ...(fields === undefined ? {} : { fields }),
    more: labels === undefined ? more : { ...more, labels },
  }));

const path = fc
  .tuple(
    fc.constantFrom('', 'fields.', 'labels.', 'a.', 'kubernetes.'),
    key,
    fc.constantFrom('', '.b', '.a.b'),
  )
  .map((keys) => keys.join(''));
const pattern = fc.constantFrom(
  { pieces: ['x'] },
  { pieces: ['5'] },
  { pieces: ['x', ''] },
  { pieces: ['1.5'] },
);
const query: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ kind: fc.constant('field' as const), field: path, pattern }),
  fc.record({ kind: fc.constant('contains' as const), field: path, pattern }),
  fc.record({ kind: fc.constant('exists' as const), field: path }),
  fc.record({
    kind: fc.constant('range' as const),
    field: path,
    operator: fc.constantFrom('<' as const, '>=' as const),
    value: fc.constantFrom('2', 'x'),
  }),
  fc.record({ kind: fc.constant('text' as const), pattern }),
  fc.record({ kind: fc.constant('regex' as const), field: path, source: fc.constantFrom('^x', '5') }),
);

type Entry = Omit<TestRecord, 'offset' | 'message'>;

interface Questions {
  readonly queries: readonly Query[];
  /** Paths of what the histogram counts by. */
  readonly by: readonly string[];
}

const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
const questions = fc.record({
  queries: fc.array(query, { minLength: 6, maxLength: 6 }),
  by: fc.array(path, { minLength: 1, maxLength: 2 }),
});

let opened = 0;

test('three columns or as many as there are: exports, searches and counts are the same', async () => {
  const engines = [
    await world.startEngine('few', { columnsMax: 3 }),
    await world.startEngine('many', { columnsMax: 10_000 }),
  ];
  await fc.assert(
    fc.asyncProperty(batches, questions, async (entries, asked) => {
      const [few, many] = await Promise.all(engines.map((engine) => answers(engine, entries, asked)));
      assert.deepEqual(few, many);
    }),
    { numRuns: 3 },
  );
  for (const engine of engines) await engine.close();
});

/** What a store answers from its journals, from several segments, and from the segment that these are merged into. */
async function answers(
  engine: SegmentEngine,
  entries: readonly (readonly Entry[])[],
  asked: Questions,
): Promise<unknown> {
  const name = `store-${opened++}`;
  const store = await world.openStore(name, { engine: shared(engine) });
  const found: Record<string, unknown> = {};
  let offset = 0;
  for (const [part, batch] of entries.entries()) {
    const records = batch.map((one) => ({ ...one, offset: offset++ * 10, message: 'line' }));
    await store.append([testBatch(FILE, records)], SIGNAL);
    found[`journal ${part}`] = await answer(engine, sourcesOf(store), asked);
    await store.seal();
  }
  const sources = sourcesOf(store).filter((source) => source.kind === 'segment');
  found['segments'] = await answer(engine, sources, asked);
  const directory = `${world.directoryOf(name)}/segments`;
  const merged = await engine.compact({ sources, directory, hour: '2026-11-23T04', sequence: 900 });
  const source = { kind: 'segment', path: `${directory}/${merged.path}`, columns: merged.columns } as const;
  found['merged'] = await answer(engine, [source], asked);
  found['namespaces'] = merged.namespaces;
  await store.close();
  return found;
}

async function answer(
  engine: SegmentEngine,
  sources: readonly Source[],
  { queries, by }: Questions,
): Promise<unknown> {
  const range = { startNs: BASE_NS, endNs: BASE_NS + HOUR_NS };
  const found: unknown[] = [];
  const block = await engine.scan(sources, { query: ALL, range, bytesMax: undefined }, SIGNAL);
  const lines = Buffer.from(block?.bytes ?? [])
    .toString()
    .trimEnd()
    .split('\n');
  found.push(lines.map((line) => JSON.parse(line) as unknown));
  for (const one of queries) {
    const request = { query: one, range, order: 'asc', limit: 100, after: undefined } as const;
    const rows = await Promise.all(sources.map((source) => engine.search(source, request, SIGNAL)));
    const offsets = rows.flat().map((row) => row.offset);
    found.push([one, offsets.toSorted((left, right) => left - right)]);
  }
  for (const source of sources) {
    const counts = await engine.histogram(source, { query: ALL, range, widthNs: HOUR_NS, by }, SIGNAL);
    found.push(counts.map(({ value: text, count }) => `${text} ${count}`).toSorted());
  }
  return found;
}

function sourcesOf(store: EmbeddedStore): Source[] {
  const snapshot = store.snapshotForTests();
  snapshot.release();
  return snapshot.sources.map(({ source }) => source);
}

/** The engine outlives the stores. */
function shared(engine: SegmentEngine): SegmentEngine {
  return new Proxy(engine, {
    get: (target, property) => {
      if (property === 'close') return async () => undefined;
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
