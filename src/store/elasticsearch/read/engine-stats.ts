import type { SortOrder, StoreStats } from '../../store.ts';
import type { LogIndices } from './engine-search.ts';
import { inRange, scanRange, sendSearch } from './engine-search.ts';
import { ALL } from './dsl.ts';

/** Namespaces that are listed; a cluster hardly has more. */
const NAMESPACES_MAX = 10_000;

const NAMESPACE = 'kubernetes.namespace';

/** Returns what there is of logs. The size on disk is 0 for a user who may not ask for it. */
export async function statsOfEngine(logs: LogIndices, signal: AbortSignal): Promise<StoreStats> {
  const sources = [{ namespace: { terms: { field: NAMESPACE, missing_bucket: true } } }];
  const body = {
    size: 0,
    track_total_hits: true,
    query: inRange(ALL, EVER),
    aggs: { namespaces: { composite: { size: NAMESPACES_MAX, sources } } },
  };
  const { total, aggregations } = await sendSearch(logs, JSON.stringify(body), signal);
  const { buckets = [] } = (aggregations['namespaces'] ?? {}) as Partial<NamespaceAnswer>;
  return {
    records: total,
    bytesOnDisk: await bytesOnDisk(logs, signal),
    oldestNs: await firstTime(logs, 'asc', signal),
    newestNs: await firstTime(logs, 'desc', signal),
    namespaces: buckets.map(({ key, doc_count: records }) => ({ namespace: key.namespace ?? '', records })),
    quarantined: [],
  };
}

interface NamespaceAnswer {
  readonly buckets: readonly {
    readonly key: { readonly namespace: string | null };
    readonly doc_count: number;
  }[];
}

/** All times that an engine holds. */
const EVER = { startNs: 0n, endNs: 1n << 63n };

async function firstTime(
  logs: LogIndices,
  order: SortOrder,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const scan = scanRange({
    dsl: ALL,
    range: EVER,
    order,
    after: undefined,
    wanted: 1,
    matches: undefined,
    send: (body) => sendSearch(logs, body, signal),
  });
  for await (const [hit] of scan) return hit?.key.timeNs;
  return undefined;
}

async function bytesOnDisk({ client, indices }: LogIndices, signal: AbortSignal): Promise<number> {
  const answer = await client.request({
    method: 'GET',
    path: `/${indices}/_stats/store`,
    query: { filter_path: '_all.total.store.size_in_bytes' },
    signal,
    purpose: 'ask for the size of the logs',
    accepts: [403, 404],
  });
  if (answer.status !== 200) return 0;
  const { _all: all } = answer.json() as { _all?: { total?: { store?: { size_in_bytes?: number } } } };
  return all?.total?.store?.size_in_bytes ?? 0;
}
