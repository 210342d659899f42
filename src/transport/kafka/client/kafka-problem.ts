/** Puts what goes wrong with Kafka into words, with what a person can do about it. */
import { messageOf, systemCodeOf } from '../../../base/errors.ts';

export interface KafkaProblem {
  /** Kafka's name of the error where it has one, otherwise the system's. */
  readonly code: string;
  /** The same for problems that pass together: one line of the log tells them all. */
  readonly cause: string;
  /** A clause that begins in lower case, such as `cannot reach Kafka at HOST:PORT (ECONNREFUSED)`. */
  readonly reason: string;
  readonly remedy: string;
}

/** An error code in a response: `code` is Kafka's name of it. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Code of the problem that a broker does not answer. */
export const TIMED_OUT = 'TIMED_OUT';

/** Causes of connections that cannot be made, whatever they were for. */
const CAUSES = { network: 'network', tls: 'tls' } as const;

const CHECK_TLS =
  'Set transport.tls.caFile to the certificate of the CA that signed it, and use the names that stand in it in transport.brokers.';

const FINDS_ITSELF =
  'Logboom finds it by itself within seconds; when it does not, look at the logs of the brokers.';
const WAITS_FOR_BROKERS = 'That takes the brokers seconds; when it lasts, look at their logs.';

/** By Kafka's error: the reason, in which `%` is what was meant to be done, and the remedy. */
const PROTOCOL_PROBLEMS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  UNKNOWN_TOPIC_OR_PARTITION: [
    'cannot %: the topic does not exist',
    'Create it, or allow it with transport.create.isAllowed.',
  ],
  TOPIC_AUTHORIZATION_FAILED: [
    'may not %',
    'Give the user of transport.sasl or of the certificate the rights Describe, Write and Read of the topic, and Create where it is missing.',
  ],
  GROUP_AUTHORIZATION_FAILED: [
    'may not %',
    'Give the user the right Read of the group in transport.groupId.',
  ],
  CLUSTER_AUTHORIZATION_FAILED: [
    'may not %',
    'Give the user the right Create of the topic and IdempotentWrite of the cluster, or create the topic yourself.',
  ],
  SASL_AUTHENTICATION_FAILED: [
    'Kafka refuses the name or the password',
    'Check transport.sasl: its mechanism, username and password.',
  ],
  UNSUPPORTED_SASL_MECHANISM: [
    'Kafka does not take this SASL mechanism',
    'Set transport.sasl.mechanism to one that the listener offers.',
  ],
  INVALID_REPLICATION_FACTOR: [
    'cannot %: there are not as many brokers as replicas are wanted',
    'Lower transport.create.replicas.',
  ],
  INVALID_PARTITIONS: [
    'cannot %: the number of partitions is not possible',
    'Check transport.create.partitions.',
  ],
  INVALID_TOPIC_EXCEPTION: ['cannot %: the name is not possible', 'Check transport.topic.'],
  POLICY_VIOLATION: [
    "cannot %: it violates the cluster's policy",
    'Create the topic yourself, as the policy wants it.',
  ],
  NOT_ENOUGH_REPLICAS: [
    'cannot %: too few replicas are in sync',
    'Bring the other brokers back, or lower min.insync.replicas of the topic.',
  ],
  KAFKA_STORAGE_ERROR: [
    'cannot %: the broker cannot write to its disk',
    "Make room on the broker's disk, and start it again.",
  ],
  LEADER_NOT_AVAILABLE: [
    'cannot %: a partition has no leader',
    'Bring back the brokers that hold its replicas.',
  ],
  NOT_LEADER_OR_FOLLOWER: ['cannot %: another broker leads the partition now', FINDS_ITSELF],
  FENCED_LEADER_EPOCH: ['cannot %: another broker leads the partition now', FINDS_ITSELF],
  NOT_COORDINATOR: ['cannot %: another broker coordinates the group now', FINDS_ITSELF],
  COORDINATOR_NOT_AVAILABLE: ['cannot %: no broker coordinates the group yet', WAITS_FOR_BROKERS],
  COORDINATOR_LOAD_IN_PROGRESS: [
    'cannot %: the broker has taken over from another and is not done',
    WAITS_FOR_BROKERS,
  ],
  THROTTLING_QUOTA_EXCEEDED: ['cannot %: the quota is used up', 'Raise the quota of the user, or wait.'],
  UNSUPPORTED_VERSION: ['cannot %: the broker is too old', 'Logboom needs Kafka 3.0 or newer.'],
  GROUP_MAX_SIZE_REACHED: ['cannot %: the group is full', 'Run fewer indexers, or raise group.max.size.'],
};

const TLS_CODES =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE/;

