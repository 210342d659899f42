/**
 * The distributed pipeline in one seeded run: a world that writes and rotates, an agent, a broker, one to three
 * indexers and a search engine. Agents and indexers are killed and started again, indexers come and go in order, the
 * group is shared out anew at any moment, batches are appended twice, commits fail, broker and engine are away, and
 * writes are applied in part before they fail. In the end the faults stop, and every line must stand in the engine
 * or, where the engine refuses it, among the dead letters: once.
 */
import { buildAuditReport } from '../../src/api/audit-report.ts';
import type { Agent } from '../../src/agent/agent-types.ts';
import { messageOf } from '../../src/base/errors.ts';
import { MemoryFileSystem } from '../../src/base/memory-file-system.ts';
import { createRandom } from '../../src/base/prng.ts';
import type { Service } from '../../src/base/service.ts';
import { VirtualScheduler } from '../../src/base/virtual-scheduler.ts';
import type { DeadLetter } from '../../src/record/dead-letter.ts';
import type { FileAudit } from '../../src/store/store.ts';
import { checkExactlyOnce, checkNames } from './check-guarantees.ts';
import type { Found } from './check-guarantees.ts';
import type { RunningProcess, Surroundings } from './cluster-processes.ts';
import { startAgent, startIndexer } from './cluster-processes.ts';
import { SimulatedBroker } from './simulated-broker.ts';
import { isPoison, SimulatedEngine } from './simulated-engine.ts';
import { World } from './world.ts';

export interface ClusterReport {
  readonly seed: number;
  readonly lines: number;
  readonly crashes: number;
  readonly rebalances: number;
  /** Batches that the broker took twice. */
  readonly duplicates: number;
  readonly deadLetters: number;
  /** Empty when every guarantee held. */
  readonly violations: readonly string[];
}

const STEP_COUNT = 160;
const STEP_MS_MAX = 400;
const INDEXERS_MAX = 3;

/** Virtual time that opening an archive takes at most. */
const OPEN_MS_MAX = 2000;

/** Virtual time after which every file was found, and after which everything must have arrived. */
const FIND_MS = 5000;
const DRAIN_MS_MAX = 900_000;

class Cluster {
  readonly scheduler: VirtualScheduler;
  readonly world: World;
  readonly broker: SimulatedBroker;
  readonly engine: SimulatedEngine;
  crashes = 0;
  failure: unknown;
  readonly #random: () => number;
  readonly #fileSystem: MemoryFileSystem;
  readonly #surroundings: Surroundings;
  #agent: RunningProcess<Agent>;
  #indexers: RunningProcess<Service>[];

