/**
 * Which agents are silent: a pure state over the newest heartbeats of all agents, looked at now and then.
 *
 * Clocks of machines differ, so an agent that was heard between two looks was there between them, whatever its own
 * clock says; only at the first look its clock is believed. An agent is silent when nobody has heard of it for three of its
 * intervals, or when it stopped with bytes that it had not delivered.
 */
import type { HeartbeatRecord } from '../record/heartbeat.ts';
import { parseTimestamp } from '../record/timestamp.ts';
import type { AgentStatus } from './api-types.ts';

/** Intervals without a word after which an agent counts as silent: one may be late, and one on its way. */
const INTERVALS_MAX = 3;

/** An agent of which nobody has heard for so long is no news any more: it is listed, and holds up no verdict. */
const LINGER_MS = 7 * 24 * 3_600_000;

const NS_PER_MS = 1_000_000n;

/** When a look took place, by both clocks. */
export interface LookMoment {
  /** Wall clock. */
  readonly nowNs: bigint;
  readonly monotonicMs: number;
}

interface Heard {
  sequence: number;
  /** By the monotonic clock of this process: when it was last there, as far as is known. */
  atMs: number;
}

export class AgentState {
  readonly #heard = new Map<string, Heard>();
  #lookedAtMs: number | undefined;

  /**
   * Takes the newest heartbeats; returns what is known of each agent that was not forgotten, silent ones first. The
   * agent of node `ownNode` shares the process, and is never silent.
   */
  look(
    records: readonly HeartbeatRecord[],
    { nowNs, monotonicMs }: LookMoment,
    ownNode: string | undefined,
  ): AgentStatus[] {
    const ids = new Set<string>();
    const agents: AgentStatus[] = [];
    for (const record of records) {
      const { fileId, sequence, agent } = record;
      ids.add(fileId);
      const saidMs = monotonicMs - Number((nowNs - (parseTimestamp(record.time) ?? 0n)) / NS_PER_MS);
      const known = this.#heard.get(fileId);
      let atMs = known?.atMs ?? Math.min(monotonicMs, saidMs);
      if (known !== undefined && known.sequence !== sequence)
        atMs = Math.min(monotonicMs, Math.max(this.#lookedAtMs ?? saidMs, saidMs));
      this.#heard.set(fileId, { sequence, atMs });
      if (agent.state === 'forgotten') continue;
      const state = record.node === ownNode ? 'running' : stateOf(record, monotonicMs - atMs);
      agents.push(statusOf(record, state));
    }
    for (const id of this.#heard.keys()) if (!ids.has(id)) this.#heard.delete(id);
    this.#lookedAtMs = monotonicMs;
    return agents.toSorted(
      (left, right) => RANK[left.state] - RANK[right.state] || (left.node < right.node ? -1 : 1),
    );
  }
}

const RANK: Readonly<Record<AgentStatus['state'], number>> = { silent: 0, stopped: 1, gone: 2, running: 3 };

function stateOf({ agent }: HeartbeatRecord, silentMs: number): AgentStatus['state'] {
  const isDelivered = agent.unreadBytes === 0 && agent.unacknowledgedBytes === 0;
  if (silentMs > LINGER_MS) return 'gone';
  if (agent.state === 'stopped') return isDelivered ? 'stopped' : 'silent';
  return silentMs > INTERVALS_MAX * agent.intervalMs ? 'silent' : 'running';
}

function statusOf({ node, time, agent }: HeartbeatRecord, state: AgentStatus['state']): AgentStatus {
  const { cluster, version, files, unreadBytes, unacknowledgedBytes, oldestUnread = null } = agent;
  const { unreadable = 0, firstUnreadable = null } = agent;
  return {
    node,
    cluster,
    version,
    state,
    saidAt: time,
    files,
    unreadBytes,
    unacknowledgedBytes,
    oldestUnread,
    unreadable,
    firstUnreadable,
  };
}
