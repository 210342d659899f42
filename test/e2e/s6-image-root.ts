/**
 * A root file system for containers of the S6 base image, assembled from what is installed: the real s6, the scripts
 * of the image, and either dash with the tools of GNU, as on Debian, or BusyBox alone, as on Alpine.
 *
 * LOGBOOM_IMAGE_ROOT names a directory with the root file system of a distribution, s6 included, that is taken instead
 * (a copy of it): the scripts then run in that distribution alone.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { findProgram } from '../../tools/provision.ts';

export const IMAGE_DIRECTORY = path.resolve(import.meta.dirname, '../../deploy/images/s6-base');

const GIVEN_ROOT = process.env['LOGBOOM_IMAGE_ROOT'];

/** Whose shell and tools run the scripts. */
export type Userland = 'dash' | 'busybox' | 'given';

export const USERLANDS: readonly Userland[] = GIVEN_ROOT === undefined ? ['dash', 'busybox'] : ['given'];

const S6_PROGRAMS = [
  's6-svscan',
  's6-supervise',
  's6-svc',
  's6-svwait',
  's6-svlisten1',
  's6-svscanctl',
  's6-log',
];

/** What s6-svwait calls: a program of the PATH up to s6 2.13, later one of the directory of libraries. */
const S6_LISTENER = 's6-ftrigrd';

/** What the scripts call beside the shell; `uname` and the like are for the commands of the tests. */
const GNU_PROGRAMS = [
  'cat',
  'cut',
  'dd',
  'id',
  'ln',
  'mkdir',
  'mkfifo',
  'mktemp',
  'rm',
  'sed',
  'sleep',
  'seq',
];

/** A command of the tests that writes numbered lines to both streams: arguments are count, and pause at number. */
const WRITER = `#!/bin/sh
i=0
while [ $i -lt $1 ]; do
  echo "out $i the quick brown fox jumps over the lazy dog, again and again and again"
  echo "err $i" >&2
  i=$((i + 1))
  if [ $i = "\${2:-}" ]; then sleep "$3"; fi
done
`;

/** Returns why no container can be run here; undefined where one can. */
export function findContainerObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'containers need root';
  if (GIVEN_ROOT !== undefined) return undefined;
  const missing = [...S6_PROGRAMS, 'busybox', 'dash', 'ldd'].filter(
    (name) => findProgram(name) === undefined,
  );
  return missing.length === 0 ? undefined : `${missing.join(', ')} not installed`;
}

/** Makes the file system in the empty directory `root`. */
export function assembleRoot(root: string, userland: Userland): void {
  if (userland === 'given') copyGiven(root);
  else assembleUserland(root, userland);
  // As the Containerfiles have it.
  for (const name of ['data/logs', 'etc/logboom/services', 'run/logboom'])
    mkdirSync(path.join(root, name), { recursive: true });
  chmodSync(path.join(root, 'run/logboom'), 0o1777);
  cpSync(path.join(IMAGE_DIRECTORY, 'bin'), path.join(root, 'usr/local/bin'), { recursive: true });
  cpSync(path.join(IMAGE_DIRECTORY, 'libexec'), path.join(root, 'usr/local/libexec'), { recursive: true });
  writeProgram(path.join(root, 'usr/local/bin/writer'), WRITER);
}

function copyGiven(root: string): void {
  mkdirSync(root, { recursive: true });
  const { status, stderr } = spawnSync('cp', ['-a', `${GIVEN_ROOT}/.`, root], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot copy LOGBOOM_IMAGE_ROOT: ${stderr}`);
}

function assembleUserland(root: string, userland: Userland): void {
  for (const name of ['usr/bin', 'usr/lib', 'usr/lib64', 'usr/libexec'])
    mkdirSync(path.join(root, name), { recursive: true });
  for (const name of ['proc', 'dev', 'sys', 'tmp', 'log'])
    mkdirSync(path.join(root, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, path.join(root, name));
  chmodSync(path.join(root, 'tmp'), 0o1777);
  const bin = path.join(root, 'usr/bin');
  const programs = [...S6_PROGRAMS, ...(userland === 'dash' ? GNU_PROGRAMS : [])];
  for (const name of programs) copyProgram(name, path.join(bin, name));
  const listener = copyListener(root);
  if (userland === 'dash') copyProgram('dash', path.join(bin, 'sh'));
  copyProgram('busybox', path.join(bin, 'busybox'));
  const { stdout: applets } = spawnSync(path.join(bin, 'busybox'), ['--list'], { encoding: 'utf8' });
  for (const name of applets.split('\n')) {
    if (name !== '' && !existsSync(path.join(bin, name))) symlinkSync('busybox', path.join(bin, name));
  }
  copyLibraries(root, [...[...programs, 'sh'].map((name) => path.join(bin, name)), listener]);
}

/** Writes an executable script. */
export function writeProgram(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

function copyProgram(name: string, target: string): void {
  const file = findProgram(name);
  if (file === undefined) throw new Error(`${name} is not installed`);
  copyFileSync(realpathSync(file), target);
}

/** Copies the program to the same place and returns the copy. */
function copyListener(root: string): string {
  if (findProgram(S6_LISTENER) !== undefined) {
    const target = path.join(root, 'usr/bin', S6_LISTENER);
    copyProgram(S6_LISTENER, target);
    return target;
  }
  const target = path.join(root, 'usr/libexec', S6_LISTENER);
  const folder = path.dirname(findProgram('s6-svwait') ?? '');
  copyFileSync(path.join(folder, '../libexec', S6_LISTENER), target);
  return target;
}

function copyLibraries(root: string, files: readonly string[]): void {
  const { stdout } = spawnSync('ldd', files, { encoding: 'utf8' });
  for (const [library] of stdout.matchAll(/\/(?:usr\/)?lib\S*\.so\S*/g)) {
    const target = path.join(root, library);
    mkdirSync(path.dirname(target), { recursive: true });
    if (!existsSync(target)) copyFileSync(realpathSync(library), target);
  }
}
