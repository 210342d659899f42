/** Which segments to merge and which to remove: decisions only. */
import type { Segment } from './catalog.ts';

/** Segments of this size are left alone. */
const SEGMENT_BYTES_ENOUGH = 64 << 20;
/** What is merged at once, so that a merge fits in memory. */
const COMPACT_BYTES_MAX = 192 << 20;
/** Few segments of an hour that is over are merged; of the hour that is being written only many. */
const COMPACT_COUNT_MIN = 2;
const COMPACT_COUNT_MIN_LIVE = 12;
const MS_PER_HOUR = 3_600_000;
const NS_PER_MS = 1_000_000n;

export interface Compaction {
  readonly segments: readonly Segment[];
  /** `YYYY-MM-DDTHH` */
  readonly hour: string;
  readonly sequence: number;
}

/** Returns the next segments to merge into one, or undefined when there is nothing to do. */
export function chooseCompaction(segments: readonly Segment[], nowMs: number): Compaction | undefined {
  const byHour = new Map<string, Segment[]>();
  for (const segment of segments) {
    if (segment.bytes >= SEGMENT_BYTES_ENOUGH) continue;
    const directory = segment.path.slice(0, segment.path.lastIndexOf('/'));
    const group = byHour.get(directory) ?? [];
    byHour.set(directory, group);
    group.push(segment);
  }
  for (const [directory, group] of byHour) {
    const chosen = smallest(group);
    const isLive = chosen.some((segment) => nowMs - segment.sealedMs < MS_PER_HOUR);
    if (chosen.length < (isLive ? COMPACT_COUNT_MIN_LIVE : COMPACT_COUNT_MIN)) continue;
    // In the order of arrival, which is about that of time.
    const segmentsInOrder = chosen.toSorted((one, other) => (one.minNs < other.minNs ? -1 : 1));
    return { segments: segmentsInOrder, hour: hourOf(directory), sequence: nextSequence(segments) };
  }
  return undefined;
}

/** Unsealed journals of this many times the sealing size make appends wait. */
const UNSEALED_FACTOR_MAX = 8;

/** Journals are sealed at this part of the store's greatest size, if that is earlier. */
const SEAL_SHARE = 8;

/** But not before they have this size: a segment of less is not worth its file. */
const SEAL_BYTES_MIN = 1 << 20;

export interface JournalLimits {
  /** Journals with more are sealed. */
  readonly sealBytes: number;
  /** With more, appends wait for the seal. */
  readonly unsealedBytesMax: number;
}

/** How large journals become: they count for the size of the store, and cannot be removed like segments. */
export function journalLimits(journalBytesMax: number, storeBytesMax: number): JournalLimits {
  const sealBytes = Math.min(journalBytesMax, Math.max(SEAL_BYTES_MIN, storeBytesMax / SEAL_SHARE));
  const unsealedBytesMax = Math.min(
    UNSEALED_FACTOR_MAX * journalBytesMax,
    Math.max(2 * sealBytes, storeBytesMax / 2),
  );
  return { sealBytes, unsealedBytesMax };
}

export interface RetentionFacts {
  readonly bytesMax: number;
  readonly ageMsMax: number | undefined;
  /** Bytes of the store that are not in segments. */
  readonly otherBytes: number;
  readonly nowMs: number;
}

/** Returns the segments that retention removes, oldest first. Age counts from arrival where that is later. */
export function chooseExpired(segments: readonly Segment[], facts: RetentionFacts): Segment[] {
  const { bytesMax, ageMsMax, otherBytes, nowMs } = facts;
  const oldestFirst = segments.toSorted((one, other) => retentionMs(one) - retentionMs(other));
  let bytes = otherBytes + segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const expired: Segment[] = [];
  for (const segment of oldestFirst) {
    const isOld = ageMsMax !== undefined && retentionMs(segment) < nowMs - ageMsMax;
    if (!isOld && bytes <= bytesMax) break;
    expired.push(segment);
    bytes -= segment.bytes;
  }
  return expired;
}

/** `day=YYYY-MM-DD/hour=HH` names the hour `YYYY-MM-DDTHH`. */
function hourOf(directory: string): string {
  return directory.replace(/^day=(.*)\/hour=(.*)$/, '$1T$2');
}

function retentionMs(segment: Segment): number {
  return Math.max(Number(segment.maxNs / NS_PER_MS), segment.sealedMs);
}

function smallest(group: readonly Segment[]): Segment[] {
  const chosen: Segment[] = [];
  let bytes = 0;
  for (const segment of group.toSorted((one, other) => one.bytes - other.bytes)) {
    bytes += segment.bytes;
    if (bytes > COMPACT_BYTES_MAX) break;
    chosen.push(segment);
  }
  return chosen;
}

/** Merged files are named beyond every journal's number, so that they never meet a file that is being sealed. */
function nextSequence(segments: readonly Segment[]): number {
  const numbers = segments.map((segment) => Number(/\/(\d+)-\d+\.[a-z]+$/.exec(segment.path)?.[1] ?? 0));
  return Math.max(MERGED_SEQUENCE, ...numbers) + 1;
}

const MERGED_SEQUENCE = 500_000_000;
