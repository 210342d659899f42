/** Options of the transport over Kafka, and how they become its configuration. */
import { RESOURCE_KEYS } from '../record/document-layout.ts';
import type { KafkaConfig, SaslConfig, TlsConfig } from './config.ts';
import type { OptionDefinition } from './shape.ts';
import type { OptionValues } from './option-values.ts';
import { reportProblem } from './option-values.ts';
import { namesFile, readTls, tlsOptions } from './tls-options.ts';
import type { Problem } from './value-reader.ts';

const SINCE = '0.1.0';
const KIB = 2 ** 10;
const MIB = 2 ** 20;

const onlyWhen = { path: 'transport.kind', is: 'kafka' } as const;

/** Replicas that a broker's default.replication.factor decides. */
const BROKER_DEFAULT = -1;

export const KAFKA_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'transport.brokers',
    shape: { kind: 'list', of: { kind: 'text' } },
    onlyWhen,
    example: ['kafka-0.kafka:9092', 'kafka-1.kafka:9092'],
    description: 'Brokers to ask first, as HOST:PORT; they name the others.',
    since: SINCE,
  },
  {
    path: 'transport.topic',
    shape: { kind: 'text' },
    onlyWhen,
    default: 'logs',
    example: 'logs-{kubernetes.namespace}',
    description:
      'Topic of the logs: a name, or a template over fields of the pod. Its ledger goes to <topic>.ledger and dead letters to <topic>.dead.',
    since: SINCE,
  },
  {
    path: 'transport.create.isAllowed',
    shape: { kind: 'boolean' },
    onlyWhen,
    default: true,
    description: 'Create topics that are missing. Otherwise they are waited for.',
    since: SINCE,
  },
  {
    path: 'transport.create.partitions',
    shape: { kind: 'integer', min: 1, max: 10_000 },
    onlyWhen,
    default: 12,
    description: 'Partitions of a topic of logs that is created: as many indexers at most share it.',
    since: SINCE,
  },
  {
    path: 'transport.create.replicas',
    shape: { kind: 'integer', min: 1, max: 100 },
    onlyWhen,
    defaultText: "the broker's default.replication.factor",
    description: 'Replicas of topics that are created.',
    since: SINCE,
  },
  {
    path: 'transport.groupId',
    shape: { kind: 'text' },
    onlyWhen,
    default: 'logboom-indexer',
    description: 'Consumer group of the indexers. Indexers of one group share the partitions.',
    since: SINCE,
  },
  {
    path: 'transport.clientId',
    shape: { kind: 'text' },
    onlyWhen,
    default: 'logboom',
    description: "Name that the broker's logs and quotas know this program by.",
    since: SINCE,
  },
  {
    path: 'transport.requestMsMax',
    shape: { kind: 'duration', min: 1000, max: 300_000 },
    onlyWhen,
    default: '20s',
    description:
      'How long a broker may take to answer. One that does not is said to hang, the connection is given up, and another broker is asked where another can answer. A broker may wait for its replicas as long.',
    since: SINCE,
  },
  {
    path: 'transport.compression',
    shape: { kind: 'choice', values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'] },
    onlyWhen,
    default: 'zstd',
    description: 'How batches are packed.',
    since: SINCE,
  },
  {
    path: 'transport.messageBytesMax',
    shape: { kind: 'bytes', min: 4 * KIB, max: 256 * MIB },
    onlyWhen,
    defaultText: "the topic's max.message.bytes",
    description: 'Largest record. A smaller limit of the topic holds all the same.',
    since: SINCE,
  },
  {
    path: 'transport.oversized',
    shape: { kind: 'choice', values: ['truncate', 'dead_letter'] },
    onlyWhen,
    default: 'truncate',
    description:
      'What becomes of a record that is larger: its message is cut, with the original length noted, or it goes to the dead letters whole.',
    since: SINCE,
  },
  {
    path: 'transport.tls.isEnabled',
    shape: { kind: 'boolean' },
    onlyWhen,
    default: false,
    description: 'Use TLS. Any of the files below turns it on too.',
    since: SINCE,
  },
  ...tlsOptions('transport.tls', { peers: 'brokers', onlyWhen, since: SINCE }),
  {
    path: 'transport.sasl.mechanism',
    shape: { kind: 'choice', values: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] },
    onlyWhen,
    defaultText: 'none',
    description: 'How this program says who it is.',
    since: SINCE,
  },
  {
    path: 'transport.sasl.username',
    shape: { kind: 'text' },
    onlyWhen,
    defaultText: 'none',
    description: 'Name for PLAIN and SCRAM.',
    since: SINCE,
  },
  {
    path: 'transport.sasl.password',
    shape: { kind: 'text' },
    onlyWhen,
    isSecret: true,
    defaultText: 'none',
    description: 'Password for PLAIN and SCRAM.',
    since: SINCE,
  },
  {
    path: 'transport.sasl.token',
    shape: { kind: 'text' },
    onlyWhen,
    isSecret: true,
    defaultText: 'none',
    description: 'Token for OAUTHBEARER.',
    since: SINCE,
  },
  {
    path: 'transport.sasl.tokenFile',
    shape: { kind: 'path' },
    onlyWhen,
    defaultText: 'none',
    description: 'File with the token for OAUTHBEARER, read anew for every connection.',
    since: SINCE,
  },
];

