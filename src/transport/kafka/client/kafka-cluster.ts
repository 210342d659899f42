/**
 * Connections to the brokers of one cluster, opened when they are needed, and what the cluster says of its topics.
 *
 * Requests that wait at the broker (fetches, joining a group) have connections of their own, because a broker answers
 * the requests of one connection one after the other. Nothing is retried here: callers know what they can repeat.
 */
import {
  apiVersionsV3,
  Connection,
  protocolErrorsCodesById,
  type ConnectionOptions,
} from './kafka-library.ts';
import { AppError } from '../../../base/errors.ts';
import type { KafkaConfig } from '../../../config/config.ts';
import { METADATA, partialResponse, type ApiVersion, type KafkaApi } from './kafka-apis.ts';
import { KafkaError } from './kafka-problem.ts';
import type { ClusterFacts, KafkaRequests, Purpose } from './kafka-requests.ts';

export interface ClusterOptions {
  readonly config: KafkaConfig;
  /** Returns the content of a PEM file or of a token. Throws the system's errors. */
  readonly readFile: (path: string) => Uint8Array;
  readonly clientVersion?: string;
}

const CONNECT_MS_MAX = 10_000;

/** Longer than a group may wait at the broker for its members. */
const GROUP_REQUEST_MS_MAX = 45_000;

/** A broker that is asked for too much at once answers late, not faster. */
const REQUESTS_PER_CONNECTION_MAX = 8;

const DEFAULT_PORT = 9092;

interface Address {
  readonly host: string;
  readonly port: number;
}

interface OpenConnection {
  readonly connection: Connection;
  /** Newest version of each request that the broker speaks, and the oldest. */
  readonly versions: ReadonlyMap<number, readonly [min: number, max: number]>;
}

