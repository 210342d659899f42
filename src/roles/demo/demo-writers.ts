/** The two ways in which the demo's apps write: through the real s6-log, and as a CRI runtime does. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { DemoLine } from './demo-lines.ts';

export interface DemoWriter {
  write(line: DemoLine, timeMs: number): void;
  stop(): Promise<void>;
}

/** A container's log is rotated at this size, as the kubelet does. */
const CRI_BYTES_MAX = 5 * 1024 * 1024;
const CRI_FILES_KEPT = 3;

const STOP_MS_MAX = 2_000;

/** Whether s6-log can be started. */
export function hasS6Log(): boolean {
  const { error } = spawnSync('s6-log', ['--'], { stdio: 'ignore', timeout: STOP_MS_MAX });
  return error === undefined;
}

/** Pipes lines into s6-log, which stamps them, and rotates in `directory`. */
export function openS6Writer(directory: string): DemoWriter {
  fs.mkdirSync(directory, { recursive: true });
  const child = spawn('s6-log', ['n10', 's4000000', 'T', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // s6-log's T is local time, and its zone must be the one that the agent assumes.
    env: process.env,
    // Ctrl-C goes to the whole group: the writer ends when its input does, not before.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
    child.on('error', () => resolve());
  });
  child.stdin.on('error', () => undefined);
  return {
    write: ({ text }) => void child.stdin.write(`${text}\n`),
    async stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Writes `<time> <stream> F <line>` into `0.log` of `directory`, and rotates it. */
export function openCriWriter(directory: string): DemoWriter {
  fs.mkdirSync(directory, { recursive: true });
  const file = path.join(directory, '0.log');
  let fd = fs.openSync(file, 'a');
  let size = fs.fstatSync(fd).size;
  return {
    write({ stream, text }, timeMs) {
      const time = new Date(timeMs)
        .toISOString()
        .replace('Z', `${String(size % 1_000_000).padStart(6, '0')}Z`);
      const bytes = Buffer.from(
        text
          .split('\n')
          .map((line) => `${time} ${stream} F ${line}\n`)
          .join(''),
      );
      size += fs.writeSync(fd, bytes);
      if (size < CRI_BYTES_MAX) return;
      fs.closeSync(fd);
      rotate(file, timeMs);
      fd = fs.openSync(file, 'a');
      size = 0;
    },
    stop() {
      fs.closeSync(fd);
      return Promise.resolve();
    },
  };
}

function rotate(file: string, timeMs: number): void {
  const stamp = new Date(timeMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  fs.renameSync(file, `${file}.${stamp}`);
  const directory = path.dirname(file);
  const rotated = fs.readdirSync(directory).filter((name) => name.startsWith('0.log.'));
  for (const name of rotated.toSorted().slice(0, -CRI_FILES_KEPT)) fs.unlinkSync(path.join(directory, name));
}
