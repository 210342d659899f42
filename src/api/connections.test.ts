import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { createApiServer } from './server.ts';
import { TailHub } from './tail-hub.ts';
import { createTestApi, documentAt, eventId, FILE_ID, testOptions } from './test-api.ts';

test('a live tail gives what matches and is stored from then on', async () => {
  const store = new MemoryStore();
  const tail = new TailHub();
  const options = testOptions(store, tail, new MemoryTelemetry(), new VirtualScheduler());
  const server = createApiServer(options);
  const address = await server.start();
  const response = await fetch(`${address}/api/v1/tail?query=keep`);
  assert.match(response.headers.get('content-type') ?? '', /text\/event-stream/);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader?.read())?.value ?? '';
  const api = await createTestApi(store, { ...options });
  await api.put([documentAt(0, 5), documentAt(10, 4, { message: 'keep this' })]);
  while (!text.includes('data: ')) text += (await reader?.read())?.value ?? '';
  const data = /data: (.*)\n\n/.exec(text)?.[1] ?? '';
  assert.equal((JSON.parse(data) as { event: { id: string } }).event.id, eventId(FILE_ID, 10));
  await server.stop();
});

test('a client that goes away is forgotten, and a HEAD request never becomes one', async () => {
  const tail = new TailHub();
  const server = createApiServer(
    testOptions(new MemoryStore(), tail, new MemoryTelemetry(), new VirtualScheduler()),
  );
  const address = await server.start();
  const client = new AbortController();
  const response = await fetch(`${address}/api/v1/tail`, { signal: client.signal });
  assert.equal(tail.clientCount, 1);
  client.abort();
  await assert.rejects(response.text());
  while (tail.clientCount > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await fetch(`${address}/api/v1/tail`, { method: 'HEAD' })).status, 404);
  assert.equal((await fetch(`${address}/healthz`, { method: 'HEAD' })).status, 200);
  assert.equal(tail.clientCount, 0);
  await server.stop();
});

test('a server that stops ends the tails of its clients', async () => {
  const tail = new TailHub();
  const server = createApiServer(
    testOptions(new MemoryStore(), tail, new MemoryTelemetry(), new VirtualScheduler()),
  );
  const running = server.run();
  const response = await fetch(`${await server.start()}/api/v1/tail`);
  const ended = response.text().catch(() => 'cut off');
  await server.stop();
  await running;
  await ended;
  assert.equal(tail.clientCount, 0);
});

test('a search whose client goes away is stopped in the store', async () => {
  const store = new MemoryStore();
  const telemetry = new MemoryTelemetry();
  const aborted = Promise.withResolvers<undefined>();
  const asked = Promise.withResolvers<undefined>();
  store.search = (_request, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new DOMException('stopped', 'AbortError'));
        aborted.resolve(undefined);
      });
      asked.resolve(undefined);
    });
  const server = createApiServer(testOptions(store, new TailHub(), telemetry, new VirtualScheduler()));
  const client = new AbortController();
  const response = fetch(`${await server.start()}/api/v1/search`, { signal: client.signal });
  await asked.promise;
  client.abort();
  await assert.rejects(response);
  await aborted.promise;
  await server.stop();
  assert.deepEqual(telemetry.linesOf('request_failed'), []);
});
