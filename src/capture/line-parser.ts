/**
 * The general path's view of a line: which format it has, and what it says of itself. Formats are recognised line by
 * line, so that Docker's lines under `/var/log/pods` and a file that changes its format are read right.
 */
import { LANE } from '../record/lane.ts';
import type { Lane } from '../record/lane.ts';
import { parseCri } from './cri-line.ts';
import type { DecodedFile, LineFormat } from './decoder-types.ts';
import { DockerLineParser, isDockerStart } from './docker-line.ts';
import { createParsedLine, resetLine } from './parsed-line.ts';
import type { ParsedLine } from './parsed-line.ts';
import { parseLocalStamp, parseTai64n } from './s6-stamp.ts';

export interface LineParserOptions {
  readonly taiOffsetSeconds: number;
  /** Seconds east of UTC of a local time, given as if it were UTC. */
  readonly timeZone: (localSeconds: number) => number;
  /** s6-log's `-l`: a longer line is split into pieces of just this many bytes. */
  readonly s6LineBytes: number;
}

const OPEN_BRACE = 123;
const AT_SIGN = 0x40;

export class LineParser {
  readonly #line: ParsedLine = createParsedLine();
  readonly #docker = new DockerLineParser();
  readonly #format: LineFormat;
  readonly #lane: Lane;
  readonly #options: LineParserOptions;

  constructor(file: DecodedFile, options: LineParserOptions) {
    this.#format = file.format;
    this.#lane = laneOfStream(file.stream);
    this.#options = options;
  }

  /** Takes the line `bytes[0, end)` apart. The result is valid until the next call. */
  parse(bytes: Uint8Array, end: number): ParsedLine {
    const line = this.#line;
    resetLine(line, bytes, end, this.#lane);
    switch (this.#format) {
      case 'plain':
        return line;
      case 's6':
        this.#parseStamp(bytes, end, line);
        this.#guessPiece(line);
        return line;
      case 'cri':
      case 'docker':
        if (!this.#parseRuntime(bytes, end, line)) {
          // A lane of its own: in the stream's lane it could overtake pieces that wait for their end.
          resetLine(line, bytes, end, LANE.file);
          line.parseError = `not a ${this.#format === 'cri' ? 'CRI' : 'Docker'} line`;
        }
        return line;
      case 'auto':
        if (!this.#parseAny(bytes, end, line)) {
          resetLine(line, bytes, end, this.#lane);
          this.#parseStamp(bytes, end, line);
        }
        return line;
    }
  }

  #parseRuntime(bytes: Uint8Array, end: number, line: ParsedLine): boolean {
    return bytes[0] === OPEN_BRACE && end > 0
      ? this.#docker.parse(bytes, end, line)
      : parseCri(bytes, end, line);
  }

  /** Without being told, only the driver's own order of members makes JSON a line of Docker's. */
  #parseAny(bytes: Uint8Array, end: number, line: ParsedLine): boolean {
    if (end === 0) return false;
    if (bytes[0] !== OPEN_BRACE) return parseCri(bytes, end, line);
    return end > 6 && isDockerStart(bytes, 0) && this.#docker.parse(bytes, end, line) && line.hasTime;
  }

  #parseStamp(bytes: Uint8Array, end: number, line: ParsedLine): void {
    const { taiOffsetSeconds, timeZone } = this.#options;
    const isTai = end > 0 && bytes[0] === AT_SIGN;
    const contentStart = isTai
      ? parseTai64n(bytes, 0, end, line.time, taiOffsetSeconds)
      : parseLocalStamp(bytes, end, line.time, timeZone);
    if (contentStart < 0) return;
    line.hasTime = true;
    line.contentStart = contentStart;
    line.headerBytes = contentStart;
  }

  #guessPiece(line: ParsedLine): void {
    if (line.contentEnd - line.contentStart !== this.#options.s6LineBytes) return;
    line.isPartial = true;
    line.isGuess = true;
  }
}

/** Returns the lane of a stream by its name. */
export function laneOfStream(stream: DecodedFile['stream']): Lane {
  return LANE[stream];
}
