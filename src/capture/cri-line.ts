import { LANE } from '../record/lane.ts';
import type { ParsedLine } from './parsed-line.ts';
import { parseRfc3339 } from './rfc3339.ts';

const NEWLINE = 10;
const SPACE = 32;
const COLON = 58;
const UPPER_F = 70;
const UPPER_P = 80;
const UPPER_T = 84;

/**
 * Takes a line of the container runtime interface apart: `<RFC 3339> stdout|stderr P|F[:tag…] <content>`, as
 * described in Kubernetes' design proposal "CRI logging". The blank behind the tags may be missing when there is no
 * content. Returns whether it is one; `line` is spoilt when not.
 */
export function parseCri(bytes: Uint8Array, end: number, line: ParsedLine): boolean {
  const stampEnd = parseRfc3339(bytes, 0, end, line.time);
  if (stampEnd < 0 || bytes[stampEnd] !== SPACE || stampEnd + 9 > end) return false;
  const stream = stampEnd + 1;
  if (bytes[stream + 6] !== SPACE) return false;
  const lane = laneOf(bytes, stream);
  if (lane === undefined) return false;
  const tag = bytes[stream + 7];
  if (tag !== UPPER_F && tag !== UPPER_P) return false;
  let at = stream + 8;
  if (at < end && bytes[at] === COLON) {
    while (at < end && bytes[at] !== SPACE) at++;
  }
  if (at < end && bytes[at] !== SPACE) return false;
  line.contentStart = Math.min(at + 1, end);
  line.contentEnd = end;
  line.headerBytes = line.contentStart;
  line.bytes = bytes;
  line.lane = lane;
  line.isPartial = tag === UPPER_P;
  line.hasTime = true;
  return true;
}

/** The lane that the six bytes `stdout` or `stderr` at `at` name. */
export function laneOf(bytes: Uint8Array, at: number): typeof LANE.stdout | typeof LANE.stderr | undefined {
  if (bytes[at] !== 115 || bytes[at + 1] !== 116 || bytes[at + 2] !== 100) return undefined;
  if (bytes[at + 3] === 111 && bytes[at + 4] === 117 && bytes[at + 5] === 116) return LANE.stdout;
  if (bytes[at + 3] === 101 && bytes[at + 4] === 114 && bytes[at + 5] === 114) return LANE.stderr;
  return undefined;
}

/** Whether a line that begins with a digit can be one: a `T` in its place, and `st` behind the first blank. */
export function mayBeCri(bytes: Uint8Array, start: number): boolean {
  if (bytes[start + 10] !== UPPER_T) return false;
  for (let at = start + 19; at < start + STAMP_BYTES_LIKELY; at++) {
    const byte = bytes[at];
    if (byte === SPACE) return bytes[at + 1] === 115 && bytes[at + 2] === 116;
    if (byte === NEWLINE) return false;
  }
  return true;
}

/** Further than the longest time that anybody writes. */
const STAMP_BYTES_LIKELY = 48;
