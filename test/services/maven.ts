/**
 * Real Java services from Maven Central, for tests. What is downloaded stays in a cache outside the repository, so
 * that only the first run on a machine waits for it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../tools/provision.ts';

const run = promisify(execFile);

/** The services need Java 21; a newer one is fine. */
const JAVA_VERSION_MIN = 21;

/** Where distributions keep their JDKs. */
const JVM_DIRECTORIES = ['/usr/lib/jvm', '/opt/java', '/Library/Java/JavaVirtualMachines'];

/** A registry that does not answer must not eat the time of the tests. */
const MAVEN_MS_MAX = 240_000;

const COPY_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

export interface Jdk {
  readonly java: string;
  readonly javac: string;
  readonly version: number;
}

/** Returns the directory below which services are kept between runs; it is created when it is missing. */
export function serviceCache(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const directory = path.join(base, 'logboom-tests');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** Returns the newest JDK of at least version 21, or undefined. */
export function findJava(): Jdk | undefined {
  const found = javaHomes().flatMap((home) => {
    const java = path.join(home, 'bin/java');
    const javac = path.join(home, 'bin/javac');
    const version = releaseOf(home);
    return existsSync(java) && existsSync(javac) && version >= JAVA_VERSION_MIN
      ? [{ java, javac, version }]
      : [];
  });
  return found.toSorted((left, right) => right.version - left.version)[0];
}

/** Returns why services of Maven cannot run here, with what to install; undefined when they can. */
export function javaSkipReason(): string | undefined {
  if (findJava() === undefined) return `no JDK ${JAVA_VERSION_MIN} or newer is installed`;
  if (findProgram('mvn') === undefined) return 'mvn (Maven) is not installed';
  return undefined;
}

/**
 * Returns a directory with the jars that the `pom.xml` of a directory names, all that they need included. They are
 * downloaded once per content of the pom. Rejects with Maven's words when the registry cannot be reached.
 */
export async function resolveJars(pomDirectory: string): Promise<string> {
  const pom = path.join(pomDirectory, 'pom.xml');
  const hash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 16);
  const directory = path.join(serviceCache(), `${path.basename(pomDirectory)}-${hash}`);
  const lib = path.join(directory, 'lib');
  if (existsSync(lib)) return lib;
  const partial = `${directory}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await copyFile(pom, path.join(partial, 'pom.xml'));
  const args = ['-q', '-B', COPY_GOAL, '-DoutputDirectory=lib', '-DincludeScope=runtime'];
  await run('mvn', args, { cwd: partial, timeout: MAVEN_MS_MAX, env: mavenEnvironment() });
  moveInto(partial, directory);
  return lib;
}

/**
 * Compiles the main of a service, and what those of engines share, against `lib` once per content; returns the jar. It
 * is no directory of classes because class archives cannot be made of those.
 */
export async function compileMain(main: string, lib: string): Promise<string> {
  const jdk = findJava();
  if (jdk === undefined) throw new Error('cannot compile Java: no JDK');
  const sources = [main, path.join(import.meta.dirname, 'EngineProcess.java')];
  const content = createHash('sha256').update(lib);
  for (const source of sources) content.update(readFileSync(source));
  const hash = content.digest('hex').slice(0, 16);
  const jar = path.join(path.dirname(lib), `main-${hash}.jar`);
  if (existsSync(jar)) return jar;
  const partial = `${jar}.${process.pid}`;
  const classes = `${partial}.classes`;
  mkdirSync(classes, { recursive: true });
  await run(jdk.javac, ['-nowarn', '-proc:none', '-cp', path.join(lib, '*'), '-d', classes, ...sources]);
  await run(jarProgram(jdk), ['--create', '--file', partial, '-C', classes, '.']);
  rmSync(classes, { recursive: true });
  renameSync(partial, jar);
  return jar;
}

/**
 * Returns where the class archive of a service is kept, which lets it start in half the time (java(1), "Class Data
 * Sharing"). It fits one build of Java and one class path.
 */
export function classArchive(jar: string): string {
  const java = findJava()?.java ?? '';
  const release = readFileSync(path.join(path.dirname(path.dirname(java)), 'release'));
  const hash = createHash('sha256').update(java).update(release).digest('hex').slice(0, 16);
  return jar.replace(/\.jar$/, `-${hash}.jsa`);
}

function jarProgram({ java }: Jdk): string {
  return path.join(path.dirname(java), 'jar');
}

/** Gives a finished directory its name; another run may have been faster. */
function moveInto(partial: string, directory: string): void {
  try {
    renameSync(partial, directory);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}

/** Unpacks the archives of a directory beside it, once, and returns where they are. */
export async function unpackArchives(lib: string): Promise<string> {
  const directory = path.join(path.dirname(lib), 'unpacked');
  if (existsSync(directory)) return directory;
  const partial = `${directory}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const jdk = findJava();
  if (jdk === undefined) throw new Error('cannot unpack archives: no JDK');
  for (const name of readdirSync(lib).filter((file) => file.endsWith('.zip')))
    await run(jarProgram(jdk), ['--extract', '--file', path.join(lib, name)], { cwd: partial });
  moveInto(partial, directory);
  return directory;
}

function mavenEnvironment(): NodeJS.ProcessEnv {
  const java = findJava()?.java;
  const home = java === undefined ? undefined : path.dirname(path.dirname(java));
  return home === undefined ? process.env : { ...process.env, JAVA_HOME: home };
}

function javaHomes(): string[] {
  const given = process.env['JAVA_HOME'];
  const installed = JVM_DIRECTORIES.flatMap((directory) =>
    existsSync(directory) ? readdirSync(directory).map((name) => path.join(directory, name)) : [],
  );
  return given === undefined || given === '' ? installed : [given, ...installed];
}

/** The major version that the file `release` of a JDK states, or 0. */
function releaseOf(home: string): number {
  const file = path.join(home, 'release');
  if (!existsSync(file)) return 0;
  return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
}
