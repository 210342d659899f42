import type { DropReason } from '../record/drop-reason.ts';
import type { FlawCounts } from '../record/flaw.ts';
import type { RecordBatch } from '../record/record-batch.ts';

/** How the lines of a file are framed. `auto` recognises CRI and Docker json-file lines one by one. */
export type LineFormat = 'auto' | 'cri' | 'docker' | 's6' | 'plain';

/** The file that a decoder reads, as far as its documents tell of it. */
export interface DecodedFile {
  /** 20 lower-case hexadecimal digits. */
  readonly fileId: string;
  readonly path: string;
  readonly format: LineFormat;
  /** The stream of lines whose format does not say it. */
  readonly stream: 'file' | 'stdout' | 'stderr';
  /** Top-level members of every document that do not change from line to line: `kubernetes`, `container`, `host`, … */
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A batch together with what its acknowledgement means for the files that it came from. */
export interface EncodedBatch extends RecordBatch {
  /**
   * For each file that the batch has bytes of: every byte below `safeOffset` is in this batch, in an earlier one,
   * or in `dropped`. A record that began in a rotated file and ended in its successor names both.
   */
  readonly commits: readonly FileCommit[];
  /** Raw bytes of the records, framing and newlines included. */
  readonly recordBytes: number;
  /** Bytes that are in no record, by reason. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** What was odd about its records. */
  readonly flaws: FlawCounts;
}

export interface FileCommit {
  readonly fileId: string;
  readonly safeOffset: number;
}

/** Why a decoder has to give out what it still holds. */
export type FlushCause =
  /** Nothing was appended for the multiline patience: what can be a whole record is one. */
  | 'idle'
  /**
   * The file is gone at its end: pieces without their end are given out, flagged `partial`. Pieces that went on in a
   * successor stay with it, so read what there is of the successor first.
   */
  | 'gone';

export interface Decoder {
  /**
   * Decodes `bytes[start, end)`, which stand at `fileOffset` of the file, directly behind what was pushed before.
   * Lines without a stamp get `readTimeNs`. The bytes are borrowed for the call.
   */
  push(bytes: Uint8Array, start: number, end: number, fileOffset: number, readTimeNs: bigint): void;
  flush(cause: FlushCause): void;
  /**
   * Gives out what is encoded, in order, each batch once; the receiver owns it. A batch without documents only tells
   * of dropped bytes. When a file has a successor, take from the first decoder before pushing to the second.
   */
  take(): EncodedBatch[];
  /** First byte that is in no batch given out by `take` and in no drop: where a new decoder would have to begin. */
  readonly safeOffset: number;
  /** Whether an `idle` flush would give out anything. */
  readonly hasIdleRecord: boolean;
  /** Bytes held in memory: encoded and not taken, and pieces without their end. */
  readonly heldBytes: number;
  /** The file was renamed: documents from now on carry this path. */
  setPath(path: string): void;
  /** More is known of where the file comes from: documents from now on carry these members. */
  setResource(resource: Readonly<Record<string, unknown>>): void;
}
