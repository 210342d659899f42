import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from './sse.ts';
import type { ServerSentEvent } from './sse.ts';

async function read(chunks: readonly string[]): Promise<ServerSentEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  return Array.fromAsync(readEvents(new Response(body)));
}

void test('events are read however they are cut into chunks', async () => {
  const text =
    ': hello\n\nid: 1\ndata: {"a":"ü"}\n\nevent: skipped\ndata: {"skipped":3}\n\ndata: one\r\ndata: two\r\n\r\n';
  const expected = [
    { event: 'message', data: '{"a":"ü"}' },
    { event: 'skipped', data: '{"skipped":3}' },
    { event: 'message', data: 'one\ntwo' },
  ];
  assert.deepEqual(await read([text]), expected);
  assert.deepEqual(await read(text.match(/[^]{1,3}/g) ?? []), expected);
});

void test('an event without its end is none', async () => {
  assert.deepEqual(await read(['data: half']), []);
});
