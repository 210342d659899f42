/** Options of the store on Elasticsearch or OpenSearch, and how they become its configuration. */
import type { ElasticsearchConfig, TlsConfig } from './config.ts';
import type { OptionDefinition } from './shape.ts';
import type { OptionValues } from './option-values.ts';
import { reportProblem } from './option-values.ts';
import { namesFile, readTls, tlsOptions } from './tls-options.ts';
import type { Problem } from './value-reader.ts';

const SINCE = '0.1.0';
const KIB = 2 ** 10;
const MIB = 2 ** 20;

const onlyWhen = { path: 'store.kind', is: 'elasticsearch' } as const;

export const ELASTICSEARCH_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'store.urls',
    shape: { kind: 'list', of: { kind: 'url' } },
    onlyWhen,
    example: ['https://search-0.example:9200', 'https://search-1.example:9200'],
    description:
      'Nodes of one cluster of Elasticsearch or OpenSearch. They are asked in turn; one that fails is left out for a while.',
    since: SINCE,
  },
  {
    path: 'store.auth.username',
    shape: { kind: 'text' },
    onlyWhen,
    defaultText: 'none',
    description: 'Name for basic authentication.',
    since: SINCE,
  },
  {
    path: 'store.auth.password',
    shape: { kind: 'text' },
    onlyWhen,
    isSecret: true,
    defaultText: 'none',
    description: 'Password for basic authentication.',
    since: SINCE,
  },
  {
    path: 'store.auth.apiKey',
    shape: { kind: 'text' },
    onlyWhen,
    isSecret: true,
    defaultText: 'none',
    description: 'API key, as the engine encodes it or as ID:KEY. Instead of a name and a password.',
    since: SINCE,
  },
  ...tlsOptions('store.tls', { peers: 'nodes', onlyWhen, since: SINCE }),
  {
    path: 'store.index',
    shape: { kind: 'text' },
    onlyWhen,
    default: 'logboom-{namespace}-{date}',
    example: 'logs-{namespace}-{date}',
    description:
      'Names of indices: {namespace} is the namespace or where a pipeline routes to, {date} the day of the event in UTC.',
    since: SINCE,
  },
  {
    path: 'store.isDataStream',
    shape: { kind: 'boolean' },
    onlyWhen,
    default: false,
    description:
      'Write to data streams, named as the indices without their date. What is sent again after a rollover then stands there twice.',
    since: SINCE,
  },
  {
    path: 'store.shards',
    shape: { kind: 'integer', min: 1, max: 1_000 },
    onlyWhen,
    default: 1,
    description: 'Primary shards of an index that is created.',
    since: SINCE,
  },
  {
    path: 'store.replicas',
    shape: { kind: 'integer', min: 0, max: 100 },
    onlyWhen,
    default: 1,
    description: 'Replicas of an index that is created.',
    since: SINCE,
  },
  {
    path: 'store.lifecycle.isManaged',
    shape: { kind: 'boolean' },
    onlyWhen,
    default: true,
    description:
      'Put a policy for the indices in place where the engine has lifecycle management (ILM, ISM).',
    since: SINCE,
  },
  {
    path: 'store.lifecycle.rolloverBytes',
    shape: { kind: 'bytes', min: MIB },
    onlyWhen,
    default: '40GiB',
    description: 'A data stream begins a new index when a primary shard of the last one is this large.',
    since: SINCE,
  },
  {
    path: 'store.lifecycle.rolloverAgeMs',
    shape: { kind: 'duration', min: 60_000 },
    onlyWhen,
    default: '1d',
    description: 'A data stream begins a new index when the last one is this old.',
    since: SINCE,
  },
  {
    path: 'store.lifecycle.warmAgeMs',
    shape: { kind: 'duration', min: 60_000 },
    onlyWhen,
    defaultText: 'never',
    example: '2d',
    description: 'Indices of this age, from their creation, are merged into one segment.',
    since: SINCE,
  },
  {
    path: 'store.lifecycle.deleteAgeMs',
    shape: { kind: 'duration', min: 60_000 },
    onlyWhen,
    defaultText: 'never',
    example: '30d',
    description: 'Indices of this age, from their creation, are deleted.',
    since: SINCE,
  },
  {
    path: 'store.lateMsMax',
    shape: { kind: 'duration', min: 0 },
    onlyWhen,
    default: '30d',
    description: 'Events that are older go to one index of late events instead of that of their day.',
    since: SINCE,
  },
  {
    path: 'store.futureMsMax',
    shape: { kind: 'duration', min: 0 },
    onlyWhen,
    default: '1d',
    description:
      'Events that are further in the future go to one index of future events instead of that of their day.',
    since: SINCE,
  },
  {
    path: 'store.bulk.bytesMax',
    shape: { kind: 'bytes', min: 64 * KIB, max: 512 * MIB },
    onlyWhen,
    default: '8MiB',
    description:
      'Bytes of one bulk request. A smaller limit of the engine holds all the same; one larger document is sent alone.',
    since: SINCE,
  },
  {
    path: 'store.bulk.inFlightMax',
    shape: { kind: 'integer', min: 1, max: 256 },
    onlyWhen,
    default: 16,
    description: 'Most bulk requests at once. How many the engine bears is found out beneath that.',
    since: SINCE,
  },
  {
    path: 'store.bulk.compression',
    shape: { kind: 'choice', values: ['none', 'gzip'] },
    onlyWhen,
    default: 'none',
    description:
      'How requests are packed. gzip sends an eighth of the bytes and takes more of the processor than all else that writing needs.',
    since: SINCE,
  },
];

/** What index names may consist of, besides the two names in braces. */
const INDEX_TEMPLATE = /^[a-z0-9][a-z0-9._-]*(?:\{(?:namespace|date)\}[a-z0-9._-]*)+$/;