const BROKER = /^(\[[0-9a-fA-F:]+\]|[^\s:/]+)(:\d{1,5})?$/;
const TEMPLATE = /^([a-zA-Z0-9._-]|\{[^{}]+\})+$/;

/** Kafka's limit of a name, less what the siblings' names add. */
const TOPIC_LENGTH_MAX = 240;

/** Returns the configuration of the transport, and notes what does not fit together. */
export function kafkaConfig(read: OptionValues, problems: Problem[]): KafkaConfig {
  const replicas = read.at('transport.create.replicas');
  const messageBytesMax = read.at('transport.messageBytesMax');
  return {
    kind: 'kafka',
    bufferBytesMax: read.number('transport.bufferBytesMax'),
    brokers: brokersOf(read, problems),
    topic: topicOf(read, problems),
    create: {
      isAllowed: read.at('transport.create.isAllowed') === true,
      partitions: read.number('transport.create.partitions'),
      replicas: typeof replicas === 'number' ? replicas : BROKER_DEFAULT,
    },
    groupId: read.text('transport.groupId'),
    clientId: read.text('transport.clientId'),
    requestMsMax: read.number('transport.requestMsMax'),
    compression: read.text('transport.compression') as KafkaConfig['compression'],
    messageBytesMax: typeof messageBytesMax === 'number' ? messageBytesMax : undefined,
    oversized: read.text('transport.oversized') as KafkaConfig['oversized'],
    tls: tlsOf(read, problems),
    sasl: saslOf(read, problems),
  };
}

function brokersOf(read: OptionValues, problems: Problem[]): string[] {
  const given = read.at('transport.brokers');
  const brokers = Array.isArray(given) ? given.map(String) : [];
  if (brokers.length === 0) {
    const message = 'is missing, expected the brokers of Kafka, such as [127.0.0.1:9092]';
    reportProblem(problems, 'transport.brokers', message, '--kafka HOST:PORT is short for it.');
  }
  for (const broker of brokers) {
    if (BROKER.test(broker)) continue;
    const message = `got ${JSON.stringify(broker)}, expected HOST:PORT, such as 127.0.0.1:9092`;
    reportProblem(problems, 'transport.brokers', message);
  }
  return brokers;
}

function topicOf(read: OptionValues, problems: Problem[]): string {
  const topic = read.text('transport.topic');
  const name = 'transport.topic';
  if (!TEMPLATE.test(topic) || topic.length > TOPIC_LENGTH_MAX || topic === '.' || topic === '..') {
    const message = `got ${JSON.stringify(topic)}, expected at most ${TOPIC_LENGTH_MAX} letters, digits, '.', '_' and '-', and fields in braces`;
    reportProblem(problems, name, message, 'For example logs, or logs-{kubernetes.namespace}.');
  }
  for (const [, field = ''] of topic.matchAll(/\{([^{}]*)\}/g)) {
    if (RESOURCE_KEYS.has(field.split('.')[0] ?? '')) continue;
    const message = `{${field}} cannot stand in it: records of one file have to go to one topic`;
    reportProblem(
      problems,
      name,
      message,
      'Fields such as kubernetes.namespace, service.name and host.name are the same for all records of a file.',
    );
  }
  return topic;
}

function tlsOf(read: OptionValues, problems: Problem[]): TlsConfig | undefined {
  const tls = readTls(read, 'transport.tls', problems);
  if (read.at('transport.tls.isEnabled') === true || namesFile(tls)) return tls;
  if (!tls.isVerified)
    reportProblem(
      problems,
      'transport.tls.isVerified',
      'has no effect: TLS is off',
      'Set transport.tls.isEnabled to true, or take it out.',
    );
  return undefined;
}

function saslOf(read: OptionValues, problems: Problem[]): SaslConfig | undefined {
  const mechanism = read.maybeText('transport.sasl.mechanism') as SaslConfig['mechanism'] | undefined;
  const username = read.maybeText('transport.sasl.username');
  const password = read.maybeText('transport.sasl.password');
  if (mechanism === undefined) {
    if (username !== undefined || password !== undefined)
      reportProblem(
        problems,
        'transport.sasl.mechanism',
        'is missing: a name or a password is given',
        'Add mechanism: SCRAM-SHA-512, or what your brokers want.',
      );
    return undefined;
  }
  if (mechanism === 'OAUTHBEARER') {
    const token = read.maybeText('transport.sasl.token');
    const tokenFile = read.maybeText('transport.sasl.tokenFile');
    if (token === undefined && tokenFile === undefined)
      reportProblem(
        problems,
        'transport.sasl.tokenFile',
        'is missing: OAUTHBEARER needs a token or a file with one',
      );
    return { mechanism, token, tokenFile };
  }
  if (username === undefined)
    reportProblem(problems, 'transport.sasl.username', `is missing: ${mechanism} needs one`);
  if (password === undefined)
    reportProblem(
      problems,
      'transport.sasl.password',
      `is missing: ${mechanism} needs one`,
      'LOGBOOM_TRANSPORT_SASL_PASSWORD keeps it out of files.',
    );
  return { mechanism, username: username ?? '', password: password ?? '' };
}