/** Returns what an error means. `action` is what was tried, such as `write to topic logs`. */
export function problemOf(error: unknown, action: string): KafkaProblem {
  const chain = causesOf(error);
  const coded = chain.find((each) => protocolCode(each) !== undefined);
  const protocol = coded === undefined ? undefined : protocolCode(coded);
  if (protocol !== undefined) return protocolProblem(protocol, action, coded);
  const unread = chain.find((each) => typeof (each as { path?: unknown }).path === 'string');
  if (unread !== undefined) return fileProblem(unread, action);
  const tls = chain.find((each) => TLS_CODES.test(systemCodeOf(each) ?? ''));
  if (tls !== undefined) return tlsProblem(tls, action);
  const words = chain.map((each) => messageOf(each)).join(': ');
  if (words.includes('TLS handshake failed'))
    return problem(
      'TLS_MISSING',
      `cannot ${action}: the broker does not speak TLS there`,
      'Take transport.tls out, or use the port with TLS in transport.brokers.',
      CAUSES.tls,
    );
  if (words.includes('Broker requires TLS'))
    return problem(
      'TLS_REQUIRED',
      `cannot ${action}: the broker wants TLS`,
      'Set transport.tls.isEnabled.',
      CAUSES.tls,
    );
  if (words.includes('Request timed out'))
    return problem(
      TIMED_OUT,
      `cannot ${action}: a broker takes requests and does not answer them`,
      'Look at its log and its load, and start it again when it hangs; transport.requestMsMax is how long an answer may take.',
      CAUSES.network,
    );
  if (/authentication failed/i.test(words))
    return protocolProblem('SASL_AUTHENTICATION_FAILED', action, undefined);
  return networkProblem(chain, action, words);
}

function problem(code: string, reason: string, remedy: string, cause = `${code} ${reason}`): KafkaProblem {
  return { code, cause, reason, remedy };
}

function protocolProblem(code: string, action: string, error: unknown): KafkaProblem {
  const known = PROTOCOL_PROBLEMS[code === 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' ? 'NOT_ENOUGH_REPLICAS' : code];
  if (known !== undefined)
    return problem(
      code,
      known[0].replace('%', () => action),
      known[1],
    );
  const detail = error instanceof KafkaError && error.message !== '' ? `, ${error.message}` : '';
  return problem(
    code,
    `cannot ${action}: Kafka answers ${code}${detail}`,
    'Logboom goes on trying; look at the log of the broker.',
  );
}

function fileProblem(error: unknown, action: string): KafkaProblem {
  const code = systemCodeOf(error) ?? 'UNREADABLE';
  return problem(
    code,
    `cannot ${action}: a file cannot be read (${lastMessage([error])})`,
    'Correct transport.tls.caFile, certificateFile and keyFile and transport.sasl.tokenFile, and who may read them.',
    CAUSES.tls,
  );
}

function tlsProblem(error: unknown, action: string): KafkaProblem {
  const code = systemCodeOf(error) ?? 'TLS';
  if (/HANDSHAKE|BAD_CERTIFICATE|CERTIFICATE_REQUIRED|UNKNOWN_CA/.test(code) && code.startsWith('ERR_SSL')) {
    return problem(
      code,
      `cannot ${action}: the broker refuses the TLS connection (${code})`,
      'Check transport.tls.certificateFile and transport.tls.keyFile: the broker may want a certificate of a client.',
      CAUSES.tls,
    );
  }
  return problem(
    code,
    `cannot ${action}: the certificate of the broker is not trusted (${code})`,
    CHECK_TLS,
    CAUSES.tls,
  );
}

function networkProblem(chain: readonly unknown[], action: string, words: string): KafkaProblem {
  const code = chain
    .map((each) => systemCodeOf(each))
    .findLast((each) => each !== undefined && !each.startsWith('PLT_KFK'));
  if (code !== undefined)
    return problem(
      code,
      `cannot ${action}: ${lastMessage(chain)}`,
      'Check transport.brokers, and that a broker runs there and can be reached.',
      CAUSES.network,
    );
  const isClosed = words.includes('onnection closed');
  return problem(
    isClosed ? 'CLOSED' : 'UNKNOWN',
    `cannot ${action}: ${isClosed ? 'the broker has closed the connection' : lastMessage(chain)}`,
    'Check that a broker runs there, and whether its port wants TLS (transport.tls.isEnabled) or a password (transport.sasl).',
    CAUSES.network,
  );
}

function lastMessage(chain: readonly unknown[]): string {
  return messageOf(chain.at(-1)).replace(/\.$/, '');
}

/** Kafka's name of the error, when the error has one. */
function protocolCode(error: unknown): string | undefined {
  if (error instanceof KafkaError) return error.code;
  const apiId: unknown = (error as { apiId?: unknown } | null | undefined)?.apiId;
  return typeof apiId === 'string' ? apiId : undefined;
}

/** The error, what it consists of, and their causes, outermost first; at most sixteen. */
function causesOf(error: unknown): unknown[] {
  const found: unknown[] = [];
  const waiting: unknown[] = [error];
  while (waiting.length > 0 && found.length < 16) {
    const next = waiting.shift();
    if (next === undefined || next === null) continue;
    found.push(next);
    const { cause, errors } = next as { cause?: unknown; errors?: unknown };
    if (Array.isArray(errors)) waiting.push(...(errors as unknown[]));
    waiting.push(cause);
  }
  return found;
}
