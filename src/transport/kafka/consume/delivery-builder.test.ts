/** Whose record a record of a topic is: what others write must not count as a record of an agent's file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordsBatch } from '@platformatic/kafka';
import { FreeBuffers } from '../../../base/free-buffers.ts';
import { eventIdOf } from '../../../record/identity.ts';
import { readFrames, RecordReader } from '../records/record-decoder.ts';
import { SCHEMA_HEADER } from '../records/record-encoder.ts';
import { DeliveryBuilder } from './delivery-builder.ts';

const FILE = '0123456789abcdef0123';
const OF_THE_PLACE = 'f'.repeat(20);
const ID = eventIdOf(FILE, 77);
const IN_LAYOUT = `{"@timestamp":"2026-11-23T04:30:00.123456789Z","message":"m","stream":"stderr","log":{"offset":77,"file":{"path":"/x"}},"event":{"id":"${ID}"},"host":{"name":"h"}}`;
const WRITTEN_ANEW = `{"event":{"id":"${ID}"},"message":"m","stream":"stderr","log":{"offset":77}}`;

interface Sent {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly value: string;
}

/** Returns the file id under which a record is delivered, and its document. */
function deliver({ key, headers = {}, value }: Sent): readonly [string, Record<string, unknown>] {
  const record = {
    topic: 'logs',
    partition: 0,
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    value: Buffer.from(value),
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
  };
  const builder = new DeliveryBuilder({
    kind: 'log',
    partition: 0,
    source: { topic: 'logs', partition: 0 },
    foreignFileIdOf: () => OF_THE_PLACE,
    buffers: new FreeBuffers(0),
    onBrokenLedger: () => assert.fail('this is no ledger'),
  });
  for (const frame of readFrames(Buffer.from(createRecordsBatch([record], {}).buffer))) {
    const reader = new RecordReader(frame);
    while (reader.next()) builder.add(reader.cursor);
  }
  const [delivery, ...others] = builder.finish(0, 1);
  assert.ok(delivery?.kind === 'log' && others.length === 0);
  const document = JSON.parse(Buffer.from(delivery.batch.body).toString()) as Record<string, unknown>;
  return [delivery.batch.fileId, document];
}

const OWN = { [SCHEMA_HEADER]: '1' };

void test('an id is believed of a record with the key and the header of an agent, whoever has passed it on', () => {
  for (const value of [IN_LAYOUT, WRITTEN_ANEW]) {
    for (const headers of [OWN, { 'added-by': 'a mirror', ...OWN }]) {
      const [fileId, document] = deliver({ key: FILE, headers, value });
      assert.deepEqual([fileId, document['event']], [FILE, { id: ID }], value);
    }
  }
});

void test('a copy of a record that somebody else wrote is a document of its own, with the id moved aside (G4)', () => {
  const strangers: readonly Omit<Sent, 'value'>[] = [
    {},
    { key: FILE },
    { headers: OWN },
    { key: 'a'.repeat(20), headers: OWN },
    { key: `${FILE}0`, headers: OWN },
    { key: FILE, headers: { [SCHEMA_HEADER]: 'one' } },
    { key: FILE, headers: { other: '1' } },
  ];
  for (const stranger of strangers) {
    for (const value of [IN_LAYOUT, WRITTEN_ANEW]) {
      const [fileId, document] = deliver({ ...stranger, value });
      assert.deepEqual(
        [fileId, document['event']],
        [OF_THE_PLACE, { original_id: ID }],
        JSON.stringify(stranger),
      );
      assert.equal(typeof document['@timestamp'], 'string');
    }
  }
});
