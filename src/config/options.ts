/**
 * The one table of options. From it come flags, environment names, YAML keys, `--help`, docs/configuration.md and
 * docs/logboom.schema.json. An option that is not here does not exist.
 */
import { KAFKA_OPTIONS } from './kafka-options.ts';
import { ELASTICSEARCH_OPTIONS } from './elasticsearch-options.ts';
import { KUBERNETES_OPTIONS } from './kubernetes-options.ts';
import type { OptionDefinition } from './shape.ts';
import { PIPELINE_SHAPE } from './pipeline-options.ts';
import { ROTATE_OPTIONS } from './rotate-options.ts';
import { SOURCE_SHAPE } from './source-options.ts';

const FIRST = '0.1.0';
const KIB = 2 ** 10;
const MIB = 2 ** 20;

/** Sections of the help and the documentation, in order: the first piece of an option's path names its section. */
export const SECTIONS: readonly {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}[] = [
  { name: '', title: 'General', description: 'What every role shares.' },
  { name: 'sources', title: 'Sources', description: 'What is collected.' },
  { name: 'agent', title: 'Agent', description: 'How files are followed.' },
  { name: 'kubernetes', title: 'Kubernetes', description: 'What the agent asks the Kubernetes API.' },
  { name: 'rotate', title: 'Rotation', description: 'What becomes of log files.' },
  { name: 'transport', title: 'Transport', description: 'The road from agents to the indexer.' },
  { name: 'indexer', title: 'Indexer', description: 'What becomes of records on their way to the store.' },
  { name: 'store', title: 'Store', description: 'Where records are kept and searched.' },
  { name: 'server', title: 'Server', description: 'The HTTP API and the page.' },
  { name: 'log', title: 'Log', description: 'What Logboom says of itself.' },
];

const GENERAL_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'data',
    shape: { kind: 'path' },
    default: './logboom-data',
    example: '/var/lib/logboom',
    description: 'Directory of checkpoints and of the embedded store. It is created when it is missing.',
    since: FIRST,
  },
  {
    path: 'cluster.name',
    shape: { kind: 'text' },
    default: 'default',
    example: 'production',
    description: 'Name of the cluster. It is part of the identity of files: changing it reads them anew.',
    since: FIRST,
  },
  {
    path: 'node.name',
    shape: { kind: 'text' },
    defaultText: "NODE_NAME of the environment, or the host's name",
    example: 'node-1',
    description: 'Name of this node. It is part of the identity of files: changing it reads them anew.',
    since: FIRST,
  },
  {
    path: 'drainMsMax',
    shape: { kind: 'duration', min: 0, max: 3_600_000 },
    default: '20s',
    description: 'Longest time to deliver what was read after SIGTERM or Ctrl-C, before the process ends.',
    since: FIRST,
  },
];

const AGENT_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'sources',
    shape: { kind: 'list', of: SOURCE_SHAPE },
    defaultText: 'those of /data/logs, /var/log/pods and /var/lib/docker/containers that exist',
    example: [{ kind: 'files', paths: ['/var/log/nginx/*.log'] }],
    description: 'Trees and files to collect.',
    since: FIRST,
  },
  {
    path: 'agent.listen',
    shape: { kind: 'address' },
    default: '127.0.0.1:6411',
    description: 'Address of health and metrics when the agent runs on its own.',
    since: FIRST,
  },
  {
    path: 'agent.lineBytesMax',
    shape: { kind: 'bytes', min: KIB, max: 16 * MIB },
    default: '1MiB',
    description: 'Longest line. What is longer is cut or split, and counted.',
    since: FIRST,
  },
  {
    path: 'agent.longLines',
    shape: { kind: 'choice', values: ['truncate', 'split'] },
    default: 'truncate',
    description:
      'What becomes of lines over agent.lineBytesMax: cut with the original length noted, or split.',
    since: FIRST,
  },
  {
    path: 'agent.rescanMs',
    shape: { kind: 'duration', min: 100, max: 3_600_000 },
    default: '30s',
    description: 'How often all directories are listed again, as the safety net below file-system events.',
    since: FIRST,
  },
  {
    path: 'agent.bufferBytesMax',
    shape: { kind: 'bytes', min: MIB },
    default: '32MiB',
    description: 'Bytes read and not yet acknowledged, all files together. Reading waits when it is reached.',
    since: FIRST,
  },
  {
    path: 'agent.deletedBytesMax',
    shape: { kind: 'bytes', min: 0 },
    default: '4GiB',
    description: 'Bytes of deleted files that are held open until they are acknowledged.',
    since: FIRST,
  },
  {
    path: 'agent.checkpointMs',
    shape: { kind: 'duration', min: 10, max: 60_000 },
    default: '1s',
    description: 'How often checkpoints are written. A crash reads again what came after the last one.',
    since: FIRST,
  },
  {
    path: 'agent.ledgerMs',
    shape: { kind: 'duration', min: 100, max: 3_600_000 },
    default: '10s',
    description:
      'How often the ledger, which `logboom audit` compares with the store, is brought up to date.',
    since: FIRST,
  },
];

