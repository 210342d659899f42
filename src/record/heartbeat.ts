/**
 * What an agent says of itself now and then, so that an audit knows of agents that are silent: a ledger record that
 * tells of no file. It travels and is stored as others are, under an id made of the agent's node, so that the newest
 * of each node is what a store keeps; a program that does not know of heartbeats takes it for an empty file.
 */
import { FILE_ID_LENGTH, HEARTBEAT_ID_PREFIX, toHex } from './identity.ts';
import type { LedgerRecord } from './ledger.ts';

/** How often an agent says that it is there. */
export const HEARTBEAT_MS = 15_000;

export interface Heartbeat {
  readonly cluster: string;
  /** Version of Logboom. */
  readonly version: string;
  /** `stopped`: in good order; `forgotten`: a person said that the node is gone for good. */
  readonly state: 'running' | 'stopped' | 'forgotten';
  /** Milliseconds until the next one, while it runs. */
  readonly intervalMs: number;
  readonly files: number;
  /** Bytes of its files that it had not read. */
  readonly unreadBytes: number;
  /** Bytes that it had read, and that were in no acknowledged record. */
  readonly unacknowledgedBytes: number;
  /** RFC 3339 with nine digits, UTC: since when the oldest of both had waited, at least; absent when there were none. */
  readonly oldestUnread?: string;
  /** Files and directories that it could not look into for a while, or that have no id; absent when there were none. */
  readonly unreadable?: number;
  /** The first of them, with the reason and the remedy. */
  readonly firstUnreadable?: string;
}

/** Characters of `firstUnreadable`; a longer text is cut. */
export const UNREADABLE_TEXT_MAX = 8_192;

/** A ledger record that is a heartbeat. */
export type HeartbeatRecord = LedgerRecord & { readonly agent: Heartbeat };

/** Who sends a heartbeat, and when. */
export interface HeartbeatMoment {
  readonly node: string;
  /** Greater than that of the one before. */
  readonly sequence: number;
  /** RFC 3339 with nine digits, UTC. */
  readonly time: string;
}

/** Returns the id under which the heartbeats of a node's agent are stored. `sha256` is the platform's hash function. */
export function heartbeatIdOf(
  cluster: string,
  node: string,
  sha256: (bytes: Uint8Array) => Uint8Array,
): string {
  const hash = toHex(sha256(new TextEncoder().encode(JSON.stringify([cluster, node]))));
  return `${HEARTBEAT_ID_PREFIX}${hash}`.slice(0, FILE_ID_LENGTH);
}

/** Returns the ledger record of a heartbeat: that of a file without bytes. */
export function heartbeatRecord(
  fileId: string,
  { node, sequence, time }: HeartbeatMoment,
  agent: Heartbeat,
): HeartbeatRecord {
  return {
    fileId,
    sequence,
    time,
    node,
    path: '',
    namespace: undefined,
    pod: undefined,
    container: undefined,
    state: 'active',
    bytesWritten: 0,
    bytesRead: 0,
    acknowledgedOffset: 0,
    records: 0,
    offsetSum: '0',
    dropped: {},
    gaps: [],
    agent,
  };
}

/** Whether a ledger record tells of an agent, and of no file. */
export function isHeartbeat(record: LedgerRecord): record is HeartbeatRecord {
  return record.agent !== undefined && record.fileId.startsWith(HEARTBEAT_ID_PREFIX);
}
