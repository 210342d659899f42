/** A real Kafka for as long as a test needs it: nodes that are broker and controller, alone or several as one cluster. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findFreePort } from '../e2e/logboom-process.ts';
import { TemporaryDirectory } from '../e2e/temporary-directory.ts';
import { JavaService } from './java-service.ts';
import { classArchive, compileMain, findJava, resolveJars } from './maven.ts';

/** `LOGBOOM_KAFKA=3` runs the tests on the last broker of that major version instead of the newest one. */
const PARTS = process.env['LOGBOOM_KAFKA'] === '3' ? 'kafka-3' : 'kafka';
const HERE = path.join(import.meta.dirname, PARTS);
const MAIN = path.join(import.meta.dirname, 'kafka/KafkaMain.java');

const CLUSTER_ID = 'bG9nYm9vbS10ZXN0cy0tLQ';

/** What the broker knows as its only user, on the listeners with SASL. */
export const KAFKA_USER = { username: 'logboom', password: 'logboom-secret' } as const;

export interface KafkaOptions {
  /** Properties of the broker beside those that a test needs anyway, or instead of them. */
  readonly properties?: Readonly<Record<string, string>>;
  /** PEM files of the listener with TLS; without them there is none. */
  readonly tls?: { readonly keyAndCertificateFile: string; readonly caFile: string };
  readonly heapMiB?: number;
  /** Port of a proxy: one more listener tells its clients to come back through it. */
  readonly proxyPort?: number;
  /** Its place among the nodes of a cluster; without it, it is one alone. */
  readonly member?: ClusterMember;
}

interface ClusterMember {
  /** From 1 on. */
  readonly nodeId: number;
  /** Of all nodes, by their ids. */
  readonly controllerPorts: readonly number[];
}

interface Ports {
  readonly plain: number;
  readonly sasl: number;
  readonly tls: number;
  readonly mutualTls: number;
  readonly controller: number;
  readonly proxied: number;
}

/** A running broker. It ends with the process that started it, and keeps its data and ports through `restart`. */
export class KafkaBroker implements AsyncDisposable {
  /** Address of the listener without TLS and without a password. */
  readonly address: string;
  /** Address of the listener that wants `KAFKA_USER` by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
  readonly saslAddress: string;
  /** Address of the listener with TLS. */
  readonly tlsAddress: string;
  /** Address of the listener with TLS that wants a certificate of the client, signed by the same CA. */
  readonly mutualTlsAddress: string;
  /** Port that the proxy of `proxyPort` forwards to. */
  readonly proxiedPort: number;
  readonly #service: JavaService;

  private constructor(ports: Ports, service: JavaService) {
    this.address = service.url;
    this.saslAddress = `127.0.0.1:${ports.sasl}`;
    this.tlsAddress = `localhost:${ports.tls}`;
    this.mutualTlsAddress = `localhost:${ports.mutualTls}`;
    this.proxiedPort = ports.proxied;
    this.#service = service;
  }

  /** Formats a data directory and starts the broker; resolves when it has started. Ask `javaSkipReason` before. */
  static async start(options: KafkaOptions = {}): Promise<KafkaBroker> {
    const lib = await resolveJars(HERE);
    const jar = await compileMain(MAIN, lib);
    const directory = new TemporaryDirectory('kafka');
    const { member } = options;
    const ports = await findPorts(member);
    const file = directory.join('server.properties');
    writeFileSync(file, propertiesText(ports, directory.join('data'), options));
    const jvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', `${jar}:${lib}/*`];
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((name) => [
      '--add-scram',
      `${name}=[name=${KAFKA_USER.username},password=${KAFKA_USER.password}]`,
    ]);
    const format = ['format', '--ignore-formatted', '-t', CLUSTER_ID, '-c', file];
    if (member === undefined) format.push('--standalone');
    const heap = options.heapMiB ?? 384;
    const service = await JavaService.start({
      name: 'Kafka',
      java: findJava()?.java ?? 'java',
      archive: classArchive(jar),
      args: [`-Xms${heap}m`, `-Xmx${heap}m`, ...jvm, 'KafkaMain', file, ...format, ...scram],
      url: `127.0.0.1:${ports.plain}`,
      isReady: (output) => output.includes('Kafka Server started'),
      dispose: () => {
        directory[Symbol.dispose]();
      },
    });
    return new KafkaBroker(ports, service);
  }

  /** What it printed, the last part of it. */
  get output(): string {
    return this.#service.output;
  }

  get pid(): number | undefined {
    return this.#service.pid;
  }

  /** SIGKILL: nothing is written any more. The data stays for `restart`. */
  async kill(): Promise<void> {
    await this.#service.kill();
  }

  /** Starts it again with its data, on its ports; one that still runs is killed before. */
  async restart(): Promise<void> {
    await this.#service.restart();
  }

