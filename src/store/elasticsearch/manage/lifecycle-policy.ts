/**
 * Policies for the engines' lifecycle managements, after the API references of index lifecycle management (ILM) and of
 * index state management (ISM). Ages count from the creation of an index, which is when its first document arrived:
 * nothing old vanishes on arrival. No phase makes an index read-only, because late events still go to it.
 */
import type { ElasticsearchConfig } from '../../../config/config.ts';

type Json = Readonly<Record<string, unknown>>;

export type PolicyConfig = Pick<ElasticsearchConfig, 'isDataStream' | 'lifecycle'>;

/** Returns the policy's configuration for indices of what pipelines dropped; undefined when they stay for ever. */
export function droppedPolicyConfig({ lifecycle }: PolicyConfig): PolicyConfig | undefined {
  if (lifecycle.deleteAgeMs === undefined) return undefined;
  return { isDataStream: false, lifecycle: { ...lifecycle, warmAgeMs: undefined } };
}

/** Returns the body of `PUT _ilm/policy/<name>`, without `_meta`. */
export function ilmPolicy({ isDataStream, lifecycle }: PolicyConfig): Json {
  const { rolloverBytes, rolloverAgeMs, warmAgeMs, deleteAgeMs } = lifecycle;
  const rollover = { max_primary_shard_size: `${rolloverBytes}b`, max_age: duration(rolloverAgeMs) };
  return {
    phases: {
      // Daily indices are what rollover makes of a data stream: only the latter is rolled over.
      hot: { min_age: '0ms', actions: isDataStream ? { rollover } : {} },
      ...(warmAgeMs === undefined
        ? {}
        : { warm: { min_age: duration(warmAgeMs), actions: { forcemerge: { max_num_segments: 1 } } } }),
      ...(deleteAgeMs === undefined
        ? {}
        : { delete: { min_age: duration(deleteAgeMs), actions: { delete: {} } } }),
    },
  };
}

/**
 * Returns the `policy` of `PUT _plugins/_ism/policies/<name>` without its description; its template attaches it to new
 * indices of the pattern.
 */
export function ismPolicy({ isDataStream, lifecycle }: PolicyConfig, pattern: string): Json {
  const { rolloverBytes, rolloverAgeMs, warmAgeMs, deleteAgeMs } = lifecycle;
  const rollover = { min_primary_shard_size: `${rolloverBytes}b`, min_index_age: duration(rolloverAgeMs) };
  const toDelete = deleteAgeMs === undefined ? [] : [transition('delete', deleteAgeMs)];
  const hot = {
    name: 'hot',
    actions: isDataStream ? [{ rollover }] : [],
    transitions: warmAgeMs === undefined ? toDelete : [transition('warm', warmAgeMs)],
  };
  const warm = { name: 'warm', actions: [{ force_merge: { max_num_segments: 1 } }], transitions: toDelete };
  const last = { name: 'delete', actions: [{ delete: {} }], transitions: [] };
  return {
    default_state: 'hot',
    states: [hot, ...(warmAgeMs === undefined ? [] : [warm]), ...(deleteAgeMs === undefined ? [] : [last])],
    ism_template: [{ index_patterns: [pattern], priority: ISM_PRIORITY }],
  };
}

const ISM_PRIORITY = 200;

const DESCRIPTION = 'Indices of Logboom. ';

/** Policies have no `_meta`: it stands at the end of the description. */
export function writeIsmPolicy(wanted: Json, meta: object): Json {
  return { policy: { ...wanted, description: `${DESCRIPTION}${JSON.stringify(meta)}` } };
}

/** Returns a policy from the answer to reading it, without what the engine adds, and with its `_meta`. */
export function readIsmPolicy(answer: Json): Json | undefined {
  const policy = answer['policy'] as Json | undefined;
  if (policy === undefined) return undefined;
  const { default_state, states, ism_template, description } = policy;
  const templates = (ism_template as readonly Json[] | undefined)?.map(({ index_patterns, priority }) => ({
    index_patterns,
    priority,
  }));
  const text = typeof description === 'string' ? description : '';
  return { default_state, states, ism_template: templates, _meta: metaAtEnd(text) };
}

function metaAtEnd(description: string): unknown {
  if (!description.startsWith(DESCRIPTION)) return undefined;
  try {
    return JSON.parse(description.slice(DESCRIPTION.length));
  } catch {
    return undefined;
  }
}

function transition(state: string, ageMs: number): Json {
  return { state_name: state, conditions: { min_index_age: duration(ageMs) } };
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** Engines take whole numbers of one unit. */
function duration(ms: number): string {
  for (const [unit, unitMs] of UNITS) if (ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  return `${ms}ms`;
}
