/** All roles apart on one machine, with a real Kafka and a real OpenSearch between them, for tests that break them. */
import { writeFileSync } from 'node:fs';
import { KafkaBroker } from '../services/kafka.ts';
import type { JavaService } from '../services/java-service.ts';
import { startOpenSearch } from '../services/opensearch.ts';
import { TcpProxy } from '../services/tcp-proxy.ts';
import { Installation } from './installation.ts';
import { findFreePort, LogboomProcess, waitFor } from './logboom-process.ts';

export interface Fault {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

type Role = 'agent' | 'indexer 1' | 'indexer 2' | 'server';

const ROLES: readonly Role[] = ['agent', 'indexer 1', 'indexer 2', 'server'];

/**
 * OpenSearch refuses with 429 what would take more memory than this for documents on their way: less than what gathers
 * while something is away, so that requests are refused beside others and alone.
 */
const INDEXING_PRESSURE = '128kb';

interface Services {
  readonly kafka: KafkaBroker;
  readonly openSearch: JavaService;
  readonly kafkaWire: TcpProxy;
  readonly openSearchWire: TcpProxy;
}

export class Cluster implements AsyncDisposable {
  readonly installation: Installation;
  readonly #services: Services;
  readonly #processes = new Map<Role, LogboomProcess>();
  readonly #configFiles = new Map<Role, string>();
  #agentUrl = '';
  #refusals = 0;
  /** As OpenSearch counts since its start. */
  #refusalsNoted = 0;

  private constructor(installation: Installation, services: Services) {
    this.installation = installation;
    this.#services = services;
  }

