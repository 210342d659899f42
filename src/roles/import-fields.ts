import { assert } from '../base/assert.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import type { Producer } from '../transport/transport.ts';

/** Behind it stand the resource members of a document; inside a string its quotes would be escaped. */
const EVENT = Buffer.from(',"event":{"id":"');
/** File id, `-`, and offset. */
const EVENT_ID_BYTES = 20 + 1 + 12;
/** What no other member of `event` holds: that of a record has none, that of a gap its kind. */
const EVENT_END = Buffer.from('},');

/** Returns a producer that adds members, given by dotted name, to the documents of files whose paths name nothing. */
export function withFields(producer: Producer, fields: Readonly<Record<string, string>>): Producer {
  if (Object.keys(fields).length === 0) return producer;
  const members = Buffer.from(`${JSON.stringify(nest(fields)).slice(1, -1)},`);
  return {
    send: (batch) => producer.send(insertMembers(batch, members)),
    sendLedger: (records) =>
      producer.sendLedger(
        records.map((record) => ({
          ...record,
          namespace: fields['kubernetes.namespace'] ?? record.namespace,
          pod: fields['kubernetes.pod.name'] ?? record.pod,
          container: fields['kubernetes.container.name'] ?? record.container,
        })),
      ),
  };
}

function insertMembers(batch: RecordBatch, members: Uint8Array): RecordBatch {
  const { count } = batch;
  const from = Buffer.from(batch.body.buffer, batch.body.byteOffset, batch.body.byteLength);
  const body = new Uint8Array(from.length + count * members.length);
  const ends = new Uint32Array(count);
  let start = 0;
  let written = 0;
  for (let index = 0; index < count; index += 1) {
    const end = batch.ends[index] ?? start;
    const event = from.indexOf(EVENT, start);
    assert(event >= start && event < end, 'a document of the agent has its fixed layout');
    const eventEnd = from.indexOf(EVENT_END, event + EVENT.length + EVENT_ID_BYTES);
    assert(eventEnd >= event && eventEnd < end, 'members follow the event of a document');
    const place = eventEnd + EVENT_END.length;
    for (const part of [from.subarray(start, place), members, from.subarray(place, end)]) {
      body.set(part, written);
      written += part.length;
    }
    ends[index] = written;
    start = end;
  }
  return { ...batch, body, ends };
}

function nest(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(fields)) {
    const names = path.split('.');
    const last = names.pop() ?? path;
    let object = root;
    for (const name of names) object = (object[name] ??= {}) as Record<string, unknown>;
    object[last] = value;
  }
  return root;
}
