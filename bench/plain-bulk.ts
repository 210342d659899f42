/** Plain writing to an engine, which the store and the indexer are measured against: requests made ready beforehand. */
import { Pool } from 'undici';
import { eventIdOf } from '../src/record/identity.ts';
import type { DocumentBatch } from '../src/record/record-batch.ts';

/** As many requests at once as an engine on two cores takes. */
const IN_FLIGHT = 4;

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Returns bodies of `_bulk` requests with the documents as they are, in one index, of about `bytesMax` each. */
export function bodiesOf(documents: readonly DocumentBatch[], index: string, bytesMax: number): Buffer[] {
  const bodies: Buffer[] = [];
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): void => {
    if (length > 0) bodies.push(Buffer.concat(parts));
    parts = [];
    length = 0;
  };
  for (const { fileId, body, ends, offsets, count } of documents) {
    for (let at = 0; at < count; at++) {
      const id = eventIdOf(fileId, offsets[at] ?? 0);
      const action = Buffer.from(`{"create":{"_index":"${index}","_id":"${id}"}}\n`);
      const document = Buffer.from(body.subarray(ends[at - 1] ?? 0, ends[at]));
      parts.push(action, document);
      length += action.length + document.length;
      if (length >= bytesMax) take();
    }
  }
  take();
  return bodies;
}

/** Sends the bodies, several at once; throws when the engine refuses any document. */
export async function sendBodies(url: string, bodies: readonly Uint8Array[]): Promise<void> {
  const pool = new Pool(url, { connections: IN_FLIGHT });
  const waiting = [...bodies];
  const work = async (): Promise<void> => {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
      const answer = await pool.request({
        method: 'POST',
        path: '/_bulk?filter_path=errors,items.*.error',
        headers: { 'content-type': 'application/x-ndjson' },
        body,
      });
      const text = await answer.body.text();
      if (!text.startsWith('{"errors":false')) throw new Error(`OpenSearch refuses: ${text.slice(0, 500)}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  await pool.close();
}

/**
 * Creates an index that the store's template fits, and with it the closed mapping. `fields` are unknown to that; with
 * `hasFields` they are mapped as one `flat_object`, which a plain setup needs to find them at all.
 */
export async function createPlainIndex(url: string, index: string, hasFields: boolean): Promise<void> {
  const mappings = { properties: { fields: { type: 'flat_object' } } };
  const body = JSON.stringify(hasFields ? { mappings } : {});
  const answer = await fetch(`${url}/${index}`, { method: 'PUT', headers: JSON_HEADERS, body });
  if (!answer.ok) throw new Error(`OpenSearch creates no index: ${await answer.text()}`);
}

/** Deletes the indices of a turn, so that the next one finds the engine as this one did. */
export async function deleteIndices(url: string, pattern: string): Promise<void> {
  const found = await fetch(`${url}/_cat/indices/${pattern}?h=index`);
  const names = (await found.text()).split('\n').filter((name) => name !== '');
  for (const name of names) await fetch(`${url}/${name}`, { method: 'DELETE' });
}
