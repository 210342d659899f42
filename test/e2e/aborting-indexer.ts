/**
 * An indexer whose store ends the process, as a broken native engine would, when it is given a document with `poison`.
 * Its transport has the same records at every start. Prints what it has stored and given up when it gets that far.
 */
import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import { createCrashNotes } from '../../src/indexer/crash-notes.ts';
import { createIndexer } from '../../src/indexer/indexer.ts';
import { batchOf } from '../../src/indexer/testing/batches.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { AppendResult } from '../../src/store/store.ts';
import { MemoryTelemetry } from '../../src/telemetry/memory-telemetry.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';

class AbortingStore extends MemoryStore {
  override append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    if (batches.some(({ body }) => Buffer.from(body).includes('poison'))) process.abort();
    return super.append(batches, signal);
  }
}

const [, , directory = ''] = process.argv;
const store = new AbortingStore();
const transport = new MemoryTransport({ bufferBytesMax: 2 ** 20 });
const indexer = createIndexer({
  pipelines: [],
  batchBytesMax: 2 ** 20,
  transport,
  store,
  scheduler: nodeScheduler,
  telemetry: new MemoryTelemetry(),
  crashNotes: createCrashNotes(nodeFileSystem, directory),
});
const running = indexer.run();
const lines = Array.from({ length: 50 }, (_, index) => (index === 33 ? 'poison' : `line ${index}`));
await Promise.all([
  transport.producer.send(batchOf('a', 0, lines)),
  transport.producer.send(batchOf('b', 0, ['another file'])),
]);
await indexer.stop();
await running;
const signal = new AbortController().signal;
const letters = await Array.fromAsync(transport.deadLetters.read(signal));
const { records } = await store.stats(signal);
process.stdout.write(
  JSON.stringify({ records, letters: letters.map(({ offset, error }) => ({ offset, type: error.type })) }),
);
process.exit();