  /** Starts everything and resolves when the server is ready. */
  static async start(): Promise<Cluster> {
    const kafkaWire = await TcpProxy.start();
    const openSearchWire = await TcpProxy.start();
    const [kafka, openSearch] = await Promise.all([
      KafkaBroker.start({ proxyPort: kafkaWire.port }),
      startOpenSearch({ settings: { 'indexing_pressure.memory.limit': INDEXING_PRESSURE } }),
    ]);
    kafkaWire.forwardTo(kafka.proxiedPort);
    openSearchWire.forwardTo(Number(new URL(openSearch.url).port));
    const services = { kafka, openSearch, kafkaWire, openSearchWire };
    const cluster = new Cluster(await Installation.create(), services);
    try {
      await cluster.#configure();
      for (const role of ROLES) cluster.#launch(role);
      await cluster.#processes.get('server')?.waitUntilReady(cluster.installation.baseUrl);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** What can be broken, and mended again. */
  faults(): Fault[] {
    const { kafka, openSearch, kafkaWire, openSearchWire } = this.#services;
    const wire = (name: string, proxy: TcpProxy): Fault => ({
      name: `the wire to ${name} is cut`,
      begin: async () => proxy.cut(),
      end: async () => proxy.mend(),
    });
    const service = (name: string, victim: KafkaBroker | JavaService): Fault => ({
      name: `${name} is killed`,
      begin: () => victim.kill(),
      end: () => victim.restart(),
    });
    const role = (name: Role): Fault => ({
      name: `${name} is killed`,
      begin: async () => void (await this.#processes.get(name)?.kill()),
      end: async () => this.#launch(name),
    });
    return [
      role('agent'),
      role('agent'),
      role('indexer 1'),
      role('indexer 1'),
      role('indexer 2'),
      wire('Kafka', kafkaWire),
      wire('OpenSearch', openSearchWire),
      service('Kafka', kafka),
      service('OpenSearch', openSearch),
      {
        name: 'OpenSearch is read-only',
        begin: () => this.#setReadOnly(true),
        end: () => this.#setReadOnly(null),
      },
    ];
  }

  /** Lets everything work again. */
  async mend(): Promise<void> {
    this.#services.kafkaWire.mend();
    this.#services.openSearchWire.mend();
    await this.#setReadOnly(null);
    this.assertAlive();
  }

  /** Resolves once the agent has measured its files and sent all that stands in them. */
  async waitForAgent(msMax: number): Promise<void> {
    await this.#processes.get('agent')?.waitUntilReady(this.#agentUrl);
    await waitFor('the agent to send everything', msMax, async () => {
      const text = await (await fetch(`${this.#agentUrl}/metrics`)).text();
      const lag = /^logboom_agent_lag_bytes (\d+)$/m.exec(text)?.[1];
      const files = /^logboom_agent_files\{state="active"\} (\d+)$/m.exec(text)?.[1];
      return lag === '0' && Number(files) > 0;
    });
  }

  /** Throws when a process has ended that nobody killed. */
  assertAlive(): void {
    for (const [role, process] of this.#processes) {
      if (process.hasExited) throw new Error(`${role} ended by itself\n${process.output}`);
    }
  }

  /** Notes how many requests OpenSearch has refused with 429; what it forgot when it was killed counts too. */
  async noteRefusals(): Promise<void> {
    const { url } = this.#services.openSearch;
    const response = await fetch(`${url}/_nodes/stats/indexing_pressure`);
    const refused = [...(await response.text()).matchAll(/"coordinating_rejections":(\d+)/g)];
    const count = refused.reduce((sum, [, digits]) => sum + Number(digits), 0);
    this.#refusals += count < this.#refusalsNoted ? count : count - this.#refusalsNoted;
    this.#refusalsNoted = count;
  }

  /** How many refusals were noted. */
  get refusals(): number {
    return this.#refusals;
  }

  /** The last words of every process. */
  get output(): string {
    return [...this.#processes].map(([role, { output }]) => `--- ${role}\n${output.slice(-6000)}`).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.values()) await process[Symbol.asyncDispose]();
    const { kafka, openSearch, kafkaWire, openSearchWire } = this.#services;
    for (const service of [kafkaWire, openSearchWire, kafka, openSearch])
      await service[Symbol.asyncDispose]();
    this.installation[Symbol.dispose]();
  }

  #launch(role: Role): void {
    const command = role.split(' ')[0] ?? role;
    const args = [command, '--config', this.#configFiles.get(role) ?? ''];
    this.#processes.set(role, new LogboomProcess({ args }));
  }

  async #configure(): Promise<void> {
    const { directory, apps, pods, port } = this.installation;
    const { kafkaWire, openSearchWire } = this.#services;
    const agentAddress = `127.0.0.1:${await findFreePort()}`;
    this.#agentUrl = `http://${agentAddress}`;
    for (const role of ROLES) {
      const name = role.replace(' ', '-');
      const file = directory.join(`${name}.yaml`);
      const lines = [
        'cluster: { name: e2e }',
        'node: { name: node-1 }',
        `data: ${directory.join(name)}`,
        'sources:',
        `  - { kind: apps, root: ${apps} }`,
        `  - { kind: pods, root: ${pods} }`,
        `transport: { kind: kafka, brokers: ["127.0.0.1:${kafkaWire.port}"], topic: logs }`,
        `store: { kind: elasticsearch, urls: ["http://127.0.0.1:${openSearchWire.port}"] }`,
        `agent: { listen: "${agentAddress}", ledgerMs: 1s }`,
        `indexer: { listen: "127.0.0.1:${await findFreePort()}" }`,
        `server: { listen: "127.0.0.1:${port}" }`,
        '',
      ];
      writeFileSync(file, lines.join('\n'));
      this.#configFiles.set(role, file);
    }
  }

  /** Sets the block that OpenSearch sets itself when a disk is full. */
  async #setReadOnly(value: true | null): Promise<void> {
    const { url } = this.#services.openSearch;
    const response = await fetch(`${url}/logboom*/_settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'index.blocks.read_only_allow_delete': value }),
    });
    const text = await response.text();
    if (!response.ok && response.status !== 404) throw new Error(`cannot set the block: ${text}`);
  }
}
