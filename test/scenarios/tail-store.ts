import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { TailHub } from '../../src/api/tail-hub.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import type { Query } from '../../src/query/ast.ts';

const EVERYTHING: Query = { kind: 'all' };

/**
 * Answers queries with what somebody who follows them live would be shown: every batch is published to a follower of
 * the query, and a store in memory sorts and counts what he gets.
 */
export function createTailStore(): Store {
  const all = new MemoryStore();
  const published: DocumentBatch[] = [];
  const followed = async (query: Query, signal: AbortSignal): Promise<Store> => {
    const shown = new MemoryStore();
    for (const batch of published) await shown.append([onlyShown(batch, query)], signal);
    return shown;
  };
  return {
    append(batches, signal) {
      published.push(...batches);
      return all.append(batches, signal);
    },
    appendLedger: (records, signal) => all.appendLedger(records, signal),
    async search(request, signal) {
      const shown = await followed(request.query, signal);
      return shown.search({ ...request, query: EVERYTHING }, signal);
    },
    async *export(request, signal) {
      const shown = await followed(request.query, signal);
      yield* shown.export({ ...request, query: EVERYTHING }, signal);
    },
    async histogram(request, signal) {
      const shown = await followed(request.query, signal);
      return shown.histogram({ ...request, query: EVERYTHING }, signal);
    },
    stats: (signal) => all.stats(signal),
    audit: (signal) => all.audit(signal),
    agents: (signal) => all.agents(signal),
    problem: () => undefined,
    close: () => all.close(),
  };
}

/** Returns the batch without the documents that a follower of the query is not shown. */
function onlyShown(batch: DocumentBatch, query: Query): DocumentBatch {
  const hub = new TailHub();
  const subscription = hub.subscribe(query, () => undefined);
  hub.publish([batch]);
  const shown = new Set(subscription?.take(Number.MAX_SAFE_INTEGER));
  const body = new TextDecoder().decode(batch.body).split('\n').slice(0, -1);
  const kept = body.map((_, index) => index).filter((index) => shown.has(body[index] ?? ''));
  const lines = kept.map((index) => new TextEncoder().encode(`${body[index]}\n`));
  let end = 0;
  return {
    ...batch,
    body: Buffer.concat(lines),
    count: kept.length,
    ends: Uint32Array.from(lines, (line) => (end += line.length)),
    offsets: Float64Array.from(kept, (index) => batch.offsets[index] ?? 0),
    lanes: Uint8Array.from(kept, (index) => batch.lanes[index] ?? 0),
  };
}
