/** Looks after the agents that the store has heard of: which of them are silent, and which a person has given up. */
import { AppError, messageOf } from '../base/errors.ts';
import type { Scheduler, Timer } from '../base/scheduler.ts';
import { HEARTBEAT_MS, heartbeatRecord, type HeartbeatRecord } from '../record/heartbeat.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { AgentState } from './agent-state.ts';
import type { ApiOptions } from './api-options.ts';
import type { AgentStatus } from './api-types.ts';

interface AgentWatchOptions {
  readonly store: Pick<Store, 'agents'>;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  /** Of an agent in this process. */
  readonly ownNode: string | undefined;
  /** Takes ledger records; resolves when they are durable. */
  readonly submitLedger: (records: readonly LedgerRecord[], signal: AbortSignal) => Promise<void>;
}

/** What an audit has to know of agents. */
export interface AgentReport {
  readonly agents: readonly AgentStatus[];
  /** Nodes whose agents a person has given up. */
  readonly forgottenNodes: ReadonlySet<string>;
}

const STATES = ['running', 'silent', 'stopped', 'gone'] as const;

/** Reading heartbeats takes longer only when the store is away. */
const LOOK_MS_MAX = 5_000;

/** Makes the watch over the agents that the store of an API has heard of. */
export function createAgentWatch(options: ApiOptions): AgentWatch {
  const { store, scheduler, telemetry, agentNode: ownNode, submitLedger } = options;
  return new AgentWatch({
    store,
    scheduler,
    telemetry,
    ownNode,
    submitLedger: submitLedger ?? ((records, signal) => store.appendLedger(records, signal)),
  });
}

export class AgentWatch {
  readonly #options: AgentWatchOptions;
  readonly #state = new AgentState();
  readonly #closing = new AbortController();
  #silent = new Set<string>();
  #timer: Timer | undefined;

  /** Called by `createAgentWatch` only. */
  constructor(options: AgentWatchOptions) {
    this.#options = options;
  }

  /** Looks every interval from now on, for metrics and the log. */
  start(): void {
    const again = (): void => {
      if (!this.#closing.signal.aborted) this.#timer = this.#options.scheduler.schedule(HEARTBEAT_MS, again);
      // A store that is away says so itself.
      this.look(this.#closing.signal).catch(() => undefined);
    };
    again();
  }

  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
  }

  /** Returns what is known of agents now. Rejects when the store does not answer. */
  async look(signal: AbortSignal): Promise<AgentReport> {
    const { scheduler, ownNode } = this.#options;
    const records = await this.#read(signal);
    const moment = { nowNs: scheduler.nowNs(), monotonicMs: scheduler.monotonicMs() };
    const agents = this.#state.look(records, moment, ownNode);
    const known = new Set(agents.map(({ node }) => node));
    const forgotten = records.filter(({ agent, node }) => agent.state === 'forgotten' && !known.has(node));
    this.#tell(agents);
    return { agents, forgottenNodes: new Set(forgotten.map(({ node }) => node)) };
  }

  /**
   * Gives up the agents of a node that is gone for good, until one speaks again. Rejects with `not_found` when there
   * is none, with `bad_request` when one of them was heard just now.
   */
  async forget(node: string, signal: AbortSignal): Promise<number> {
    const { agents } = await this.look(signal);
    const own = agents.filter((agent) => agent.node === node);
    if (own.length === 0) {
      throw new AppError('not_found', `cannot find an agent of node ${node}`, {
        hint: 'logboom stats lists the agents that were heard of.',
      });
    }
    if (own.some(({ state }) => state === 'running')) {
      throw new AppError('bad_request', `cannot forget the agent of node ${node}: it is running`, {
        hint: 'Stop it first; once it is silent it can be forgotten.',
      });
    }
    const records = (await this.#read(signal)).filter((record) => record.node === node);
    await this.#options.submitLedger(
      records.map((record) => this.#farewell(record)),
      signal,
    );
    return own.length;
  }

  #farewell({ fileId, node, sequence, agent }: HeartbeatRecord): HeartbeatRecord {
    const time = formatTimestamp(this.#options.scheduler.nowNs());
    // What comes from the agent itself later has a higher number, made of its clock.
    return heartbeatRecord(fileId, { node, sequence: sequence + 1, time }, { ...agent, state: 'forgotten' });
  }

  async #read(signal: AbortSignal): Promise<readonly HeartbeatRecord[]> {
    const { store, scheduler } = this.#options;
    const limit = new AbortController();
    const timer = scheduler.schedule(LOOK_MS_MAX, () => limit.abort());
    try {
      return await store.agents(AbortSignal.any([signal, limit.signal]));
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      throw new AppError('timed_out', 'cannot read which agents are there in time', { cause: error });
    } finally {
      timer.cancel();
    }
  }

  #tell(agents: readonly AgentStatus[]): void {
    const { telemetry } = this.#options;
    for (const state of STATES) {
      const count = agents.filter((agent) => agent.state === state).length;
      telemetry.gauge('logboom_api_agents', count, { state });
    }
    const silent = agents.filter(({ state }) => state === 'silent');
    const bytes = silent.reduce((sum, agent) => sum + undeliveredOf(agent), 0);
    telemetry.gauge('logboom_api_silent_agents_bytes', bytes);
    for (const agent of silent) {
      if (this.#silent.has(agent.node)) continue;
      telemetry.log('warn', 'agent_silent', silenceText(agent), { node: agent.node });
    }
    const nodes = new Set(silent.map(({ node }) => node));
    for (const node of this.#silent) {
      const isBack = agents.some((agent) => agent.node === node && agent.state === 'running');
      if (isBack && !nodes.has(node))
        telemetry.log('info', 'agent_back', `the agent of node ${node} speaks again`, { node });
    }
    this.#silent = nodes;
  }
}

/** Bytes that an agent had not delivered when it spoke last. */
function undeliveredOf({ unreadBytes, unacknowledgedBytes }: AgentStatus): number {
  return unreadBytes + unacknowledgedBytes;
}

/** Returns what is to be said of a silent agent. */
export function silenceText(agent: AgentStatus): string {
  const bytes = undeliveredOf(agent).toLocaleString('en');
  return `agent of node ${agent.node} silent since ${agent.saidAt.slice(0, 19)}Z: ${bytes} bytes undelivered then`;
}

/**
 * Returns what is to be said of agents elsewhere that could not look into everything. That of this process was asked just
 * now: what its last heartbeat said may be over.
 */
export function blindnessTexts(agents: readonly AgentStatus[], ownNode: string | undefined): string[] {
  return agents.flatMap(({ node, state, unreadable = 0, firstUnreadable = null }) => {
    if (unreadable === 0 || node === ownNode || state === 'gone') return [];
    const more = unreadable === 1 ? '' : `; nor for ${(unreadable - 1).toLocaleString('en')} more`;
    return [`agent of node ${node} cannot account for ${firstUnreadable ?? 'every file'}${more}`];
  });
}

/** Returns a report that knows of no agent, and why, where the store does not answer. */
export async function lookOrExplain(
  watch: AgentWatch,
  signal: AbortSignal,
): Promise<AgentReport & { readonly problem?: string }> {
  try {
    return await watch.look(signal);
  } catch (error) {
    const problem = `cannot tell which agents are silent: ${messageOf(error)}`;
    return { agents: [], forgottenNodes: new Set(), problem };
  }
}