/** Engines allow 255 bytes; a namespace takes up to 200 and the date 10. */
const INDEX_LENGTH_MAX = 40;

/** Returns the configuration of the store, and notes what does not fit together. */
export function elasticsearchConfig(read: OptionValues, problems: Problem[]): ElasticsearchConfig {
  const urls = urlsOf(read, problems);
  return {
    kind: 'elasticsearch',
    urls,
    auth: authOf(read, problems),
    tls: tlsOf(read, problems, urls),
    index: indexOf(read, problems),
    isDataStream: read.at('store.isDataStream') === true,
    shards: read.number('store.shards'),
    replicas: read.number('store.replicas'),
    lifecycle: lifecycleOf(read, problems),
    lateMsMax: read.number('store.lateMsMax'),
    futureMsMax: read.number('store.futureMsMax'),
    bulk: {
      bytesMax: read.number('store.bulk.bytesMax'),
      inFlightMax: read.number('store.bulk.inFlightMax'),
      compression: read.text('store.bulk.compression') as ElasticsearchConfig['bulk']['compression'],
    },
  };
}

function urlsOf(read: OptionValues, problems: Problem[]): string[] {
  const given = read.at('store.urls');
  const urls = Array.isArray(given) ? given.map(String) : [];
  if (urls.length === 0) {
    const message = 'is missing, expected the addresses of its nodes, such as [http://127.0.0.1:9200]';
    reportProblem(problems, 'store.urls', message, '--elasticsearch URL is short for it.');
  }
  for (const url of urls) {
    const problem = urlProblem(url);
    if (problem !== undefined) reportProblem(problems, 'store.urls', problem);
  }
  return urls.map((url) => url.replace(/\/+$/, ''));
}

function urlProblem(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    return `got ${JSON.stringify(url)}, expected an address such as http://127.0.0.1:9200`;
  if (parsed.username === '' && parsed.password === '') return undefined;
  return 'must not hold a name and a password: give them in store.auth.username and store.auth.password';
}

function authOf(read: OptionValues, problems: Problem[]): ElasticsearchConfig['auth'] {
  const apiKey = read.maybeText('store.auth.apiKey');
  const username = read.maybeText('store.auth.username');
  const password = read.maybeText('store.auth.password');
  if (apiKey !== undefined) {
    if (username !== undefined || password !== undefined)
      reportProblem(
        problems,
        'store.auth.apiKey',
        'cannot be given together with store.auth.username and store.auth.password',
      );
    return { kind: 'api_key', apiKey };
  }
  if (username === undefined && password === undefined) return { kind: 'none' };
  if (username === undefined)
    reportProblem(problems, 'store.auth.username', 'is missing: a password is given');
  if (password === undefined)
    reportProblem(
      problems,
      'store.auth.password',
      'is missing: a name is given',
      'LOGBOOM_STORE_AUTH_PASSWORD keeps it out of files.',
    );
  return { kind: 'basic', username: username ?? '', password: password ?? '' };
}

/** The addresses say whether TLS is used, so a setting of it that no address uses is a mistake. */
function tlsOf(read: OptionValues, problems: Problem[], urls: readonly string[]): TlsConfig | undefined {
  const tls = readTls(read, 'store.tls', problems);
  if (tls.isVerified && !namesFile(tls)) return undefined;
  if (urls.length > 0 && !urls.some((url) => /^https:/i.test(url))) {
    const set = (['caFile', 'certificateFile', 'keyFile'] as const).find((name) => tls[name] !== undefined);
    const message = 'has no effect: no address in store.urls begins with https';
    reportProblem(problems, `store.tls.${set ?? 'isVerified'}`, message, 'Write https, or take it out.');
  }
  return tls;
}

function indexOf(read: OptionValues, problems: Problem[]): string {
  const index = read.text('store.index');
  if (!INDEX_TEMPLATE.test(index) || index.replaceAll(/\{\w+\}/g, '').length > INDEX_LENGTH_MAX) {
    const message = `got ${JSON.stringify(index)}, expected lower-case letters, digits, '.', '_' and '-', then {namespace} and {date}`;
    reportProblem(problems, 'store.index', message, 'For example logboom-{namespace}-{date}.');
  } else if (!index.includes('{date}') && read.at('store.isDataStream') !== true) {
    const message = `got ${JSON.stringify(index)}, expected {date} in it: indices are made by the day`;
    reportProblem(problems, 'store.index', message, 'For example logboom-{namespace}-{date}.');
  } else if (index.startsWith('logboom_ledger')) {
    reportProblem(
      problems,
      'store.index',
      'must not begin with logboom_ledger, which is the index of the ledger',
    );
  }
  return index;
}

function lifecycleOf(read: OptionValues, problems: Problem[]): ElasticsearchConfig['lifecycle'] {
  const ageAt = (name: string): number | undefined => {
    const value = read.at(`store.lifecycle.${name}`);
    return typeof value === 'number' ? value : undefined;
  };
  const warmAgeMs = ageAt('warmAgeMs');
  const deleteAgeMs = ageAt('deleteAgeMs');
  if (warmAgeMs !== undefined && deleteAgeMs !== undefined && warmAgeMs >= deleteAgeMs)
    reportProblem(problems, 'store.lifecycle.deleteAgeMs', 'must be longer than store.lifecycle.warmAgeMs');
  return {
    isManaged: read.at('store.lifecycle.isManaged') === true,
    rolloverBytes: read.number('store.lifecycle.rolloverBytes'),
    rolloverAgeMs: read.number('store.lifecycle.rolloverAgeMs'),
    warmAgeMs,
    deleteAgeMs,
  };
}