const TRANSPORT_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'transport.kind',
    shape: { kind: 'choice', values: ['memory', 'http', 'kafka'] },
    default: 'memory',
    description:
      'memory joins the parts of `logboom up` in one process; http posts to a Logboom server; kafka goes through a broker.',
    since: FIRST,
  },
  {
    path: 'transport.bufferBytesMax',
    shape: { kind: 'bytes', min: MIB },
    default: '32MiB',
    description: 'Bytes on the road: sent and not yet stored. Senders wait when it is reached.',
    since: FIRST,
  },
  {
    path: 'transport.url',
    shape: { kind: 'url' },
    onlyWhen: { path: 'transport.kind', is: 'http' },
    example: 'http://logboom.example:6410',
    description: 'Address of the server to post to.',
    since: FIRST,
  },
  {
    path: 'transport.token',
    shape: { kind: 'text' },
    onlyWhen: { path: 'transport.kind', is: 'http' },
    isSecret: true,
    description: "The server's server.token.",
    since: FIRST,
  },
  ...KAFKA_OPTIONS,
  {
    path: 'indexer.listen',
    shape: { kind: 'address' },
    default: '127.0.0.1:6412',
    description: 'Address of health and metrics when the indexer runs on its own.',
    since: FIRST,
  },
  {
    path: 'indexer.batchBytesMax',
    shape: { kind: 'bytes', min: 64 * KIB, max: 256 * MIB },
    default: '4MiB',
    description: 'Bytes that are taken from the transport and stored at once.',
    since: FIRST,
  },
  {
    path: 'indexer.pipelines',
    shape: { kind: 'list', of: PIPELINE_SHAPE },
    default: [],
    defaultText: 'none: lines that are one JSON object are parsed, and levels are recognised',
    description: 'What is done with documents. The first pipeline whose match fits is taken.',
    since: FIRST,
  },
];

const STORE_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'store.kind',
    shape: { kind: 'choice', values: ['embedded', 'elasticsearch'] },
    default: 'embedded',
    description:
      'embedded keeps Parquet files in the data directory and searches them with DuckDB. elasticsearch is Elasticsearch or OpenSearch.',
    since: FIRST,
  },
  {
    path: 'store.memoryBytesMax',
    shape: { kind: 'bytes', min: 64 * MIB },
    default: '256MiB',
    description: 'Memory of the search engine.',
    since: FIRST,
  },
  {
    path: 'store.threads',
    shape: { kind: 'integer', min: 1, max: 256 },
    default: 2,
    description: 'Threads of the search engine.',
    since: FIRST,
  },
  {
    path: 'store.retention.bytesMax',
    shape: { kind: 'bytes', min: MIB },
    default: '20GiB',
    description: 'Size of the store. The oldest records make room for new ones.',
    since: FIRST,
  },
  {
    path: 'store.retention.ageMsMax',
    shape: { kind: 'duration', min: 60_000 },
    defaultText: 'no limit',
    example: '30d',
    description: 'How long records are kept, from the later of their time and their arrival.',
    since: FIRST,
  },
  {
    path: 'store.journalBytesMax',
    shape: { kind: 'bytes', min: 64 * KIB },
    default: '96MiB',
    description: 'A journal of this size is turned into Parquet.',
    since: FIRST,
  },
  {
    path: 'store.journalAgeMsMax',
    shape: { kind: 'duration', min: 100 },
    default: '10m',
    description: 'A journal of this age is turned into Parquet, whatever its size.',
    since: FIRST,
  },
  {
    path: 'store.freeBytesMin',
    shape: { kind: 'bytes', min: 0 },
    default: '64MiB',
    description: 'Collection waits while the file system of the data directory has less than this free.',
    since: FIRST,
  },
];

const SERVER_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'server.listen',
    shape: { kind: 'address' },
    default: '127.0.0.1:6410',
    example: '0.0.0.0:6410',
    description: 'Address of the API and the page. One that others can reach needs server.token.',
    since: FIRST,
  },
  {
    path: 'server.token',
    shape: { kind: 'text' },
    isSecret: true,
    defaultText: 'none',
    description:
      'What clients have to present, as `Authorization: Bearer …` or in the login field of the page.',
    since: FIRST,
  },
  {
    path: 'server.insecure',
    shape: { kind: 'boolean' },
    default: false,
    description: 'Serve without a token on an address that others can reach.',
    since: FIRST,
  },
  {
    path: 'log.level',
    shape: { kind: 'choice', values: ['debug', 'info', 'warn', 'error'] },
    default: 'info',
    description: 'Least severe level that is written.',
    since: FIRST,
  },
  {
    path: 'log.format',
    shape: { kind: 'choice', values: ['auto', 'json', 'text'] },
    default: 'auto',
    description: 'auto is text on a terminal and one JSON object per line otherwise.',
    since: FIRST,
  },
];

export const OPTIONS: readonly OptionDefinition[] = [
  ...GENERAL_OPTIONS,
  ...AGENT_OPTIONS,
  ...KUBERNETES_OPTIONS,
  ...ROTATE_OPTIONS,
  ...TRANSPORT_OPTIONS,
  ...STORE_OPTIONS,
  ...ELASTICSEARCH_OPTIONS,
  ...SERVER_OPTIONS,
];

/** Keys that are known and not there yet. */
export const LATER_PATHS: readonly string[] = ['gateway'];

/** Returns the name of the section in `SECTIONS` that an option belongs to. */
export function sectionOf(path: string): string {
  const first = path.split('.')[0] ?? '';
  if (first === 'rotateBudget') return 'rotate';
  return SECTIONS.some((section) => section.name === first) ? first : '';
}