export class KafkaCluster implements KafkaRequests {
  readonly #options: ClusterOptions;
  readonly #brokers: readonly Address[];
  readonly #nodes = new Map<number, Address>();
  readonly #connections = new Map<string, Promise<OpenConnection>>();
  #nextBroker = 0;
  #clusterId = '';
  #isClosed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#brokers = options.config.brokers.map(parseAddress);
  }

  /** What the cluster calls itself; empty before the first answer. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** Sends a request to a broker, or to any one that can be reached; rejects with the library's or system's errors. */
  async call<A extends unknown[], R>(
    node: number | 'any',
    purpose: Purpose,
    api: KafkaApi<A, R>,
    ...args: A
  ): Promise<R> {
    const { connection, versions } = await (node === 'any'
      ? this.#connectAny(purpose)
      : this.#connect(node, purpose));
    const version = chooseVersion(api, versions);
    if (version === undefined) throw new KafkaError('UNSUPPORTED_VERSION', `${api.name} is not spoken`);
    try {
      return await version.async(connection, ...args);
    } catch (error) {
      // A broker that hangs takes the next connection as well: another one is asked first.
      if (node === 'any' && !connection.isConnected()) this.#nextBroker += 1;
      throw error;
    }
  }

  /** Asks for facts about these topics, or about all of them; topics are not created by asking. */
  async describe(topics: readonly string[] | undefined): Promise<ClusterFacts> {
    const names = topics === undefined ? null : [...topics];
    const response = await partialResponse(this.call('any', 'data', METADATA, names, false, false));
    this.#clusterId = response.clusterId ?? '';
    for (const { nodeId, host, port } of response.brokers) this.#nodes.set(nodeId, { host, port });
    return {
      topics: response.topics.map(({ name, topicId, errorCode, partitions }) => ({
        name: name ?? '',
        id: topicId,
        error: errorNameOf(errorCode),
        leaders: partitions
          .toSorted((left, right) => left.partitionIndex - right.partitionIndex)
          .map(({ leaderId }) => leaderId),
      })),
    };
  }

  /** Ends every connection; requests under way reject. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const open = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.allSettled(open.map(async (opening) => (await opening).connection.close()));
  }

  async #connectAny(purpose: Purpose): Promise<OpenConnection> {
    let failure: unknown;
    const brokers = [...this.#brokers, ...this.#nodes.values()];
    for (let attempt = 0; attempt < brokers.length; attempt++) {
      const address = brokers[this.#nextBroker % brokers.length];
      if (address === undefined) break;
      try {
        return await this.#connectTo(address, purpose);
      } catch (error) {
        failure = error;
        // Of several that met the same broker, one goes on to the next.
        if (brokers[this.#nextBroker % brokers.length] === address) this.#nextBroker += 1;
      }
    }
    throw failure;
  }

  #connect(node: number, purpose: Purpose): Promise<OpenConnection> {
    const address = this.#nodes.get(node);
    if (address === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE', `broker ${node} is not known`);
    return this.#connectTo(address, purpose);
  }

  async #connectTo(address: Address, purpose: Purpose): Promise<OpenConnection> {
    if (this.#isClosed) throw new AppError('closed', 'cannot ask a closed transport');
    const key = `${purpose} ${address.host}:${address.port}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const opening = this.#open(address, purpose, () => this.#connections.delete(key));
    this.#connections.set(key, opening);
    opening.catch(() => this.#connections.delete(key));
    return opening;
  }

  async #open(address: Address, purpose: Purpose, onEnd: () => void): Promise<OpenConnection> {
    const { config, clientVersion = '0' } = this.#options;
    const connection = new Connection(config.clientId, this.#connectionOptions(address, purpose));
    // A connection that emits an error nobody listens to would end the process.
    let failure: unknown;
    connection.on('error', (error) => {
      failure ??= error;
      onEnd();
    });
    connection.on('close', onEnd);
    try {
      await connection.connect(address.host, address.port);
      const { apiKeys } = await apiVersionsV3.api.async(connection, 'logboom', clientVersion);
      const versions = apiKeys.map(
        ({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]] as const,
      );
      return { connection, versions: new Map(versions) };
    } catch (error) {
      void connection.close();
      // A broker that refuses a certificate says so only after the handshake, and the request learns that it closed.
      throw failure ?? error;
    }
  }

  #connectionOptions({ host }: Address, purpose: Purpose): ConnectionOptions {
    const { tls, sasl, requestMsMax } = this.#options.config;
    const isName = !/^[\d.]+$|:/.test(host);
    return {
      connectTimeout: Math.min(CONNECT_MS_MAX, requestMsMax),
      requestTimeout: purpose === 'group' ? Math.max(GROUP_REQUEST_MS_MAX, requestMsMax) : requestMsMax,
      maxInflights: REQUESTS_PER_CONNECTION_MAX,
      ...(tls === undefined ? {} : { tls: this.#tlsOptions(tls), tlsServerName: isName }),
      ...(sasl === undefined ? {} : { sasl: this.#saslOptions(sasl) }),
    };
  }

  /** Files are read for every connection, so that a certificate can be renewed without a restart. */
  #tlsOptions(tls: NonNullable<KafkaConfig['tls']>): NonNullable<ConnectionOptions['tls']> {
    const read = (path: string): Buffer => Buffer.from(this.#options.readFile(path));
    return {
      rejectUnauthorized: tls.isVerified,
      ...(tls.caFile === undefined ? {} : { ca: read(tls.caFile) }),
      ...(tls.certificateFile === undefined ? {} : { cert: read(tls.certificateFile) }),
      ...(tls.keyFile === undefined ? {} : { key: read(tls.keyFile) }),
    };
  }

  #saslOptions(sasl: NonNullable<KafkaConfig['sasl']>): NonNullable<ConnectionOptions['sasl']> {
    if (sasl.mechanism !== 'OAUTHBEARER') return { ...sasl };
    const { token, tokenFile } = sasl;
    const readToken = (): string =>
      tokenFile === undefined
        ? (token ?? '')
        : Buffer.from(this.#options.readFile(tokenFile)).toString().trim();
    return { mechanism: 'OAUTHBEARER', token: readToken };
  }
}

/** Returns Kafka's name of an error code, or undefined for success. */
export function errorNameOf(code: number): string | undefined {
  if (code === 0) return undefined;
  const names: Readonly<Record<string, string>> = protocolErrorsCodesById;
  return names[String(code)] ?? `ERROR_${code}`;
}

function chooseVersion<A extends unknown[], R>(
  api: KafkaApi<A, R>,
  versions: OpenConnection['versions'],
): ApiVersion<A, R> | undefined {
  return api.versions.find(({ key, version }) => {
    const range = versions.get(key);
    return range !== undefined && version >= range[0] && version <= range[1];
  });
}

function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const hasPort = colon > 0 && /^\d+$/.test(text.slice(colon + 1));
  const host = (hasPort ? text.slice(0, colon) : text).replaceAll(/^\[|\]$/g, '');
  return { host, port: hasPort ? Number(text.slice(colon + 1)) : DEFAULT_PORT };
}
