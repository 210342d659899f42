/**
 * The source of a steady stream of lines: `steady-writer.ts NAME LINE_BYTES BYTES_PER_SECOND` writes them to its
 * standard output, whole, until its standard input ends, and then says on descriptor 3 how many it wrote. Whoever reads
 * slowly slows it down; afterwards it catches up.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { steadyLine } from './steady-line.ts';

const [writer = '', lineBytesText = '', rateText = ''] = process.argv.slice(2);

const lines = { writer, lineBytes: Number(lineBytesText) };

/** As many as are behind by the time are written at once; a rest waits for the next turn. */
const CHUNK_BYTES = 32 * 1024;
const TURN_CHUNKS_MAX = 64;
const TURN_MS = 5;

const STDOUT = 1;
const TALLY = 3;

let number = 0;
let isStopping = false;
process.stdin.on('end', () => (isStopping = true)).resume();

const chunkLines = Math.max(1, Math.floor(CHUNK_BYTES / lines.lineBytes));
const startedMs = performance.now();
while (!isStopping) {
  const dueBytes = ((performance.now() - startedMs) / 1000) * Number(rateText);
  for (let chunk = 0; chunk < TURN_CHUNKS_MAX && number * lines.lineBytes < dueBytes; chunk += 1)
    writeChunk();
  await sleep(TURN_MS);
}
const seconds = (performance.now() - startedMs) / 1000;
writeSync(TALLY, JSON.stringify({ lines: number, bytes: number * lines.lineBytes, seconds }));

function writeChunk(): void {
  let text = '';
  for (let index = 0; index < chunkLines; index += 1, number += 1) text += `${steadyLine(lines, number)}\n`;
  const bytes = Buffer.from(text, 'latin1');
  for (let done = 0; done < bytes.length;) done += writeSync(STDOUT, bytes, done);
}
