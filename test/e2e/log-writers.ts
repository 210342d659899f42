/** The applications of the tests: real `s6-log` processes, and container runtimes that write CRI files. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sequenceLine } from './sequence-line.ts';

export interface LogWriter {
  readonly name: string;
  /** Ends after whole lines; resolves with how many lines were written. */
  stop(): Promise<number>;
}

export interface BurstOptions {
  /** Lines that are written at full speed. */
  readonly burstLines: number;
  readonly pauseMs: number;
}

export interface S6Options extends BurstOptions {
  readonly program: string;
  readonly directory: string;
  /** s6-log's own directive: TAI64N labels, ISO 8601 stamps, or neither. */
  readonly stamp: 't' | 'T' | undefined;
}

/** Archived files that s6-log keeps: so many that nothing is ever removed before it was read. */
const S6_ARCHIVES_MAX = 5000;

const CHUNK_LINES = 200;

/** Files are rotated at this size, or at the size of a whole burst: 5000 of them last for minutes at any speed. */
const S6_FILE_BYTES_MIN = 100_000;
const S6_FILE_BYTES_PER_LINE = 100;

/** Returns at which size, in bytes, the `s6-log` of a writer rotates its files. */
export function s6FileBytes(burstLines: number): number {
  return Math.max(S6_FILE_BYTES_MIN, burstLines * S6_FILE_BYTES_PER_LINE);
}

/** Pipes lines to a real `s6-log` that rotates its files. */
export function startS6Writer(name: string, options: S6Options): LogWriter {
  mkdirSync(options.directory, { recursive: true });
  const script = [
    `n${S6_ARCHIVES_MAX}`,
    `s${s6FileBytes(options.burstLines)}`,
    ...(options.stamp === undefined ? [] : [options.stamp]),
    options.directory,
  ];
  const child = spawn(options.program, script, { stdio: ['pipe', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  const stopping = new AbortController();
  const done = writeBursts(name, child, options, stopping.signal);
  return {
    name,
    async stop() {
      stopping.abort();
      const count = await done;
      child.stdin.end();
      await exited;
      const archives = readdirSync(options.directory).filter((file) => file.startsWith('@')).length;
      if (archives >= S6_ARCHIVES_MAX)
        throw new Error(`${name}: s6-log has removed files, so the test proves nothing`);
      return count;
    },
  };
}

/** Stops all writers, whatever becomes of each, and returns the lines that each has written; then the first failure counts. */
export async function stopAll(writers: readonly LogWriter[]): Promise<Map<string, number>> {
  const stopped = await Promise.allSettled(writers.map((writer) => writer.stop()));
  const written = new Map<string, number>();
  for (const [index, result] of stopped.entries()) {
    if (result.status === 'rejected') throw result.reason;
    written.set(writers[index]?.name ?? '', result.value);
  }
  return written;
}

/** Writes bursts of sequence lines into the standard input of a process; resolves with their number once aborted. */
export async function writeBursts(
  name: string,
  { stdin }: ChildProcess,
  { burstLines, pauseMs }: BurstOptions,
  signal: AbortSignal,
): Promise<number> {
  if (stdin === null) throw new Error(`${name} has no pipe`);
  let number = 0;
  while (!signal.aborted) {
    for (let written = 0; written < burstLines && !signal.aborted; written += CHUNK_LINES) {
      let chunk = '';
      for (let index = 0; index < CHUNK_LINES; index += 1, number += 1)
        chunk += `${sequenceLine(name, number)}\n`;
      if (!stdin.write(chunk)) await once(stdin, 'drain');
    }
    await sleep(pauseMs);
  }
  return number;
}

/** Starts a container runtime with its kubelet in a process of their own; `directory` is that of the container. */
export function startCriWriter(
  name: string,
  directory: string,
  { burstLines, pauseMs }: BurstOptions,
): LogWriter {
  const program = path.join(import.meta.dirname, 'cri-writer.ts');
  const child = spawn(process.execPath, [program, directory, name, String(burstLines), String(pauseMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    name,
    async stop() {
      child.stdin.end();
      const [code] = (await closed) as [number | null];
      const count = Number(output);
      if (code !== 0 || !Number.isInteger(count) || count === 0)
        throw new Error(`${name} ended with ${code}: ${output}`);
      return count;
    },
  };
}
