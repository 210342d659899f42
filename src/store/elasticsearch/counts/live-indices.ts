/** Which indices the engine has, told apart by their uuids. */
import type { EngineClient } from '../engine/engine-client.ts';

export interface LiveIndex {
  readonly uuid: string;
  readonly index: string;
  readonly createdMs: number;
}

interface Asked {
  readonly client: EngineClient;
  /** A comma-separated list of names and patterns, as in a path. */
  readonly indices: string;
}

/** Returns the indices by uuid, closed and hidden ones included; undefined for a user who may not ask. */
export async function liveIndices(
  { client, indices }: Asked,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LiveIndex> | undefined> {
  const answer = await client.request({
    method: 'GET',
    path: `/${indices}/_settings`,
    query: {
      expand_wildcards: 'all',
      allow_no_indices: true,
      ignore_unavailable: true,
      filter_path: '*.settings.index.uuid,*.settings.index.creation_date',
    },
    signal,
    purpose: 'ask which indices there are',
    accepts: [403],
  });
  if (answer.status === 403) return undefined;
  const found = new Map<string, LiveIndex>();
  for (const [index, { settings }] of Object.entries(answer.json() as SettingsAnswer)) {
    const { uuid, creation_date: created } = settings.index;
    found.set(uuid, { uuid, index, createdMs: Number(created) });
  }
  return found;
}

type SettingsAnswer = Readonly<
  Record<
    string,
    { readonly settings: { readonly index: { readonly uuid: string; readonly creation_date: string } } }
  >
>;

/** Returns by uuid what changes with every document that is written or deleted, of the indices that are open. */
export async function stampsOf(
  { client, indices }: Asked,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const answer = (await client.json({
    method: 'GET',
    path: `/${indices}/_stats/docs`,
    query: { expand_wildcards: 'all', filter_path: 'indices.*.uuid,indices.*.primaries.docs' },
    signal,
    purpose: 'ask how many documents there are',
  })) as StatsAnswer;
  return new Map(
    Object.values(answer.indices ?? {}).map(({ uuid, primaries }) => [
      uuid,
      `${primaries?.docs?.count ?? 0}:${primaries?.docs?.deleted ?? 0}`,
    ]),
  );
}

interface StatsAnswer {
  readonly indices?: Readonly<
    Record<
      string,
      {
        readonly uuid: string;
        readonly primaries?: { readonly docs?: { readonly count: number; readonly deleted: number } };
      }
    >
  >;
}
