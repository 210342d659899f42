import { LANE } from '../record/lane.ts';
import type { Lane } from '../record/lane.ts';
import { TIMESTAMP_LENGTH } from '../record/timestamp.ts';

/** What one line says of itself. One object is used again for every line, so it is valid until the next parse. */
export interface ParsedLine {
  /** The bytes that the content is a range of: the line itself, or a scratch buffer of decoded text. */
  bytes: Uint8Array;
  contentStart: number;
  contentEnd: number;
  /** Where the content begins in the line. */
  headerBytes: number;
  lane: Lane;
  /** Whether more of the same line follows (CRI's `P`, Docker's missing newline). */
  isPartial: boolean;
  /** Whether `isPartial` is only guessed from the length. */
  isGuess: boolean;
  hasTime: boolean;
  /** 30 characters; counts when `hasTime` is set. */
  readonly time: Uint8Array;
  parseError: string | undefined;
}

export function createParsedLine(): ParsedLine {
  return {
    bytes: new Uint8Array(0),
    contentStart: 0,
    contentEnd: 0,
    headerBytes: 0,
    lane: LANE.file,
    isPartial: false,
    isGuess: false,
    hasTime: false,
    time: new Uint8Array(TIMESTAMP_LENGTH),
    parseError: undefined,
  };
}

/** Makes `line` stand for all of `bytes[0, end)` in `lane`, without a time. */
export function resetLine(line: ParsedLine, bytes: Uint8Array, end: number, lane: Lane): void {
  line.bytes = bytes;
  line.contentStart = 0;
  line.contentEnd = end;
  line.headerBytes = 0;
  line.lane = lane;
  line.isPartial = false;
  line.isGuess = false;
  line.hasTime = false;
  line.parseError = undefined;
}
