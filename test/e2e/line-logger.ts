/**
 * An application that logs what it reads: `line-logger.ts FILE STYLE` takes lines from its standard input and writes
 * them to FILE until the input ends. SIGHUP has it open its file again; so does, with `watched` in the style, another
 * file of its name. Both happen between lines only.
 *
 *   seek, seek-watched      without O_APPEND: goes to the end of the file before every write
 *   offset, offset-watched  without O_APPEND: keeps its own offset, whatever becomes of the file
 *   buffered                O_APPEND, in pieces of 8 KiB that cut lines anywhere, as a buffered stream does
 *   watched                 O_APPEND
 */
import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';

const [file = '', style = 'offset'] = process.argv.slice(2);

const PIECE_BYTES = 8192;
const NEWLINE = 10;

const isWatching = style.endsWith('watched');
const hasAppend = style === 'buffered' || style === 'watched';

let fd = openFile();
let offset = fstatSync(fd).size;
/** The beginning of a line whose rest was not read yet. */
let unfinished: Buffer = Buffer.alloc(0);
/** Whole lines that are not written yet. */
let held: Buffer = Buffer.alloc(0);
let isReopening = false;

process.on('SIGHUP', () => (isReopening = true));

for await (const chunk of process.stdin as AsyncIterable<Buffer>) take(chunk);
writeAll(Buffer.concat([held, unfinished]));

function take(chunk: Buffer): void {
  const end = chunk.lastIndexOf(NEWLINE) + 1;
  const lines = end === 0 ? chunk.subarray(0, 0) : Buffer.concat([unfinished, chunk.subarray(0, end)]);
  unfinished = end === 0 ? Buffer.concat([unfinished, chunk]) : chunk.subarray(end);
  if (isReopening || (isWatching && isReplaced())) reopen();
  if (style !== 'buffered') return writeAll(lines);
  held = Buffer.concat([held, lines]);
  while (held.length >= PIECE_BYTES) {
    writeAll(held.subarray(0, PIECE_BYTES));
    held = held.subarray(PIECE_BYTES);
  }
}

function writeAll(bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) {
    if (style.startsWith('seek')) offset = fstatSync(fd).size;
    const count = writeSync(fd, bytes, done, bytes.length - done, hasAppend ? null : offset);
    offset += count;
    done += count;
  }
}

function reopen(): void {
  isReopening = false;
  // What it still has belongs to the old file, as when a stream is closed.
  writeAll(held);
  held = Buffer.alloc(0);
  closeSync(fd);
  fd = openFile();
  offset = fstatSync(fd).size;
}

function isReplaced(): boolean {
  return statSync(file, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino;
}

function openFile(): number {
  if (hasAppend) return openSync(file, 'a');
  try {
    return openSync(file, 'r+');
  } catch {
    return openSync(file, 'w');
  }
}
