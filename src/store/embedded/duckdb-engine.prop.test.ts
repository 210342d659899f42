import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { nodeFileSystem } from '../../base/node/node-file-system.ts';
import { nodeScheduler } from '../../base/node/node-scheduler.ts';
import { startDuckDbEngine } from './duckdb-engine.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { EVERYTHING, testBatch, testDocument, testFileId } from './testing/test-documents.ts';

const FILE = testFileId(1);
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'logboom-store-'));
const engine = await startDuckDbEngine({
  memoryBytesMax: 256e6,
  threads: 1,
  temporaryDirectory: root,
  fileSystem: nodeFileSystem,
});
after(async () => {
  await engine.close();
  fs.rmSync(root, { recursive: true });
});

const key = fc.oneof(
  fc.constantFrom(
    'a',
    'A',
    'b',
    'a.b',
    'a\\b',
    'a"b',
    "a'b",
    'a/b',
    'a~b',
    '',
    '$',
    '*',
    '[0]',
    'ä',
    'Ä',
    'a\u0000',
  ),
  fc.string({ maxLength: 3, unit: 'grapheme' }),
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\u0000', '"', '\\', '{}', 'null', '1', 'true'),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { weight: 3, arbitrary: text },
    { weight: 3, arbitrary: fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.boolean()) },
    { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }) },
    { weight: 1, arbitrary: fc.array(tie('any'), { maxLength: 2, minLength: 1 }) },
    { weight: 2, arbitrary: objectOf(tie('any')) },
  ),
})).any;

function objectOf(member: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.array(fc.tuple(key, member), { minLength: 1, maxLength: 4 }).map(Object.fromEntries);
}

const documents = fc.array(fc.tuple(text, objectOf(value)), { minLength: 1, maxLength: 4 });

let count = 0;

test('whatever fields documents have, they come back as they were, before and after sealing', async () => {
  await fc.assert(
    fc.asyncProperty(documents, async (entries) => {
      const records = entries.map(([message, fields], index) => ({
        offset: index * 10,
        message,
        fields: fields as Record<string, unknown>,
      }));
      const wanted = records.map((record) => plain(testDocument(FILE, record)));
      const store = await openStore();
      await store.append([testBatch(FILE, records)], new AbortController().signal);
      assert.deepEqual(await exported(store), wanted, 'journal');
      await store.seal();
      assert.deepEqual(await exported(store), wanted, 'segment');
      assert.deepEqual((await store.stats()).quarantined, []);
      await store.close();
    }),
    { numRuns: 15 },
  );
});

/** As JSON knows it: no minus zero, no undefined. */
function plain(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document)) as unknown;
}

function openStore(): Promise<EmbeddedStore> {
  const silent = {
    count: () => undefined,
    gauge: () => undefined,
    observe: () => undefined,
    log: () => undefined,
  };
  const retention = { bytesMax: 1e12, ageMsMax: undefined };
  return openEmbeddedStore({
    directory: path.join(root, `store-${count++}`),
    config: { retention, journalBytesMax: 1e9, journalAgeMsMax: 1e9, freeBytesMin: 0 },
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    telemetry: silent,
    engine: new Proxy(engine, {
      // The engine outlives the stores of this file.
      get: (target, name) => {
        if (name === 'close') return async () => undefined;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    }),
  });
}

async function exported(store: EmbeddedStore): Promise<unknown[]> {
  const parts: Uint8Array[] = [];
  const request = { query: { kind: 'all' }, range: EVERYTHING } as const;
  for await (const block of store.export(request, new AbortController().signal)) parts.push(block);
  const lines = Buffer.concat(parts).toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
}
