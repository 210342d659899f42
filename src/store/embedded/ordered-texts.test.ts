import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { EmbeddedStore } from './embedded-store.ts';
import { createRandom } from '../../base/prng.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';
import type { TestRecord } from './testing/test-documents.ts';

const SIGNAL = new AbortController().signal;
const world = new DuckDbWorld();
after(() => world.close());

interface Exported {
  readonly '@timestamp': string;
  readonly event: { readonly id: string };
  readonly message: string;
}

async function exported(store: EmbeddedStore): Promise<Exported[]> {
  const documents: Exported[] = [];
  let text = '';
  const decoder = new TextDecoder();
  const blocks = store.export({ query: { kind: 'all' }, range: EVERYTHING }, SIGNAL);
  for await (const block of blocks) {
    const lines = (text + decoder.decode(block, { stream: true })).split('\n');
    text = lines.pop() ?? '';
    documents.push(...lines.map((line) => JSON.parse(line) as Exported));
  }
  assert.equal(text, '', 'every document ends with a newline');
  return documents;
}

test('an export is in the order of time, file and offset, also where times are the same or before 1970', async () => {
  const store = await world.openStore('ordered', { threads: 2 });
  const random = createRandom(11);
  const wanted: string[] = [];
  for (let file = 1; file <= 3; file += 1) {
    const records = Array.from({ length: 3_000 }, (_, offset): TestRecord => {
      const timeNs = offset % 500 === 0 ? -1.9e18 - offset * 1e6 : Math.floor(random() * 300) * 1e6;
      return { offset, message: `line ${offset}\nwith a second line`, timeNs };
    });
    const batch = testBatch(testFileId(file), records);
    const lines = new TextDecoder().decode(batch.body).trimEnd().split('\n');
    for (const line of lines) wanted.push(keyOf(JSON.parse(line) as Exported));
    await store.append([batch], SIGNAL);
    await store.seal();
  }
  const found = (await exported(store)).map(keyOf);
  assert.equal(found.length, 9_000);
  assert.deepEqual(found, wanted.toSorted());
});

/** Event ids have a fixed width, and so have times. */
function keyOf(document: Exported): string {
  return `${document['@timestamp']} ${document.event.id}`;
}

test('documents that are much larger than expected are exported in the memory there is', async () => {
  const store = await world.openStore('large');
  const count = 100;
  for (let first = 0; first < count; first += 20) {
    const records = Array.from({ length: 20 }, (_, index) => ({
      offset: first + index,
      message: `${first + index} ${'x'.repeat(1e6)}`,
    }));
    await store.append([testBatch(testFileId(1), records)], SIGNAL);
    await store.seal();
  }
  const messages = (await exported(store)).map(({ message }) => message.slice(0, message.indexOf(' ')));
  assert.deepEqual(
    messages,
    Array.from({ length: count }, (_, index) => String(index)),
  );
});
