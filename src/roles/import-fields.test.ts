import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gapDocument } from '../record/gap-document.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import { withFields } from './import-fields.ts';

const ID = `${'a'.repeat(20)}-${'0'.repeat(12)}`;

function batchOf(messages: readonly string[]): RecordBatch {
  const documents = messages.map((message) =>
    Buffer.from(
      `{"@timestamp":"2026-11-23T04:30:00.123456789Z","message":${JSON.stringify(message)},"stream":"file","log":{"offset":0,"file":{"path":"/x"}},"event":{"id":"${ID}"},"host":{"name":"h"}}\n`,
    ),
  );
  let end = 0;
  const ends = Uint32Array.from(documents.map((document) => (end += document.length)));
  return {
    fileId: 'a'.repeat(20),
    body: Buffer.concat(documents),
    count: messages.length,
    ends,
    offsets: Float64Array.from(messages.map((_, index) => index)),
    lanes: new Uint8Array(messages.length),
  };
}

void test('members are added to every document, whatever its message says', async () => {
  const sent: RecordBatch[] = [];
  const sink = {
    send: (batch: RecordBatch) => Promise.resolve(void sent.push(batch)),
    sendLedger: () => Promise.resolve(),
  };
  const messages = ['plain', `,"event":{"id":"${ID}"},`, 'ünïcode 🫕', ''];
  const fields = { 'kubernetes.namespace': 'shop', 'kubernetes.pod.name': 'cart-0', 'service.name': 'cart' };
  await withFields(sink, fields).send(batchOf(messages));
  const [batch] = sent;
  assert.ok(batch !== undefined);
  let start = 0;
  const documents = [...batch.ends].map((end) => {
    const text = Buffer.from(batch.body.subarray(start, end)).toString();
    start = end;
    return JSON.parse(text) as Record<string, unknown>;
  });
  assert.deepEqual(
    documents.map(({ message }) => message),
    messages,
  );
  for (const { kubernetes, service, host, event } of documents) {
    assert.deepEqual(kubernetes, { namespace: 'shop', pod: { name: 'cart-0' } });
    assert.deepEqual(service, { name: 'cart' });
    assert.deepEqual({ host, event }, { host: { name: 'h' }, event: { id: ID } });
  }
});

void test('members are added to the document of a gap, which says more of its event', async () => {
  const gap = { kind: 'gap', startOffset: 5, endOffset: 9, reason: 'it breaks off' } as const;
  const document = gapDocument(
    { fileId: 'a'.repeat(20), path: '/x', resource: { host: { name: 'h' } } },
    gap,
    5,
  );
  const body = Buffer.from(document);
  const sent: RecordBatch[] = [];
  const sink = {
    send: (batch: RecordBatch) => Promise.resolve(void sent.push(batch)),
    sendLedger: () => Promise.resolve(),
  };
  await withFields(sink, { 'kubernetes.namespace': 'shop' }).send({
    ...batchOf(['']),
    body,
    ends: Uint32Array.of(body.length),
  });
  const [batch] = sent;
  assert.ok(batch !== undefined);
  const got = JSON.parse(Buffer.from(batch.body).toString()) as Record<string, unknown>;
  const was = JSON.parse(document) as Record<string, unknown>;
  assert.deepEqual(got, { ...was, kubernetes: { namespace: 'shop' } });
});