  /** Ends the broker and removes its data. */
  async stop(): Promise<void> {
    await this.#service.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Brokers that replicate to each other, so that another one leads when one is gone. */
export class KafkaCluster implements AsyncDisposable {
  readonly brokers: readonly KafkaBroker[];

  private constructor(brokers: readonly KafkaBroker[]) {
    this.brokers = brokers;
  }

  /** Starts nodes with the ids 1 to `count`; resolves when all have started. Topics have a replica on each by default. */
  static async start(
    count: number,
    options: Omit<KafkaOptions, 'tls' | 'proxyPort' | 'member'> = {},
  ): Promise<KafkaCluster> {
    const controllerPorts: number[] = [];
    while (controllerPorts.length < count) controllerPorts.push(await findFreePort());
    const properties = { ...replicatedProperties(count), ...options.properties };
    const starting = controllerPorts.map((_, index) =>
      KafkaBroker.start({ ...options, properties, member: { nodeId: index + 1, controllerPorts } }),
    );
    const started = await Promise.allSettled(starting);
    const brokers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const cluster = new KafkaCluster(brokers);
    const failed = started.find((each) => each.status === 'rejected');
    if (failed === undefined) return cluster;
    await cluster.stop();
    throw failed.reason;
  }

  get addresses(): string[] {
    return this.brokers.map(({ address }) => address);
  }

  /** Returns the broker with this id. */
  node(nodeId: number): KafkaBroker {
    const broker = this.brokers[nodeId - 1];
    if (broker === undefined) throw new Error(`there is no node ${nodeId}`);
    return broker;
  }

  /** Ends all brokers and removes their data. */
  async stop(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** One node may be away; what it led is led by another one after seconds, and by itself again when it is back. */
function replicatedProperties(count: number): Record<string, string> {
  return {
    'default.replication.factor': String(count),
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': String(count),
    'leader.imbalance.check.interval.seconds': '1',
    'leader.imbalance.per.broker.percentage': '0',
  };
}

async function findPorts(member: ClusterMember | undefined): Promise<Ports> {
  return {
    plain: await findFreePort(),
    sasl: await findFreePort(),
    tls: await findFreePort(),
    mutualTls: await findFreePort(),
    controller: member?.controllerPorts[member.nodeId - 1] ?? (await findFreePort()),
    proxied: await findFreePort(),
  };
}

function propertiesText(
  ports: Ports,
  data: string,
  { properties = {}, tls, proxyPort, member }: KafkaOptions,
): string {
  const { username, password } = KAFKA_USER;
  const plainLogin = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`;
  const scramLogin = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  // Tokens without a signature are good enough for it.
  const tokenLogin = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;';
  const outside = [
    `PLAINTEXT://127.0.0.1:${ports.plain}`,
    `SASL://127.0.0.1:${ports.sasl}`,
    ...(tls === undefined ? [] : [`TLS://localhost:${ports.tls}`, `MTLS://localhost:${ports.mutualTls}`]),
  ];
  const proxied = (port: number): string[] =>
    proxyPort === undefined ? [] : [`PROXIED://127.0.0.1:${port}`];
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    ...quorumProperties(ports, member),
    listeners: [...outside, ...proxied(ports.proxied), `CONTROLLER://127.0.0.1:${ports.controller}`].join(
      ',',
    ),
    'advertised.listeners': [...outside, ...proxied(proxyPort ?? 0)].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,MTLS:SSL,PROXIED:PLAINTEXT',
    'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.sasl.plain.sasl.jaas.config': plainLogin,
    'listener.name.sasl.oauthbearer.sasl.jaas.config': tokenLogin,
    'listener.name.sasl.scram-sha-256.sasl.jaas.config': scramLogin,
    'listener.name.sasl.scram-sha-512.sasl.jaas.config': scramLogin,
    'log.dirs': data,
    'num.partitions': '3',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '2',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '2',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // One that was killed is not let in again before its last session is over, nor do others lead before.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // A member hears of a rebalance with its next heartbeat.
    'group.consumer.min.heartbeat.interval.ms': '500',
    'group.consumer.heartbeat.interval.ms': '500',
    'num.network.threads': '2',
    'num.io.threads': '4',
    ...(tls === undefined ? {} : { ...tlsProperties('tls', tls), ...tlsProperties('mtls', tls) }),
    ...(tls === undefined ? {} : { 'listener.name.mtls.ssl.client.auth': 'required' }),
    ...properties,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function quorumProperties({ controller }: Ports, member: ClusterMember | undefined): Record<string, string> {
  if (member === undefined)
    return { 'node.id': '1', 'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}` };
  const voters = member.controllerPorts.map((port, index) => `${index + 1}@127.0.0.1:${port}`);
  return { 'node.id': String(member.nodeId), 'controller.quorum.voters': voters.join(',') };
}

function tlsProperties(listener: string, tls: NonNullable<KafkaOptions['tls']>): Record<string, string> {
  const prefix = `listener.name.${listener}.ssl`;
  return {
    [`${prefix}.keystore.type`]: 'PEM',
    [`${prefix}.keystore.location`]: tls.keyAndCertificateFile,
    [`${prefix}.truststore.type`]: 'PEM',
    [`${prefix}.truststore.location`]: tls.caFile,
  };
}
