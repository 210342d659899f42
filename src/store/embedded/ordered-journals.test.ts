import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryFileSystem } from '../../base/memory-file-system.ts';
import { orderJournals, removeFiles } from './ordered-journals.ts';
import type { JournalRun, JournalSource } from './segment-engine.ts';

const NAMES = ['pay-1', 'pay-2', 'web-1', 'web-2'] as const;

/** Pods of two apps, whose file ids do not stand in the order of the apps. */
const RESOURCES = new Map(
  NAMES.map((name, id) => [
    id,
    {
      fileId: `${NAMES.length - id}`,
      members: { kubernetes: { container: { name: name.slice(0, 3) }, pod: { name } } },
    },
  ]),
);

interface Written {
  readonly resource: number;
  readonly lines: number;
}

/** Writes a journal of runs with a commit line behind each of them. */
function writeJournal(
  fileSystem: MemoryFileSystem,
  path: string,
  written: readonly Written[],
): JournalSource {
  let text = '';
  const runs: JournalRun[] = [];
  for (const [index, { resource, lines }] of written.entries()) {
    const start = text.length;
    for (let line = 0; line < lines; line += 1) text += `${resource} ${path} ${index} ${line}\n`;
    const fileId = RESOURCES.get(resource)?.fileId ?? '';
    runs.push({ fileId, rows: lines, start, bytes: text.length - start });
    text += 'commit\n';
  }
  const fd = fileSystem.open(path, 'w');
  fileSystem.write(fd, new TextEncoder().encode(text));
  fileSystem.close(fd);
  return {
    kind: 'journal',
    path,
    bytes: text.length,
    types: new Map(),
    resources: RESOURCES,
    hasWholeDocuments: false,
    hasOddTimes: false,
    isCompact: true,
    documentBytesMax: 100,
    runs,
  };
}

function linesOf(fileSystem: MemoryFileSystem, { path }: JournalSource): string[] {
  return new TextDecoder().decode(fileSystem.readFile(path)).split('\n').slice(0, -1);
}

function newWorld(): { fileSystem: MemoryFileSystem; options: Parameters<typeof orderJournals>[1] } {
  const fileSystem = new MemoryFileSystem();
  fileSystem.makeDirectory('/tmp');
  return { fileSystem, options: { fileSystem, directory: '/tmp', name: 'sealing-1', rowsMax: 10 } };
}

test('lines of one app stand together, in it those of one file, in their order', async () => {
  const { fileSystem, options } = newWorld();
  const journals = [
    writeJournal(fileSystem, '/a', [
      { resource: 2, lines: 1 },
      { resource: 1, lines: 2 },
    ]),
    writeJournal(fileSystem, '/b', [
      { resource: 3, lines: 1 },
      { resource: 2, lines: 1 },
      { resource: 0, lines: 1 },
    ]),
  ];
  const [ordered, ...others] = await orderJournals(journals, options);
  assert.ok(ordered !== undefined && others.length === 0);
  const expected = ['1 /a 1 0', '1 /a 1 1', '0 /b 2 0', '3 /b 0 0', '2 /a 0 0', '2 /b 1 0'];
  // File ids fall from pod to pod, so that the second pod of an app comes first.
  assert.deepEqual(linesOf(fileSystem, ordered), expected);
});

test('every line is kept once, in files of as many rows as are asked for, whatever the runs are', async () => {
  const run = fc.record({ resource: fc.integer({ min: 0, max: 3 }), lines: fc.integer({ min: 1, max: 25 }) });
  const journal = fc.array(run, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(journal, { minLength: 1, maxLength: 4 }), async (given) => {
      const { fileSystem, options } = newWorld();
      const journals = given.map((runs, index) => writeJournal(fileSystem, `/${index}`, runs));
      const isOneFile = new Set(given.flat().map(({ resource }) => resource)).size === 1;
      const ordered = await orderJournals(journals, options);
      const lines = ordered.map((source) => linesOf(fileSystem, source));
      const written = journals.flatMap((source) => linesOf(fileSystem, source));
      const documents = written.filter((line) => line !== 'commit');
      if (isOneFile) return assert.equal(ordered, journals);
      assert.deepEqual(lines.flat().toSorted(), documents.toSorted());
      for (const [index, one] of lines.entries()) {
        assert.equal(one.length, Math.min(options.rowsMax, documents.length - index * options.rowsMax));
        // What is in a file arrived before what is in the next one.
        const part = documents.slice(index * options.rowsMax, (index + 1) * options.rowsMax);
        assert.deepEqual(one.toSorted(), part.toSorted());
        for (const resource of NAMES.keys()) {
          const isOwn = (line: string): boolean => line.startsWith(`${resource} `);
          assert.deepEqual(one.filter(isOwn), part.filter(isOwn));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('journals that do not tell where what stands are read as they are', async () => {
  const { fileSystem, options } = newWorld();
  const runs = [0, 1, 2].map((resource) => ({ resource, lines: 1 }));
  const journals = [
    writeJournal(fileSystem, '/a', runs),
    { ...writeJournal(fileSystem, '/b', runs), runs: undefined },
  ];
  assert.equal(await orderJournals(journals, options), journals);
});

/** More than a file of lines in order. */
const LONG = [0, 1, 2].map((resource) => ({ resource, lines: 15 }));

test('journals are read as they are when others fill the disk meanwhile, of which nothing is left', async () => {
  const { fileSystem, options } = newWorld();
  const journals = [writeJournal(fileSystem, '/a', LONG)];
  fileSystem.capacityBytes = fileSystem.readFile('/a').length + 200;
  fileSystem.freeBytes = () => 1e9;
  assert.equal(await orderJournals(journals, options), journals);
  assert.deepEqual(fileSystem.readDirectory('/tmp'), []);
});

test('a disk that has room for other journals, but hardly for segments beside them, keeps it for these', async () => {
  const { fileSystem, options } = newWorld();
  const journals = [writeJournal(fileSystem, '/a', LONG)];
  const documentBytes = fileSystem.readFile('/a').length - LONG.length * 'commit\n'.length;
  fileSystem.freeBytes = () => 3 * documentBytes - 1;
  assert.equal(await orderJournals(journals, options), journals);
  fileSystem.freeBytes = () => 3 * documentBytes;
  assert.equal((await orderJournals(journals, options)).length, 5);
});

test('journals that lack their end are read as they are, as far as they go, and nothing else is left', async () => {
  const { fileSystem, options } = newWorld();
  const journals = [writeJournal(fileSystem, '/a', LONG)];
  fileSystem.truncate('/a', fileSystem.readFile('/a').length - 30);
  assert.equal(await orderJournals(journals, options), journals);
  assert.deepEqual(fileSystem.readDirectory('/tmp'), []);
});

test('journals of more runs than are worth their memory are read as they are', async () => {
  const { fileSystem, options } = newWorld();
  const journal = writeJournal(fileSystem, '/a', LONG);
  const journals = Array.from({ length: 40 }, () => ({
    ...journal,
    runs: Array.from({ length: 10_001 }, (_, index) => ({
      fileId: `${index % 2}`,
      rows: 1,
      start: 0,
      bytes: 8,
    })),
  }));
  assert.equal(await orderJournals(journals, options), journals);
});

test('files that are gone already are removed without complaint', () => {
  const { fileSystem } = newWorld();
  removeFiles(fileSystem, ['/tmp/none']);
  assert.deepEqual(fileSystem.readDirectory('/tmp'), []);
});
