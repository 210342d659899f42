import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { WorkerReply, WorkerRequest } from './duckdb-protocol.ts';
import { WorkerClient } from './worker-client.ts';

/** Hands requests to the test, which answers them. */
class FakeWorker extends EventEmitter {
  readonly requests: WorkerRequest[] = [];

  postMessage(request: WorkerRequest): void {
    this.requests.push(request);
  }

  ref(): void {}

  unref(): void {}

  answer(reply: WorkerReply): void {
    this.emit('message', reply);
  }

  succeed(index: number, rows: readonly (readonly unknown[])[] = []): void {
    this.answer({ id: this.requests[index]?.id ?? -1, rows });
  }

  failFor(index: number, error: string): void {
    this.answer({ id: this.requests[index]?.id ?? -1, error });
  }
}

const OUT_OF_MEMORY = 'Out of Memory Error: failed to allocate data of size 32.0 MiB';

async function settle(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

function start(): { worker: FakeWorker; client: WorkerClient } {
  const worker = new FakeWorker();
  return { worker, client: new WorkerClient(worker as unknown as Worker) };
}

test('what found no memory beside others is tried again when they have ended', async () => {
  const { worker, client } = start();
  const small = client.run(['small']);
  const large = client.run(['large']);
  await settle();
  assert.equal(worker.requests.length, 2);
  worker.failFor(1, OUT_OF_MEMORY);
  await settle();
  const later = client.run(['later']);
  await settle();
  assert.equal(worker.requests.length, 2, 'neither begins while the small one runs');
  worker.succeed(0);
  await small;
  await settle();
  assert.deepEqual(
    worker.requests.slice(2).map((request) => 'statements' in request && request.statements),
    [['large']],
  );
  worker.succeed(2, [[1]]);
  assert.deepEqual(await large, [[1]]);
  await settle();
  worker.succeed(3);
  await later;
});

test('what finds no memory alone either is given up with the option that gives more', async () => {
  const { worker, client } = start();
  const large = client.run(['large']);
  await settle();
  worker.failFor(0, OUT_OF_MEMORY);
  await settle();
  worker.failFor(1, OUT_OF_MEMORY);
  await assert.rejects(large, { code: 'too_busy', hint: /store\.memoryBytesMax/ });
  assert.equal(worker.requests.length, 2);
});
