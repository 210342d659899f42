/** `logboom doctor`: tries for real what the roles need of the machine. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { messageOf, systemCodeOf } from '../base/errors.ts';
import type { Finding } from '../cli/context.ts';
import { formatSize } from '../cli/output.ts';
import type { Config } from '../config/config.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { makeDirectories } from './data-directory.ts';
import { examineRotation } from './doctor-rotation.ts';

const MIB = 2 ** 20;

/** Directories that are counted before the walk is given up: enough to compare with any sane limit. */
const DIRECTORIES_MAX = 200_000;

/** Names of files in the quarantine that are shown. */
const QUARANTINE_SHOWN = 5;

/** A clock before this release is wrong. */
const CLOCK_MS_MIN = Date.UTC(2025, 0, 1);

/** Returns what was found, in the order of a person's interest. */
export function examine({ config }: LoadedConfig): readonly Finding[] {
  return [
    examineNode(),
    ...examineSources(config),
    ...examineWatches(config),
    ...examineDataDirectory(config),
    ...examineRotation(config),
    ...examineQuarantine(config),
    examineClock(),
    examineMemory(config),
    examineOpenFiles(),
  ];
}

function ok(check: string, text: string): Finding {
  return { status: 'ok', check, text, remedy: undefined };
}

function warn(check: string, text: string, remedy: string): Finding {
  return { status: 'warn', check, text, remedy };
}

function fail(check: string, text: string, remedy: string): Finding {
  return { status: 'fail', check, text, remedy };
}

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const text = `${process.versions.node} on ${os.type()} ${os.release()}, ${os.arch()}`;
  if (major > 24 || (major === 24 && minor >= 12)) return ok('node', text);
  return fail('node', text, 'Install Node 24.12 or newer.');
}

function examineSources({ sources }: Config): Finding[] {
  if (sources.length === 0) {
    const text = 'none is configured, and none of the usual trees exists';
    return [warn('sources', text, 'Configure sources, or try `logboom up --demo`.')];
  }
  return sources.flatMap((source) => {
    if (source.kind === 'files')
      return source.paths.map((glob) => examineRoot('files', path.dirname(rootOfGlob(glob))));
    return [examineRoot(source.kind, source.root)];
  });
}

function rootOfGlob(glob: string): string {
  return glob.replace(/[^/]*[*?[{].*$/, 'x');
}

function examineRoot(kind: string, root: string): Finding {
  const check = `source ${kind}`;
  try {
    const count = fs.readdirSync(root).length;
    const unreadable = findUnreadable(root);
    if (unreadable === undefined) return ok(check, `${root} can be read, ${count} entries`);
    return fail(
      check,
      `${unreadable} cannot be read`,
      'Run the agent as root, or let its user read the files.',
    );
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') {
      return warn(check, `${root} is not there`, 'It is collected when it appears; is the path right?');
    }
    return fail(
      check,
      `${root} cannot be read: ${messageOf(error)}`,
      'Run the agent as root, or let its user read it.',
    );
  }
}

/** Returns the first file or directory below `root` that this process must not read. */
function findUnreadable(root: string): string | undefined {
  let checked = 0;
  for (const directory of walk(root)) {
    try {
      for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
        checked += 1;
        if (entry.isFile()) fs.accessSync(path.join(directory, entry.name), fs.constants.R_OK);
      }
    } catch (error) {
      if (systemCodeOf(error) === 'EACCES') return messageOf(error).replace(/^.*'(.*)'.*$/, '$1');
    }
    if (checked > DIRECTORIES_MAX) return undefined;
  }
  return undefined;
}

/** Yields `root` and the directories below it, at most `DIRECTORIES_MAX`. */
function* walk(root: string): Generator<string> {
  const queue = [root];
  for (let count = 0; queue.length > 0 && count < DIRECTORIES_MAX; count += 1) {
    const directory = queue.pop() ?? root;
    yield directory;
    try {
      for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
        if (entry.isDirectory()) queue.push(path.join(directory, entry.name));
      }
    } catch {
      // What cannot be listed is reported by the check of permissions.
    }
  }
}

function examineWatches({ sources }: Config): Finding[] {
  const watchesMax = readNumber('/proc/sys/fs/inotify/max_user_watches');
  const instancesMax = readNumber('/proc/sys/fs/inotify/max_user_instances');
  if (watchesMax === undefined || instancesMax === undefined) return [];
  const roots = sources.map((source) =>
    source.kind === 'files' ? path.dirname(rootOfGlob(source.paths[0] ?? '/x')) : source.root,
  );
  let directoryCount = 0;
  for (const root of roots) for (const _ of walk(root)) directoryCount += 1;
  const text = `${directoryCount} ${directoryCount === 1 ? 'directory' : 'directories'} to watch, fs.inotify.max_user_watches is ${watchesMax}`;
  const remedy = `sysctl fs.inotify.max_user_watches=${Math.max(524_288, directoryCount * 4)}; beyond the limit files are found by rescans.`;
  const watches = directoryCount * 2 > watchesMax ? warn('watches', text, remedy) : ok('watches', text);
  const instances =
    instancesMax < 128
      ? warn(
          'watchers',
          `fs.inotify.max_user_instances is ${instancesMax}`,
          'sysctl fs.inotify.max_user_instances=1024',
        )
      : ok('watchers', `fs.inotify.max_user_instances is ${instancesMax}`);
  return [watches, instances];
}

