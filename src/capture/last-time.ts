import type { LineFormat } from './decoder-types.ts';
import { LineParser } from './line-parser.ts';

const NEWLINE = 10;

/**
 * Returns the time of the last whole line in `bytes` that carries one, 30 characters, or undefined. `bytes` ends where
 * a line ends, and may begin in the middle of one.
 */
export function lastTimeIn(bytes: Uint8Array, { format }: { format: LineFormat }): Uint8Array | undefined {
  const file = { fileId: '', path: '', format, stream: 'file', resource: {} } as const;
  const parser = new LineParser(file, { taiOffsetSeconds: 0, timeZone: () => 0, s6LineBytes: -1 });
  for (let end = bytes.lastIndexOf(NEWLINE); end > 0;) {
    const before = bytes.lastIndexOf(NEWLINE, end - 1);
    const text = bytes.subarray(before + 1, end);
    const line = parser.parse(text, text.length);
    if (line.hasTime) return line.time.slice();
    end = before;
  }
  return undefined;
}