  constructor(seed: number) {
    const random = createRandom(seed);
    this.#random = random;
    this.scheduler = new VirtualScheduler({ random });
    this.#fileSystem = new MemoryFileSystem({
      nowNs: () => this.scheduler.nowNs(),
      deliver: (task) => void this.scheduler.schedule(random() * 5, task),
    });
    this.broker = new SimulatedBroker({ scheduler: this.scheduler, random });
    this.engine = new SimulatedEngine(random);
    this.#surroundings = {
      fileSystem: this.#fileSystem,
      scheduler: this.scheduler,
      broker: this.broker,
      engine: this.engine,
      openMs: () => random() ** 4 * OPEN_MS_MAX,
      onFailure: (error) => (this.failure ??= error),
    };
    this.world = new World({
      fileSystem: this.#fileSystem,
      random,
      nowMs: () => this.scheduler.nowMs(),
      isStored: (text) => this.engine.settled.has(text),
    });
    this.#agent = startAgent(this.#surroundings);
    this.#indexers = [startIndexer(this.#surroundings)];
  }

  /** Lets something happen, and time pass. */
  async step(): Promise<void> {
    this.world.act();
    await this.scheduler.advance(this.#random() * STEP_MS_MAX);
    this.#changeFaults();
    const dice = this.#random();
    if (dice < 0.02) this.#restartAgent();
    else if (dice < 0.05) this.#killIndexer();
    else if (dice < 0.07) await this.#retireIndexer();
    else if (dice < 0.11) this.broker.rebalance();
    if (this.#indexers.length < INDEXERS_MAX && (this.#indexers.length === 0 || this.#random() < 0.03)) {
      this.#indexers.push(startIndexer(this.#surroundings));
    }
  }

  /** Ends the faults, and lets everything arrive. */
  async drain(): Promise<void> {
    this.broker.faults.isAway = false;
    this.broker.faults.duplicateChance = 0;
    this.broker.faults.commitFailureChance = 0;
    this.engine.faults.isAway = false;
    this.engine.faults.failureChance = 0;
    this.world.finish();
    await this.scheduler.advance(FIND_MS);
    await this.scheduler.advanceUntil(() => this.#isDrained(), DRAIN_MS_MAX, 1000);
    // The last word of the ledger follows the last records.
    const stopped = Promise.all([this.#agent, ...this.#indexers].map(({ service }) => service.stop()));
    await this.scheduler.advance(60_000);
    await stopped;
    const last = startIndexer(this.#surroundings);
    await this.scheduler.advance(30_000);
    await this.scheduler.advanceUntil(() => this.broker.isDrained, DRAIN_MS_MAX, 1000);
    last.life.kill();
  }

  #isDrained(): boolean {
    if (this.failure !== undefined) return true;
    const files = this.#agent.service.files();
    if (files.length === 0 || !this.broker.isDrained) return false;
    return files.every((file) => file.acknowledgedOffset >= file.size);
  }

  #restartAgent(): void {
    this.crashes += 1;
    this.#agent.life.kill();
    this.#fileSystem.crash();
    this.world.act();
    this.#agent = startAgent(this.#surroundings);
  }

  #killIndexer(): void {
    const victim = this.#indexers.splice(Math.floor(this.#random() * this.#indexers.length), 1)[0];
    if (victim === undefined) return;
    this.crashes += 1;
    victim.life.kill();
  }

  async #retireIndexer(): Promise<void> {
    const retired = this.#indexers.shift();
    if (retired === undefined) return;
    void retired.service.stop();
    await this.scheduler.advance(this.#random() * STEP_MS_MAX);
  }

  #changeFaults(): void {
    const { faults } = this.broker;
    faults.isAway = this.#isAwayNext(faults.isAway);
    this.engine.faults.isAway = this.#isAwayNext(this.engine.faults.isAway);
    if (this.#random() < 0.1) faults.duplicateChance = this.#random() < 0.5 ? 0 : 0.3;
    if (this.#random() < 0.1) faults.commitFailureChance = this.#random() < 0.5 ? 0 : 0.5;
    if (this.#random() < 0.1) this.engine.faults.failureChance = this.#random() < 0.5 ? 0 : 0.5;
  }

  #isAwayNext(isAway: boolean): boolean {
    return this.#random() < (isAway ? 0.7 : 0.02);
  }
}

/** Runs one seed to its end. */
export async function simulateCluster(seed: number): Promise<ClusterReport> {
  const cluster = new Cluster(seed);
  for (let step = 0; step < STEP_COUNT; step++) await cluster.step();
  await cluster.drain();
  const { broker, world, crashes } = cluster;
  const letters: DeadLetter[] = [];
  for await (const letter of broker.deadLetters.read()) letters.push(letter);
  return {
    seed,
    lines: world.lines.length,
    crashes,
    rebalances: broker.rebalances,
    duplicates: broker.duplicates,
    deadLetters: letters.length,
    violations: await violationsOf(cluster, letters),
  };
}

async function violationsOf(cluster: Cluster, letters: readonly DeadLetter[]): Promise<string[]> {
  const { failure, world, engine, broker } = cluster;
  if (failure !== undefined) return [`a process failed: ${stackOf(failure)}`];
  if (!broker.isDrained) return ['the broker has records that nobody committed'];
  const texts = [...engine.documents.map(({ text }) => text), ...letters.map(({ document }) => document)];
  const found = texts.map((text) => JSON.parse(text) as Found);
  const wrongLetters = letters.filter(({ document }) => !isPoison((JSON.parse(document) as Found).message));
  const report = await buildAuditReport(iterate(engine.audit(letters)));
  return [
    ...checkExactlyOnce(world.lines, found),
    ...checkNames(world.lines, found),
    ...wrongLetters.map(({ document }) => `G7 a good document is a dead letter: ${document.slice(0, 80)}`),
    ...(report.verdict === 'discrepancy' ? [`G1 audit: ${JSON.stringify(report.problems.slice(0, 3))}`] : []),
  ];
}

async function* iterate(files: readonly FileAudit[]): AsyncIterable<FileAudit> {
  await Promise.resolve();
  yield* files;
}

function stackOf(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : messageOf(failure);
}
