import type { DropReason } from './drop-reason.ts';
import type { FlawCounts } from './flaw.ts';
import type { Heartbeat } from './heartbeat.ts';

/**
 * What an agent says of one file, for `logboom audit`: how many bytes there were, how many of them stand in
 * delivered records, and what became of the rest (G1). Ledger records live apart from logs.
 *
 * `offsetSum` is the sum of the offsets of the acknowledged records, modulo 2^64, in decimal: a loss and a
 * duplicate that cancel out in the counts do not cancel out in it.
 */
export interface LedgerRecord {
  readonly fileId: string;
  /** Increases with every record that this agent writes of this file; the highest one holds. */
  readonly sequence: number;
  readonly time: string;
  readonly node: string;
  readonly path: string;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  readonly state: 'active' | 'gone' | 'complete';
  /** Size of the file when last seen: the bytes that were written. */
  readonly bytesWritten: number;
  readonly bytesRead: number;
  /** Every byte below is in an acknowledged record or in `dropped`. */
  readonly acknowledgedOffset: number;
  /** Records whose whole lane below `acknowledgedOffset` is acknowledged. */
  readonly records: number;
  readonly offsetSum: string;
  /** Bytes by reason. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** What was odd about the records; absent in ledgers of earlier versions. */
  readonly flaws?: FlawCounts;
  /** Ranges that were lost or may have been, with what is known of them. */
  readonly gaps: readonly LedgerGap[];
  /** The record tells of the agent itself, and of no file; absent in those of files, and in earlier versions. */
  readonly agent?: Heartbeat;
}

export interface LedgerGap {
  readonly kind: 'gap' | 'possible_loss';
  /** First byte that was not read. */
  readonly startOffset: number;
  /** One past the last byte known to have been written. */
  readonly endOffset: number;
  readonly reason: string;
  /** When it was noticed, RFC 3339 with nine digits in UTC. */
  readonly time?: string;
  /** The file's path then. */
  readonly path?: string;
}
