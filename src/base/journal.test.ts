import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openJournal } from './journal.ts';
import type { OpenedJournal } from './journal.ts';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';

interface Entry {
  readonly key: string;
}

const PATH = '/data/things.journal';

function open(fileSystem: MemoryFileSystem, version = 1): Promise<OpenedJournal<Entry>> {
  return openJournal<Entry>({ fileSystem, directory: '/data', name: 'things', version });
}

function keysOf(opened: OpenedJournal<Entry>): string {
  return opened.entries.map((entry) => entry.key).join(' ');
}

test('a journal gives back what was appended, in order', async () => {
  const fileSystem = new MemoryFileSystem();
  const { journal } = await open(fileSystem);
  journal.append({ key: 'a' });
  journal.append({ key: 'ü\n' });
  fileSystem.crash();
  assert.equal(keysOf(await open(fileSystem)), 'a ü\n');
});

test('cut off at any byte, a journal keeps every entry that is whole and can be continued', async () => {
  const whole = new MemoryFileSystem();
  const { journal } = await open(whole);
  for (const key of ['a', 'b', 'c']) journal.append({ key });
  const bytes = whole.readFile(PATH);
  for (let size = 0; size <= bytes.length; size++) {
    const fileSystem = new MemoryFileSystem();
    fileSystem.append(PATH, bytes.subarray(0, size));
    const opened = await open(fileSystem);
    const wholeLines = new TextDecoder().decode(bytes.subarray(0, size)).split('\n').length - 1;
    assert.equal(
      keysOf(opened),
      ['a', 'b', 'c'].slice(0, Math.max(0, wholeLines - 1)).join(' '),
      `cut at ${size}`,
    );
    assert.equal(opened.damage, undefined);
    opened.journal.append({ key: 'later' });
    fileSystem.crash();
    assert.ok(keysOf(await open(fileSystem)).endsWith('later'), `continued after a cut at ${size}`);
  }
});

test('a damaged line in the middle keeps what stands before it and sets the file aside', async () => {
  const fileSystem = new MemoryFileSystem();
  const { journal } = await open(fileSystem);
  for (const key of ['a', 'b', 'c']) journal.append({ key });
  fileSystem.crash();
  const text = new TextDecoder().decode(fileSystem.readFile(PATH));
  fileSystem.corrupt(PATH, text.indexOf('"b"') + 1, 0x78);
  const opened = await open(fileSystem);
  assert.equal(keysOf(opened), 'a');
  assert.equal(opened.damage?.keptAs, '/data/things.journal.damaged-0');
  assert.match(opened.damage?.reason ?? '', /does not match its checksum/);
  fileSystem.crash();
  const again = await open(fileSystem);
  assert.equal(keysOf(again), 'a');
  assert.equal(again.damage, undefined);
});

test('a snapshot replaces the journal, whichever step the machine stops at', async () => {
  for (let step = 0; step < 12; step++) {
    const fileSystem = new MemoryFileSystem();
    fileSystem.makeDirectory('/data');
    await fileSystem.syncDirectory('/');
    const { journal } = await open(fileSystem);
    journal.append({ key: 'old' });
    await journal.sync();
    let steps = 0;
    fileSystem.onOperation = (operation, path) => {
      if (operation !== 'stat' && steps++ === step) throw systemError('EIO', path);
    };
    await journal.replace([{ key: 'new' }]).catch(() => undefined);
    fileSystem.onOperation = undefined;
    fileSystem.crash(() => 0);
    const opened = await open(fileSystem);
    assert.ok(['old', 'new'].includes(keysOf(opened)), `step ${step}: ${keysOf(opened)}`);
  }
});

test('an append that the full disk tore does not hide the next one', async () => {
  const fileSystem = new MemoryFileSystem();
  const { journal } = await open(fileSystem);
  journal.append({ key: 'a' });
  fileSystem.capacityBytes = fileSystem.readFile(PATH).length + 5;
  assert.throws(() => journal.append({ key: 'b' }), { code: 'ENOSPC' });
  fileSystem.capacityBytes = 1e9;
  journal.append({ key: 'c' });
  fileSystem.crash();
  assert.equal(keysOf(await open(fileSystem)), 'a c');
});

test('a file of a newer version is refused instead of misread', async () => {
  const fileSystem = new MemoryFileSystem();
  (await open(fileSystem, 2)).journal.append({ key: 'a' });
  fileSystem.crash();
  await assert.rejects(open(fileSystem, 1), { code: 'corrupt', hint: /a newer release wrote the file/ });
});
