/**
 * A container runtime and a kubelet in one process of their own: `cri-writer.ts DIRECTORY NAME BURST_LINES PAUSE_MS`
 * writes CRI lines to DIRECTORY/0.log in bursts at full speed until its standard input ends, then prints how many.
 *
 * Rotation as kubelet does it: rename to `0.log.<time>`, compress all rotated files but the newest through a
 * temporary name, and only then let the runtime open a new file: until it does, it goes on writing to the old one.
 * Rotated files are never removed, so whatever is missing in the end was lost by the collector.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { sequenceLine } from './sequence-line.ts';

const [directory = '', name = '', burstLines = '2000', pauseMs = '300'] = process.argv.slice(2);

/** Small, so that a run sees many rotations; kubelet's own default is 10 MiB. */
const ROTATE_BYTES = 400_000;

/** The runtime cuts lines into pieces; smaller than the real 16 KiB so that many lines are cut. */
const PIECE_BYTES = 300;

const NEWLINE = Buffer.from('\n');

const CHUNK_LINES = 200;

let fd = openFile();
let writtenBytes = 0;
let rotations = 0;
let number = 0;
let isStopping = false;

process.stdin.on('end', () => (isStopping = true)).resume();

mkdirSync(directory, { recursive: true });
while (!isStopping) {
  for (let done = 0; done < Number(burstLines) && !isStopping; done += CHUNK_LINES) {
    writeChunk();
    await sleep(0);
  }
  await sleep(Number(pauseMs));
}
process.stdout.write(`${number}\n`);

function writeChunk(): void {
  const lines: Buffer[] = [];
  for (let index = 0; index < CHUNK_LINES; index += 1, number += 1)
    lines.push(...frame(sequenceLine(name, number)));
  const bytes = Buffer.concat(lines);
  // A reader may look at any moment, also in the middle of a line: the half line is made here.
  const cut = 1 + ((number * 31) % (bytes.length - 1));
  writtenBytes += writeSync(fd, bytes, 0, cut);
  const mustRotate = writtenBytes > ROTATE_BYTES;
  if (mustRotate) rename();
  writtenBytes += writeSync(fd, bytes, cut);
  if (mustRotate) reopen();
}

/** Cuts by bytes, as runtimes do: a piece may end in the middle of a character. */
function frame(line: string): Buffer[] {
  const stamp = `${new Date().toISOString().slice(0, -1)}${String(number % 1_000_000).padStart(6, '0')}Z`;
  const stream = number % 3 === 0 ? 'stderr' : 'stdout';
  const bytes = Buffer.from(line);
  const framed: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const tag = start + PIECE_BYTES < bytes.length ? 'P' : 'F';
    framed.push(
      Buffer.from(`${stamp} ${stream} ${tag} `),
      bytes.subarray(start, start + PIECE_BYTES),
      NEWLINE,
    );
  }
  return framed;
}

function rename(): void {
  rotations += 1;
  const rotated = readdirSync(directory).filter((file) => file.startsWith('0.log.'));
  renameSync(
    path.join(directory, '0.log'),
    path.join(directory, `0.log.20260101-${String(rotations).padStart(6, '0')}`),
  );
  for (const file of rotated) if (!file.endsWith('.gz')) compress(path.join(directory, file));
}

function compress(file: string): void {
  writeFileSync(`${file}.tmp`, gzipSync(readFileSync(file)));
  renameSync(`${file}.tmp`, `${file}.gz`);
  unlinkSync(file);
}

function reopen(): void {
  closeSync(fd);
  fd = openFile();
  writtenBytes = 0;
}

function openFile(): number {
  mkdirSync(directory, { recursive: true });
  return openSync(path.join(directory, '0.log'), 'a');
}