function examineDataDirectory(config: Config): Finding[] {
  const directory = path.join(config.data, '.doctor');
  try {
    makeDirectories(directory);
  } catch (error) {
    const text = `${config.data} cannot be written: ${messageOf(error)}`;
    return [
      fail('data directory', text, 'Let this user write there, or choose another directory with --data.'),
    ];
  }
  try {
    return [
      ok('data directory', `${config.data} can be written`),
      tryFileSystem('sync', () => trySync(directory)),
      tryFileSystem('rename', () => tryRename(directory)),
      tryFileSystem('inodes', () => tryInodes(directory)),
      examineFreeSpace(config),
    ];
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function tryFileSystem(check: string, attempt: () => string): Finding {
  try {
    return ok(check, attempt());
  } catch (error) {
    return fail(
      check,
      messageOf(error),
      'Put the data directory on a local file system such as ext4 or xfs.',
    );
  }
}

function trySync(directory: string): string {
  const fd = fs.openSync(path.join(directory, 'sync'), 'w');
  const startedMs = performance.now();
  try {
    fs.writeSync(fd, 'x');
    fs.fdatasyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  return `a write is durable after ${(performance.now() - startedMs).toFixed(1)} ms`;
}

function tryRename(directory: string): string {
  const [from, to] = [path.join(directory, 'from'), path.join(directory, 'to')];
  fs.writeFileSync(from, 'new');
  fs.writeFileSync(to, 'old');
  fs.renameSync(from, to);
  if (fs.readFileSync(to, 'utf8') !== 'new') throw new Error('a rename does not replace the file');
  return 'a rename replaces a file at once';
}

function tryInodes(directory: string): string {
  const [before, after] = [path.join(directory, 'before'), path.join(directory, 'after')];
  fs.writeFileSync(before, 'x');
  const inode = fs.statSync(before, { bigint: true }).ino;
  fs.renameSync(before, after);
  if (fs.statSync(after, { bigint: true }).ino !== inode)
    throw new Error('the inode of a file changes when it is renamed');
  return 'a file keeps its inode when it is renamed';
}

function examineFreeSpace({ data, store }: Config): Finding {
  const { bavail, bsize } = fs.statfsSync(data);
  const freeBytes = bavail * bsize;
  if (store.kind !== 'embedded') return ok('disk', `${formatSize(freeBytes)} free`);
  const text = `${formatSize(freeBytes)} free, the store may grow to ${formatSize(store.retention.bytesMax)}`;
  if (freeBytes < store.freeBytesMin)
    return fail('disk', text, 'Free some space: collection waits until there is.');
  if (freeBytes < store.retention.bytesMax / 4) {
    return warn('disk', text, 'Lower store.retention.bytesMax, or choose a larger disk with --data.');
  }
  return ok('disk', text);
}

/** Files that the store has set aside; a start takes back those that can be read again. */
function examineQuarantine({ data }: Config): Finding[] {
  const directory = path.join(data, 'store', 'quarantine');
  let names: string[];
  try {
    names = fs.readdirSync(directory);
  } catch {
    // No store has been there yet, or the check of the data directory tells it.
    return [];
  }
  if (names.length === 0) return [ok('quarantine', 'no file of the store is set aside')];
  const shown = names.slice(0, QUARANTINE_SHOWN).join(', ');
  const more = names.length > QUARANTINE_SHOWN ? ` and ${names.length - QUARANTINE_SHOWN} more` : '';
  const text = `${names.length} set aside because they could not be read, in ${directory}: ${shown}${more}`;
  const remedy =
    'Mend the disk, or put a sound copy in its place under the same name, and restart: segments are tried again. Remove what is not needed. `logboom stats` says why.';
  return [warn('quarantine', text, remedy)];
}

function examineClock(): Finding {
  const nowMs = Date.now();
  const now = new Date(nowMs).toISOString();
  if (nowMs < CLOCK_MS_MIN)
    return fail('clock', `it says ${now}`, 'Set it: records would be stored under wrong days.');
  const synchronized = fs.existsSync('/run/systemd/timesync/synchronized') ? ', synchronized' : '';
  return ok('clock', `${now}${synchronized}`);
}

function examineMemory({ store, agent, transport }: Config): Finding {
  const storeBytes = store.kind === 'embedded' ? store.memoryBytesMax : 0;
  const needed = storeBytes + agent.bufferBytesMax + transport.bufferBytesMax + 200 * MIB;
  const limit = process.constrainedMemory();
  const available = limit > 0 && limit < os.totalmem() ? limit : os.totalmem();
  const text = `${formatSize(available)} on this machine, about ${formatSize(needed)} used at most`;
  if (needed <= available * 0.75) return ok('memory', text);
  return warn('memory', text, 'Lower store.memoryBytesMax, or give the process more.');
}

function examineOpenFiles(): Finding {
  const limits = readText('/proc/self/limits');
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(soft)) return ok('open files', 'no limit is known');
  if (soft >= 4096) return ok('open files', `at most ${soft}`);
  return warn('open files', `at most ${soft}`, 'Raise it with `ulimit -n 65536` or LimitNOFILE= of systemd.');
}

function readNumber(file: string): number | undefined {
  const text = readText(file);
  return text === undefined ? undefined : Number(text.trim());
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
