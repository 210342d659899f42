/**
 * Installs the programs that tests of real processes use, where that is possible without asking: as root, on
 * Debian and its relatives, with apt-get. Elsewhere the tests that need them are skipped with the reason.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';

interface Provision {
  readonly program: string;
  readonly debianPackage: string;
  readonly purpose: string;
  /** Only tests of the suite `long` use it. */
  readonly isForLong?: true;
}

const PROVISIONS: readonly Provision[] = [
  { program: 's6-log', debianPackage: 's6', purpose: 'tests with the real s6-log' },
  { program: 'runc', debianPackage: 'runc', purpose: 'tests of the S6 base image in a container' },
  {
    program: 'busybox',
    debianPackage: 'busybox-static',
    purpose: 'tests of the S6 base image under BusyBox',
  },
  {
    program: 'buildah',
    debianPackage: 'buildah',
    purpose: 'tests that build the S6 base image',
    isForLong: true,
  },
  {
    program: 'debootstrap',
    debianPackage: 'debootstrap',
    purpose: 'tests that build the S6 base image',
    isForLong: true,
  },
  { program: 'shellcheck', debianPackage: 'shellcheck', purpose: 'the check of shell scripts' },
  { program: 'logrotate', debianPackage: 'logrotate', purpose: 'tests with the real logrotate' },
  { program: 'kcat', debianPackage: 'kcat', purpose: 'tests with an independent client of Kafka' },
  { program: 'openssl', debianPackage: 'openssl', purpose: 'tests with certificates' },
  { program: 'chromium', debianPackage: 'chromium', purpose: 'tests of the page' },
  { program: 'java', debianPackage: 'default-jdk-headless', purpose: 'tests with Kafka and search engines' },
  { program: 'mvn', debianPackage: 'maven', purpose: 'tests with Kafka and search engines' },
];

/** A package mirror that does not answer must not eat the time of the tests. */
const APT_MS_MAX = 240_000;

/** Returns the full path of a program of the PATH or of the directories of the administrator, or undefined. */
export function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/sbin', '/sbin'];
  return directories.map((directory) => path.join(directory, name)).find(isExecutable);
}

/** Installs what is missing for a suite and says so line by line; never throws, because tests can do without. */
export function provision(suite: 'full' | 'long', print: (line: string) => void): void {
  const wanted = PROVISIONS.filter(({ isForLong = false }) => !isForLong || suite === 'long');
  const missing = wanted.filter(({ program }) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const names = missing.map(({ debianPackage }) => debianPackage);
  if (
    process.getuid?.() !== 0 ||
    !existsSync('/etc/debian_version') ||
    findProgram('apt-get') === undefined
  ) {
    for (const { program, purpose } of missing) print(`${program} is not installed: ${purpose} are skipped`);
    return;
  }
  print(`installing ${names.join(', ')} with apt-get for the tests of real processes`);
  if (!aptGet(['install', '-y', '--no-install-recommends', ...names])) {
    aptGet(['update']);
    aptGet(['install', '-y', '--no-install-recommends', ...names]);
  }
  for (const { program, purpose } of missing) {
    if (findProgram(program) === undefined)
      print(`${program} could not be installed: ${purpose} are skipped`);
  }
}

function aptGet(args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...args], { env, stdio: 'ignore', timeout: APT_MS_MAX }).status === 0;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
