/**
 * What is not as it should be about the indices themselves, for `logboom doctor`: a person, or another program's template,
 * came between Logboom and what its templates ask for. Nothing is changed.
 */
import { AppError } from '../../../base/errors.ts';
import type { ElasticsearchConfig } from '../../../config/config.ts';
import type { Capabilities } from '../engine/capabilities.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import {
  IndexRouter,
  countsIndex,
  droppedPattern,
  indexPattern,
  ledgerIndex,
  objectPrefix,
} from '../write/index-router.ts';
import type { EngineFinding } from './engine-finding.ts';
import { PRIVATE_MEMBER } from './field-table.ts';
import { TEMPLATE_PRIORITY } from './index-templates.ts';

type Json = Readonly<Record<string, unknown>>;

/** Names that a finding tells; the others are counted. */
const NAMES_SHOWN_MAX = 3;

/** Any day will do: the template of an index is found by its name alone. */
const SOME_DAY = '2100-01-01T00:00:00Z';

export interface Inspection {
  readonly client: EngineClient;
  readonly config: ElasticsearchConfig;
  readonly engine: Capabilities;
  readonly signal: AbortSignal;
}

/** Looks at one thing; undefined where all is well. */
type Check = (inspection: Inspection) => Promise<readonly (EngineFinding | undefined)[]>;

const CHECKS: readonly Check[] = [
  async (inspection) => {
    const indices = await readIndices(inspection);
    return [mappingFinding(indices), aliasFinding(inspection, indices)];
  },
  async (inspection) => [await templateFinding(inspection)],
  async (inspection) => [await nameFinding(inspection)],
  async (inspection) => [await streamFinding(inspection)],
];

/** Returns what a person has to decide about. Throws an `AppError` when the engine cannot be asked. */
export async function inspectIndices(inspection: Inspection): Promise<EngineFinding[]> {
  const findings: EngineFinding[] = [];
  const forbidden: string[] = [];
  for (const check of CHECKS) {
    try {
      findings.push(...(await check(inspection)).filter((finding) => finding !== undefined));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'permission_denied') throw error;
      forbidden.push(error.message.replace('cannot ', ''));
    }
  }
  if (forbidden.length === 0) return findings;
  return [
    ...findings,
    {
      object: 'option store.auth',
      problem: `this user may not ${forbidden.join(', and not ')}: nothing can be said of that`,
      remedy: 'Grant it what docs/formats/elasticsearch.md lists for the doctor under “Privileges”.',
    },
  ];
}

interface FoundIndex {
  readonly name: string;
  readonly isOfLogs: boolean;
  readonly aliases: readonly string[];
  readonly hasMapping: boolean;
}

async function readIndices({ client, config, signal }: Inspection): Promise<FoundIndex[]> {
  const { index } = config;
  const own = [ledgerIndex(index), countsIndex(index)];
  const patterns = [indexPattern(index), droppedPattern(index), ...own];
  const path = `/${patterns.map(encodeURIComponent).join(',')}`;
  const query = { ignore_unavailable: true };
  const purpose = 'look at the indices';
  const file = `properties.${PRIVATE_MEMBER}.properties.file.type`;
  const members = ['dynamic', file, 'properties.file.type'].map((member) => `*.mappings.${member}`);
  const [aliased, mapped] = await Promise.all([
    client.request({ method: 'GET', path: `${path}/_alias`, query, signal, purpose, accepts: [404] }),
    client.request({
      method: 'GET',
      path: `${path}/_mapping`,
      query: { ...query, filter_path: members.join(',') },
      signal,
      purpose,
      accepts: [404],
    }),
  ]);
  if (aliased.status === 404) return [];
  const mappings = mapped.status === 404 ? {} : (mapped.json() as Readonly<Record<string, MappedIndex>>);
  const logs = indexPattern(index).slice(0, -1);
  return Object.entries(aliased.json() as Readonly<Record<string, { aliases?: Json }>>).map(
    ([name, { aliases = {} }]) => {
      const isOwn = own.includes(name);
      const mapping = (mappings[name] ?? backingOf(name, mappings))?.mappings;
      const properties = mapping?.properties ?? {};
      const { type } = (isOwn ? properties.file : properties[PRIVATE_MEMBER]?.properties?.file) ?? {};
      return {
        name,
        isOfLogs: name.startsWith(logs),
        aliases: Object.keys(aliases),
        hasMapping: mapping?.dynamic === 'false' && type === 'keyword',
      };
    },
  );
}

/** Elasticsearch names a data stream that has an alias of its own in place of the indices behind it. */
function backingOf(stream: string, mappings: Readonly<Record<string, MappedIndex>>): MappedIndex | undefined {
  return Object.entries(mappings).find(([name]) => name.startsWith(`.ds-${stream}-`))?.[1];
}

interface MappedIndex {
  readonly mappings?: {
    readonly dynamic?: unknown;
    readonly properties?: {
      readonly file?: { readonly type?: string };
      readonly [PRIVATE_MEMBER]?: { readonly properties?: { readonly file?: { readonly type?: string } } };
    };
  };
}

