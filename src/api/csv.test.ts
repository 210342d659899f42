import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCsv } from './csv.ts';

async function rowsOf(documents: readonly string[]): Promise<string[]> {
  async function* blocks(): AsyncGenerator<Uint8Array> {
    const bytes = new TextEncoder().encode(documents.map((document) => `${document}\n`).join(''));
    // A block may end anywhere, also within a character.
    for (let at = 0; at < bytes.length; at += 7) yield await Promise.resolve(bytes.subarray(at, at + 7));
  }
  let text = '';
  for await (const block of toCsv(blocks())) text += new TextDecoder().decode(block);
  return text.split('\r\n').slice(1, -1);
}

test('cells have the digits and the text of the document, quoted where they must be', async () => {
  const document =
    '{"@timestamp":"2026-11-23T04:30:00.000000001Z","message":"ä, \\"b\\"","stream":"stdout","log":{"offset":9007199254740993,"level":"warn","file":{"path":"/x"}},"fields":{"id":12345678901234567890,"f":1.5},"kubernetes":{"namespace":"shop","pod":{"name":"p-1"}}}';
  assert.deepEqual(await rowsOf([document]), [
    '2026-11-23T04:30:00.000000001Z,warn,shop,p-1,,,stdout,"ä, ""b""","{""id"":12345678901234567890,""f"":1.5}",/x,9007199254740993,',
  ]);
});

test('members with dots in their names are found like nested ones', async () => {
  const rows = await rowsOf([
    '{"log.level":"info","kubernetes":{"pod.name":"p-2","container":[]},"message":"=1+1"}',
    '{"kubernetes":"none","kubernetes.pod":{"name":"p-3"}}',
  ]);
  assert.deepEqual(rows, [",info,,p-2,,,,'=1+1,,,,", ',,,p-3,,,,,,,,']);
});
