import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import type { DocumentBatch } from '../../record/record-batch.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import type { TestRecord } from './testing/test-documents.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

const SIGNAL = new AbortController().signal;
const HOUR_NS = 3_600_000_000_000;
const APPS = ['web', 'pay', 'cart'] as const;

const FILES = 7;

/** Apps do not stand in the order of the ids of their files. */
const appOf = (file: number): string => APPS[file % APPS.length] ?? '';

/** What another shipper writes has an id of its own: it is kept whole, and stands anywhere among its neighbours. */
const isForeign = (file: number): boolean => file >= FILES - 2;

const world = new DuckDbWorld();
after(() => world.close());

const appending = fc.record({
  file: fc.integer({ min: 0, max: FILES - 1 }),
  count: fc.integer({ min: 1, max: 6 }),
  /** A seal makes a segment of each hour. */
  hour: fc.constantFrom(0, 0, 0, 1),
  fields: fc.option(fc.dictionary(fc.constantFrom('a', 'b', 'A'), fc.jsonValue({ maxDepth: 1 })), {
    nil: undefined,
  }),
});

type Appending = typeof appending extends fc.Arbitrary<infer T> ? T : never;

/** What an append brings at once, in one commit. */
const steps = fc.array(fc.array(appending, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 });

/** Gives each file's records offsets that only grow. */
class Writer {
  readonly #next = new Map<number, number>();

  batchOf({ file, count, hour, fields }: Appending): DocumentBatch {
    const first = this.#next.get(file) ?? 0;
    this.#next.set(file, first + count);
    const records = Array.from({ length: count }, (_, index): TestRecord => {
      const offset = (first + index) * 10;
      return {
        offset,
        message: `${file} says ${offset} \u2028 ü`,
        timeNs: hour * HOUR_NS + offset,
        ...(fields === undefined ? {} : { fields: fields as Record<string, unknown> }),
        more: {
          service: { name: appOf(file) },
          ...(isForeign(file) ? { event: { id: `id ${file}/${offset}` } } : {}),
        },
      };
    });
    return testBatch(testFileId(file), records);
  }
}

let count = 0;

test('whatever arrives, it is in segments as it was in journals, each record once', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (appends) => {
      const name = `store-${count++}`;
      const store = await world.openStore(name);
      const writer = new Writer();
      for (const batches of appends)
        await store.append(
          batches.map((one) => writer.batchOf(one)),
          SIGNAL,
        );
      const unsealed = await exported(store);
      await store.seal();
      assert.deepEqual(await exported(store), unsealed);
      const wanted = appends.flat().reduce((sum, batch) => sum + batch.count, 0);
      assert.equal(unsealed.length, wanted);
      const rows = await readOutside(name);
      assert.equal(rows.length, wanted);
      assert.equal(new Set(rows.map(({ id }) => id)).size, wanted);
      for (const file of Map.groupBy(rows, (row) => row.segment).values()) assertInOrder(file);
      assert.deepEqual(fs.readdirSync(world.temporaryDirectoryOf(name)), [], 'nothing is left behind');
      await store.close();
    }),
    { numRuns: 6 },
  );
});

/** All documents byte for byte, in the order that the store has for them. */
async function exported(store: EmbeddedStore): Promise<string[]> {
  const parts: Uint8Array[] = [];
  const request = { query: { kind: 'all' }, range: EVERYTHING } as const;
  for await (const block of store.export(request, SIGNAL)) parts.push(block);
  return Buffer.concat(parts).toString().split('\n').slice(0, -1);
}

interface OutsideRow {
  readonly segment: string;
  readonly app: string;
  readonly fileId: string;
  readonly id: string;
}

/** Reads segments as anybody would, in the order in which their rows stand. */
async function readOutside(name: string): Promise<OutsideRow[]> {
  const files = path.join(world.directoryOf(name), 'segments/**/*.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const columns = [
    'filename AS segment',
    '"service.name" AS app',
    'file_id AS "fileId"',
    `file_id || '/' || "log.offset" AS id`,
  ];
  const rows = await connection.run(
    `SELECT ${columns.join(', ')} FROM read_parquet('${files}', filename = true, file_row_number = true,
      union_by_name = true) ORDER BY filename, file_row_number`,
  );
  const found = (await rows.getRowObjectsJS()) as unknown as OutsideRow[];
  connection.closeSync();
  instance.closeSync();
  return found;
}

/** They are fewer than a row group has room for. */
function assertInOrder(rows: readonly OutsideRow[]): void {
  const own = rows.filter(({ fileId }) => !isForeign(Number.parseInt(fileId, 16)));
  const places = own.map(({ app, fileId }) => `${app} ${fileId}`);
  assert.deepEqual(places, places.toSorted());
}
