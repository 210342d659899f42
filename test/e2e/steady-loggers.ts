/** Applications that log at a steady speed, whatever becomes of their files, and say themselves what they wrote. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { loggerCommand, type LoggerKind } from './piped-loggers.ts';
import type { SteadyLines } from './steady-line.ts';

/** One application; its files stand in a directory of its own. */
export interface SteadyApp extends SteadyLines {
  readonly bytesPerSecond: number;
  readonly target: LoggerTarget | S6Target;
}

export interface LoggerTarget {
  readonly kind: LoggerKind;
  /** Written before the logger starts, for whoever sends it a signal. */
  readonly pidFile?: string;
}

export interface S6Target {
  readonly kind: 's6';
  readonly program: string;
  /** Options and script of s6-log, in which directories begin with `./`. */
  readonly script: readonly string[];
}

/** What a writer says of itself when it ends. */
export interface SteadyTally {
  readonly lines: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface SteadyLogger {
  readonly app: SteadyApp;
  /** Ends it after whole lines, once all of them are written. */
  stop(): Promise<SteadyTally>;
}

/** `NODE WRITER NAME LINE_BYTES BYTES_PER_SECOND LOGGER…`; the logger replaces a shell that has told its process id. */
const PIPELINE = `
node="$1" writer="$2" name="$3" bytes="$4" rate="$5"
shift 5
"$node" "$writer" "$name" "$bytes" "$rate" |
  sh -c 'exec 3>&-; [ -z "$PID_FILE" ] || echo $$ > "$PID_FILE"; exec "$@"' sh "$@"
`;

const WRITER = path.join(import.meta.dirname, 'steady-writer.ts');

/** Starts an application whose files stand in `directory`, which is made. */
export function startSteadyLogger(app: SteadyApp, directory: string): SteadyLogger {
  mkdirSync(directory, { recursive: true });
  const { target } = app;
  const [program, args] =
    target.kind === 's6'
      ? [target.program, target.script]
      : loggerCommand(target.kind, path.join(directory, 'app.log'));
  const source = [process.execPath, WRITER, app.writer, String(app.lineBytes), String(app.bytesPerSecond)];
  const child = spawn('/bin/sh', ['-c', PIPELINE, 'sh', ...source, program, ...args], {
    cwd: directory,
    env: { ...process.env, PID_FILE: target.kind === 's6' ? '' : (target.pidFile ?? '') },
    stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
  });
  const exited = once(child, 'exit');
  const told = text(child.stdio[3] as Readable);
  return {
    app,
    async stop() {
      child.stdin?.end();
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`${app.writer} ended with ${code}`);
      return JSON.parse(await told) as SteadyTally;
    },
  };
}
