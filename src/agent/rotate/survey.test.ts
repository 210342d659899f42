import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogDirectory, LogEntry, RotateMachine } from '../../base/log-directory.ts';
import { nodeRotateMachine } from '../../base/node/node-rotate-machine.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { FollowedFile, FollowedGroup } from '../followed-files.ts';
import type { RotateFile } from './rotate-types.ts';
import { Survey } from './survey.ts';

const DIRECTORY = '/logs/shop/cart/cart-0/log';

function sampleEntry(changes: Partial<LogEntry> = {}): LogEntry {
  const entry: LogEntry = {
    name: 'app.log',
    kind: 'file',
    inode: '1:1',
    birthNs: '1000000',
    size: 1000,
    diskBytes: 4096,
    modifiedMs: 0,
    links: 1,
  };
  return { ...entry, ...changes };
}

function sampleFollowed(changes: Partial<FollowedFile> = {}): FollowedFile {
  const file: FollowedFile = {
    id: 'a'.repeat(20),
    path: `${DIRECTORY}/app.log`,
    inode: '1:1',
    birthNs: '1000000',
    copies: [],
    isActive: true,
    size: 1000,
    readOffset: 1000,
    freeOffset: 1000,
    isDone: true,
    hasUnfinishedLine: false,
    given: [],
  };
  return { ...file, ...changes };
}

/** Looks at one file, as the agent and the directory tell of it. */
function look(followed: FollowedFile, entry: LogEntry): RotateFile | undefined {
  const directory: Partial<LogDirectory> = {
    blockBytes: 4096,
    list: () => [entry],
    close: () => undefined,
  };
  const machine: RotateMachine = { ...nodeRotateMachine, openDirectory: () => directory as LogDirectory };
  const survey = new Survey({
    machine,
    onUnreadable: (_, error) => {
      throw error;
    },
  });
  const { config } = loadConfig({
    flags: [],
    environment: {},
    file: { name: 'logboom.yaml', text: 'sources: [ { kind: apps, root: /logs } ]' },
    hostName: 'node-1',
    workingDirectory: '/',
    hasDirectory: () => false,
  });
  const [source] = config.sources;
  assert.ok(source !== undefined);
  const group: FollowedGroup = {
    key: `${DIRECTORY}/app.log`,
    source,
    directory: DIRECTORY,
    style: 'rotated',
    names: {},
    files: [followed],
  };
  return survey.look([group], { wallMs: 0, monotonicMs: 0 }).groups[0]?.files[0];
}

void test('a file is done with only when the agent says so and nothing was written since (G5)', () => {
  const rows: readonly [Partial<FollowedFile>, Partial<LogEntry>, boolean][] = [
    [{}, {}, true],
    [{}, { size: 1001 }, false],
    [{ freeOffset: 999 }, {}, false],
    [{ isDone: false }, {}, false],
    [{ isDone: false }, { name: 'app.log.1.gz' }, false],
    [{}, { name: 'app.log.1.gz' }, true],
  ];
  for (const [followed, entry, expected] of rows) {
    const file = look(sampleFollowed(followed), sampleEntry(entry));
    assert.equal(file?.isDone, expected, JSON.stringify([followed, entry]));
  }
});

void test('what is acknowledged of a file ends where the file ends, and a compressed one has nothing to free', () => {
  assert.equal(look(sampleFollowed(), sampleEntry({ size: 400 }))?.freeOffset, 400);
  assert.equal(look(sampleFollowed(), sampleEntry({ name: 'app.log.1.zst' }))?.freeOffset, 0);
});

void test('what the agent does not follow, and what is no file, is not rotated', () => {
  assert.equal(look(sampleFollowed(), sampleEntry({ inode: '1:2' })), undefined);
  // Its inode was used again: what the agent knows is of another file.
  assert.equal(look(sampleFollowed(), sampleEntry({ birthNs: '2000000' })), undefined);
  for (const kind of ['directory', 'link', 'other'] as const) {
    assert.equal(look(sampleFollowed(), sampleEntry({ kind })), undefined);
  }
});
