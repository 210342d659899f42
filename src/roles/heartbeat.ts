/**
 * Lets others know now and then that the agent of this process is there, and what it has not delivered: an audit must
 * not say that all is well while nobody hears from an agent. The last word, at the end of a drain, says that it
 * stopped in good order.
 */
import { createHash } from 'node:crypto';
import { AppError, messageOf } from '../base/errors.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Service } from '../base/service.ts';
import type { Agent } from '../agent/agent-types.ts';
import { obstacleText } from '../agent/obstacles.ts';
import type { Config } from '../config/config.ts';
import {
  HEARTBEAT_MS,
  heartbeatIdOf,
  heartbeatRecord,
  type Heartbeat,
  UNREADABLE_TEXT_MAX,
} from '../record/heartbeat.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Producer } from '../transport/transport.ts';
import { LagState } from './lag-state.ts';

export interface HeartbeatOptions {
  readonly agent: Pick<Agent, 'files' | 'followed' | 'obstacles'>;
  readonly producer: Pick<Producer, 'sendLedger'>;
  readonly node: string;
  readonly cluster: string;
  readonly version: string;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
}

/** How often it is looked whether the agent knows its files: before that it has nothing to say. */
const LOOK_MS = 500;

/** How long the end of the process waits for its last word. */
const LAST_WORD_MS_MAX = 1_000;

/** What could not be looked into for so long does not pass by itself. */
const LASTING_MS = 5_000;

/** Why a file has no id. */
const UNKNOWN_TEXT = 'its first line is not whole, or not read yet';

const NS_PER_MS = 1_000_000;

/** Makes the service that speaks for the agent of this process. */
export function createAgentHeartbeat(
  agent: Agent,
  setup: Pick<HeartbeatOptions, 'telemetry' | 'producer' | 'version'> & { readonly config: Config },
): Service {
  const { config, ...parts } = setup;
  return createHeartbeat({
    ...parts,
    agent,
    node: config.node.name,
    cluster: config.cluster.name,
    scheduler: nodeScheduler,
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  });
}

/** Makes the service that speaks for an agent. Stop it behind the agent. */
export function createHeartbeat(options: HeartbeatOptions): Service {
  return new HeartbeatService(options);
}

class HeartbeatService implements Service {
  readonly name = 'heartbeat';
  readonly #options: HeartbeatOptions;
  readonly #id: string;
  readonly #lag = new LagState();
  readonly #stopping = new AbortController();
  /** By path: since when a file is known to be without an id. */
  #unknownSinceMs: ReadonlyMap<string, number> = new Map();
  #running: Promise<void> | undefined;
  /** The one that is on its way: while the transport is away no others queue up behind it. */
  #sending: Promise<void> | undefined;
  #sequence = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#id = heartbeatIdOf(options.cluster, options.node, options.sha256);
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async stop(): Promise<void> {
    const { scheduler, agent } = this.#options;
    this.#stopping.abort();
    await this.#running;
    if (agent.followed === undefined) return;
    const patience = new AbortController();
    const lastWord = async (): Promise<void> => {
      await this.#sending;
      await this.#send('stopped');
    };
    await Promise.race([lastWord(), scheduler.sleep(LAST_WORD_MS_MAX, patience.signal)]);
    patience.abort();
  }

  problem(): undefined {
    return undefined;
  }

  async #loop(): Promise<void> {
    const { scheduler, agent } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted && agent.followed === undefined) await scheduler.sleep(LOOK_MS, signal);
    while (!signal.aborted) {
      if (this.#sending === undefined) void this.#send('running');
      await scheduler.sleep(HEARTBEAT_MS, signal);
    }
  }

  #send(state: Heartbeat['state']): Promise<void> {
    const { producer, node, scheduler, telemetry } = this.#options;
    // The clock makes the number increase over restarts.
    this.#sequence = Math.max(this.#sequence + 1, Math.floor(scheduler.nowMs()));
    const moment = { node, sequence: this.#sequence, time: formatTimestamp(scheduler.nowNs()) };
    const record = heartbeatRecord(this.#id, moment, this.#wordsOf(state));
    const sending = producer.sendLedger([record]).then(
      () => undefined,
      (error: unknown) => {
        // The process ends; whoever listens notices that.
        if (error instanceof AppError && error.code === 'closed') return;
        telemetry.log('warn', 'heartbeat_failed', `cannot say that the agent is there: ${messageOf(error)}`);
      },
    );
    this.#sending = sending.finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  #wordsOf(state: Heartbeat['state']): Heartbeat {
    const { agent, cluster, version, scheduler } = this.#options;
    const files = agent.files();
    let unreadBytes = 0;
    let unacknowledgedBytes = 0;
    for (const { size, readOffset, acknowledgedOffset } of files) {
      unreadBytes += Math.max(0, size - readOffset);
      unacknowledgedBytes += Math.max(0, Math.min(size, readOffset) - acknowledgedOffset);
    }
    const samples = files.map(({ id, path, size, acknowledgedOffset }) => ({
      key: id ?? path,
      end: size,
      done: acknowledgedOffset,
    }));
    const [oldest] = this.#lag.update(samples, scheduler.monotonicMs());
    const counts = { files: files.length, unreadBytes, unacknowledgedBytes };
    const words = { cluster, version, state, intervalMs: HEARTBEAT_MS, ...counts, ...this.#unreadable() };
    if (oldest === undefined) return words;
    const waitedNs = BigInt(Math.round(oldest.seconds * 1_000) * NS_PER_MS);
    return { ...words, oldestUnread: formatTimestamp(scheduler.nowNs() - waitedNs) };
  }

  /** What cannot be looked into for a moment only is not told: others hear of it for as long as the next one takes. */
  #unreadable(): Pick<Heartbeat, 'unreadable' | 'firstUnreadable'> {
    const { agent, scheduler } = this.#options;
    const nowMs = scheduler.monotonicMs();
    const lasting = agent.obstacles().filter(({ sinceMs }) => nowMs - sinceMs >= LASTING_MS);
    const texts = lasting.map((obstacle) => `${obstacle.path}: ${obstacleText(obstacle)}`);
    const told = new Set(lasting.map(({ path }) => path));
    for (const path of this.#unknownFiles(nowMs)) if (!told.has(path)) texts.push(`${path}: ${UNKNOWN_TEXT}`);
    const [first] = texts;
    if (first === undefined) return {};
    return { unreadable: texts.length, firstUnreadable: first.slice(0, UNREADABLE_TEXT_MAX) };
  }

  /** Files that have bytes and no id, and had none when it was spoken last either. */
  #unknownFiles(nowMs: number): string[] {
    const files = this.#options.agent.files().filter(({ id, size }) => id === undefined && size > 0);
    const before = this.#unknownSinceMs;
    this.#unknownSinceMs = new Map(files.map(({ path }) => [path, before.get(path) ?? nowMs]));
    const lasting = [...this.#unknownSinceMs].filter(([, sinceMs]) => nowMs - sinceMs >= LASTING_MS);
    return lasting.map(([path]) => path);
  }
}
