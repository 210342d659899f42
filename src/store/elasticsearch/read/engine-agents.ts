/** Reads the newest heartbeat of each agent from the ledger, where it stands among the records of files. */
import { isHeartbeat, type HeartbeatRecord } from '../../../record/heartbeat.ts';
import { HEARTBEAT_ID_PREFIX } from '../../../record/identity.ts';
import type { LedgerRecord } from '../../../record/ledger.ts';
import type { LogIndices } from './engine-search.ts';
import { sendSearch } from './engine-search.ts';

/** Agents that are known of: as many as an engine gives in one answer. */
const AGENTS_MAX = 10_000;

/** Returns the newest heartbeats that a search finds, about a second after they were written. */
export async function agentsOfEngine(
  ledger: LogIndices,
  signal: AbortSignal,
): Promise<readonly HeartbeatRecord[]> {
  const query = { prefix: { file: HEARTBEAT_ID_PREFIX } };
  const body = JSON.stringify({ size: AGENTS_MAX, track_total_hits: false, query });
  const { hits } = await sendSearch(ledger, body, signal);
  const records = hits.map(({ document }) => (JSON.parse(document) as { record: LedgerRecord }).record);
  return records.filter(isHeartbeat);
}
