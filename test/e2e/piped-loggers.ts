/** Applications that log to a file of their own: each is a real process that is fed with lines. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeBursts } from './log-writers.ts';

/** Those with `watched` open their file again when another one has its name. */
export type LoggerKind =
  | 'shell'
  | 'shell-watched'
  | 'python'
  | 'python-watched'
  | 'java'
  | 'java-watched'
  | 'seek'
  | 'seek-watched'
  | 'offset'
  | 'offset-watched'
  | 'buffered'
  | 'watched';

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
import logging, logging.handlers, sys
kind = logging.handlers.WatchedFileHandler if sys.argv[2] == 'watched' else logging.FileHandler
handler = kind(sys.argv[1], encoding='utf-8')
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

/** Java's own handler never opens its file again; appenders that do compare the file of the name with theirs. */
const JAVA_WATCHED = `
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
public class WatchedLogger {
  static Object keyOf(Path file) {
    try { return Files.readAttributes(file, BasicFileAttributes.class).fileKey(); } catch (IOException gone) { return null; }
  }
  public static void main(String[] args) throws Exception {
    Path file = Path.of(args[0]);
    Object key = keyOf(file);
    OutputStream out = new FileOutputStream(args[0], true);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (!Objects.equals(key, keyOf(file))) {
        out.close();
        key = keyOf(file);
        out = new FileOutputStream(args[0], true);
      }
      out.write((line + "\\n").getBytes(StandardCharsets.UTF_8));
    }
    out.close();
  }
}
`;

/** Starts an application; its file appears with its first line. */
export function startPipedLogger(name: string, options: LoggerOptions): PipedLogger {
  const { kind, file, pidFile } = options;
  mkdirSync(path.dirname(file), { recursive: true });
  const [program, args] = loggerCommand(kind, file);
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

/** Returns program and arguments of an application that writes what it reads to `file`, in a directory that is there. */
export function loggerCommand(kind: LoggerKind, file: string): [string, string[]] {
  switch (kind) {
    case 'shell':
      return ['/bin/sh', ['-c', 'exec cat >> "$1"', 'sh', file]];
    case 'shell-watched':
      // Opens the file for each line.
      return [
        '/bin/sh',
        ['-c', String.raw`while IFS= read -r line; do printf '%s\n' "$line" >> "$1"; done`, 'sh', file],
      ];
    case 'python':
    case 'python-watched':
      return ['python3', ['-c', PYTHON, file, kind === 'python' ? '' : 'watched']];
    case 'java':
      return javaCommand(file, 'PipedLogger', JAVA);
    case 'java-watched':
      return javaCommand(file, 'WatchedLogger', JAVA_WATCHED);
    case 'seek':
    case 'seek-watched':
    case 'offset':
    case 'offset-watched':
    case 'buffered':
    case 'watched':
      return [process.execPath, [path.join(import.meta.dirname, 'line-logger.ts'), file, kind]];
  }
}

function javaCommand(file: string, name: string, text: string): [string, string[]] {
  // Beside the logs, where nothing is collected.
  const source = path.join(path.dirname(file), `${name}.java`);
  writeFileSync(source, text);
  return ['java', ['-Xshare:auto', source, file]];
}
