/** Applications that log to a file of their own: each is a real process that is fed with lines. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeBursts } from './log-writers.ts';

export type LoggerKind = 'shell' | 'python' | 'java' | 'seek' | 'offset' | 'buffered' | 'watched';

export interface LoggerOptions {
  readonly kind: LoggerKind;
  readonly file: string;
  /** Written once the process runs, for whoever sends it a signal. */
  readonly pidFile?: string;
  readonly burstLines: number;
  readonly pauseMs: number;
}

export interface PipedLogger {
  readonly name: string;
  readonly file: string;
  /** Lets it write what it was given; resolves with how many lines that were. */
  stop(): Promise<number>;
}

const PYTHON = `
import logging, sys
handler = logging.FileHandler(sys.argv[1], encoding='utf-8')
handler.setFormatter(logging.Formatter('%(message)s'))
logging.basicConfig(level=logging.INFO, handlers=[handler])
for line in sys.stdin.buffer:
    logging.info(line.decode('utf-8').rstrip('\\n'))
`;

const JAVA = `
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.logging.*;
public class PipedLogger {
  public static void main(String[] args) throws Exception {
    FileHandler handler = new FileHandler(args[0], 0, 1, true);
    handler.setEncoding("UTF-8");
    handler.setFormatter(new Formatter() {
      public String format(LogRecord record) { return record.getMessage() + "\\n"; }
    });
    Logger logger = Logger.getLogger("app");
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) logger.info(line);
    handler.close();
  }
}
`;

/** Starts an application; its file appears with its first line. */
export function startPipedLogger(name: string, options: LoggerOptions): PipedLogger {
  const { kind, file, pidFile } = options;
  mkdirSync(path.dirname(file), { recursive: true });
  const [program, args] = commandOf(kind, file);
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  if (pidFile !== undefined) writeFileSync(pidFile, `${child.pid}\n`);
  const exited = once(child, 'exit');
  const stopping = new AbortController();
  const done = writeBursts(name, child, options, stopping.signal);
  return {
    name,
    file,
    async stop() {
      stopping.abort();
      const count = await done;
      child.stdin.end();
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`${name} ended with ${code}`);
      return count;
    },
  };
}

function commandOf(kind: LoggerKind, file: string): [string, string[]] {
  switch (kind) {
    case 'shell':
      return ['/bin/sh', ['-c', 'exec cat >> "$1"', 'sh', file]];
    case 'python':
      return ['python3', ['-c', PYTHON, file]];
    case 'java': {
      // Beside the logs, where nothing is collected.
      const source = path.join(path.dirname(file), 'PipedLogger.java');
      writeFileSync(source, JAVA);
      return ['java', ['-Xshare:auto', source, file]];
    }
    case 'seek':
    case 'offset':
    case 'buffered':
    case 'watched':
      return [process.execPath, [path.join(import.meta.dirname, 'line-logger.ts'), file, kind]];
  }
}