/** Indices that were made while the templates were away, or by the template of somebody else. */
function mappingFinding(indices: readonly FoundIndex[]): EngineFinding | undefined {
  const names = indices.filter(({ hasMapping }) => !hasMapping).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    object: named('index', names),
    problem: "made without Logboom's mapping: searches and audits do not find what stands there",
    remedy:
      'With the templates in place, copy it to another name (POST /_reindex), delete it, start an indexer, and copy it back.',
  };
}

function aliasFinding({ config }: Inspection, indices: readonly FoundIndex[]): EngineFinding | undefined {
  if (config.isDataStream) return undefined;
  const alias = objectPrefix(config.index);
  const without = indices.filter(({ isOfLogs, aliases }) => isOfLogs && !aliases.includes(alias));
  if (without.length === 0) return undefined;
  const add = { actions: [{ add: { index: indexPattern(config.index), alias } }] };
  return {
    object: `alias ${alias}`,
    problem: `it does not stand for the ${named(
      'index',
      without.map(({ name }) => name),
    )}; Logboom's own searches do without it, those of others do not`,
    remedy: `Add them: POST /_aliases ${JSON.stringify(add)}.`,
  };
}

/** Another template that new indices would be made from. */
async function templateFinding({ client, config, signal }: Inspection): Promise<EngineFinding | undefined> {
  const own = objectPrefix(config.index);
  const name = new IndexRouter(config).nameOf(SOME_DAY, undefined);
  const purpose = 'ask which template new indices get';
  const simulated = await client.request({
    method: 'POST',
    path: `/_index_template/_simulate_index/${encodeURIComponent(name)}`,
    signal,
    purpose,
    accepts: [400, 404],
  });
  if (simulated.status >= 400) return undefined;
  const { template, overlapping = [] } = simulated.json() as Simulated;
  const properties = template?.mappings?.properties ?? {};
  const isCovered = overlapping.some((other) => other.name === own);
  if (!isCovered || Object.hasOwn(properties, PRIVATE_MEMBER)) return undefined;
  const all = await client.request({
    method: 'GET',
    path: '/_index_template',
    query: { filter_path: 'index_templates.name,index_templates.index_template.priority' },
    signal,
    purpose,
  });
  const { index_templates: templates = [] } = all.json() as Templates;
  const stronger = templates
    .filter(({ index_template: { priority = 0 } }) => priority >= TEMPLATE_PRIORITY)
    .map((other) => other.name)
    .filter((other) => other !== own);
  return {
    object: `index template ${own}`,
    problem: `new indices are made from another one with a higher priority (one of: ${stronger.join(', ')}), without Logboom's mapping`,
    remedy: `Compose that one of ${own}-mappings, give it a priority below ${TEMPLATE_PRIORITY} or other patterns, or choose another beginning of names in store.index.`,
  };
}

interface Simulated {
  readonly template?: { readonly mappings?: { readonly properties?: Json } };
  readonly overlapping?: readonly { readonly name: string }[];
}

interface Templates {
  readonly index_templates?: readonly {
    readonly name: string;
    readonly index_template: { readonly priority?: number };
  }[];
}

/** An index that is called what the alias is to be called: the engine makes no further index. */
async function nameFinding({ client, config, signal }: Inspection): Promise<EngineFinding | undefined> {
  const name = objectPrefix(config.index);
  if (config.isDataStream) return undefined;
  const answer = await client.request({
    method: 'GET',
    path: `/${encodeURIComponent(name)}/_alias`,
    signal,
    purpose: 'look for an index with the name of the alias',
    accepts: [404],
  });
  if (answer.status === 404 || !Object.hasOwn(answer.json() as Json, name)) return undefined;
  return {
    object: `index ${name}`,
    problem: 'it has the name of the alias that Logboom gives its indices: the engine makes none of them',
    remedy: `Delete it (DELETE /${name}), or choose another beginning of names in store.index.`,
  };
}

/** Data streams of before: while one is there, its template has to stay one of data streams. */
async function streamFinding(inspection: Inspection): Promise<EngineFinding | undefined> {
  const { client, config, engine, signal } = inspection;
  if (config.isDataStream || !engine.hasDataStreams) return undefined;
  const answer = await client.request({
    method: 'GET',
    path: `/_data_stream/${encodeURIComponent(indexPattern(config.index))}`,
    signal,
    purpose: 'look for data streams',
    accepts: [400, 404],
  });
  if (answer.status >= 400) return undefined;
  const { data_streams: streams = [] } = answer.json() as { data_streams?: readonly { name: string }[] };
  if (streams.length === 0) return undefined;
  return {
    object: 'option store.isDataStream',
    problem: `it is false, and there is the ${named(
      'data stream',
      streams.map(({ name }) => name),
    )}: the engine does not let its template change`,
    remedy:
      'Set store.isDataStream to true, or choose another beginning of names in store.index, or delete the data streams.',
  };
}

function named(kind: string, names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN_MAX;
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(', ');
  return `${kind} ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
