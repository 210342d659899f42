import { spawn } from 'node:child_process';
import fs from 'node:fs';
import type { ProgramResult, RotateMachine, RunProgramOptions } from '../log-directory.ts';
import { tryLock } from './libc.ts';
import { openLogDirectory } from './node-log-directory.ts';

/** What a program may say before the rest is thrown away: its beginning has what matters. */
const OUTPUT_BYTES_MAX = 4 * 2 ** 20;

/** How long a program that was told to end may take. */
const KILL_MS = 2000;

/** How long its outputs are read after its end. */
const OUTPUT_MS = 500;

/** What is said instead of a program that is not there. */
const MISSING = 'logboom-missing-program';

/**
 * Programs run with SIGPIPE ignored, which they inherit (signal(7)): when this process is killed, nobody reads what they
 * say, and logrotate would end there, between copying a file and truncating it.
 */
const WRAPPER = `command -v "$0" >/dev/null 2>&1 || { echo ${MISSING}; exit 127; }; trap "" PIPE; exec "$0" "$@"`;

/** The real machine. Linux only. */
export const nodeRotateMachine: RotateMachine = {
  openDirectory: openLogDirectory,
  mountPoints() {
    return fs
      .readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .flatMap((line) => decodeMountPoint(line.split(' ')[4]));
  },
  lockRoot(root) {
    const fd = fs.openSync(root, 'r');
    if (tryLock(fd)) return { release: () => fs.closeSync(fd) };
    fs.closeSync(fd);
    return undefined;
  },
  run: runProgram,
  findUserProblem(user, group) {
    if (idOf('/etc/passwd', user) === undefined) return `user ${user} does not exist`;
    return idOf('/etc/group', group) === undefined ? `group ${group} does not exist` : undefined;
  },
  signal(pidFile, signal) {
    const text = fs.readFileSync(pidFile, 'utf8').trim();
    if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`${pidFile} has no process id`);
    process.kill(Number(text), `SIG${signal}`);
  },
  writeFile(path, text, mode) {
    fs.writeFileSync(`${path}.new`, text, { mode });
    fs.chmodSync(`${path}.new`, mode);
    fs.renameSync(`${path}.new`, path);
  },
};

/** proc_pid_mountinfo(5): the fifth field, with blanks and the like as three octal digits. */
function decodeMountPoint(field: string | undefined): string[] {
  if (field === undefined) return [];
  return [
    field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCodePoint(Number.parseInt(digits, 8)),
    ),
  ];
}

function runProgram(program: string, options: RunProgramOptions): Promise<ProgramResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>();
  const { as } = options;
  const ids =
    as === undefined ? {} : { uid: idOf('/etc/passwd', as.user), gid: idOf('/etc/group', as.group) };
  const args = ['-c', WRAPPER, program, ...options.args];
  const child = spawn('/bin/sh', args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', ...ids });
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isTimedOut = false;
  const take = (chunk: Buffer): void => {
    if (bytes < OUTPUT_BYTES_MAX) chunks.push(chunk.subarray(0, OUTPUT_BYTES_MAX - bytes));
    bytes += chunk.length;
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const timers = [
    setTimeout(() => {
      isTimedOut = true;
      child.kill('SIGTERM');
    }, options.timeoutMs),
    setTimeout(() => child.kill('SIGKILL'), options.timeoutMs + KILL_MS),
  ];
  const settle = (done: () => void): void => {
    for (const timer of timers) clearTimeout(timer);
    done();
  };
  child.on('error', (error) => settle(() => reject(error)));
  const end = (code: number | null): void => {
    const output = Buffer.concat(chunks).toString('utf8');
    child.stdout.destroy();
    child.stderr.destroy();
    settle(() => {
      if (output.startsWith(MISSING)) reject(missingProgram(program));
      else resolve({ code: code ?? undefined, output, isTimedOut });
    });
  };
  // What a script started in the background may keep the outputs open for ever.
  child.on('exit', (code) => timers.push(setTimeout(() => end(code), OUTPUT_MS)));
  child.on('close', end);
  return promise;
}

/** The error of `spawn` for a program that is not there. */
function missingProgram(program: string): Error {
  return Object.assign(new Error(`spawn ${program} ENOENT`), { code: 'ENOENT' });
}

/** Returns the id of a name in /etc/passwd or /etc/group; numbers stand for themselves. */
function idOf(file: string, name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const line = fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  const id = line?.split(':')[2];
  return id === undefined ? undefined : Number(id);
}
