import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { openArchive } from '../base/node/node-archive.ts';
import type { ImportResult } from '../cli/context.ts';
import { fakeContext } from '../cli/testing/fake-context.ts';
import { loadConfig } from '../config/load-config.ts';
import { findBrokenHead } from './import-archives.ts';
import { importFiles } from './import-files.ts';

/** Lines that hardly compress, so that half of an archive is about half of them. */
function lines(count: number): string {
  let seed = 7;
  const next = (): string => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed.toString(36);
  };
  return Array.from(
    { length: count },
    (_, index) => `2026-11-20T10:00:00Z ${index} ${next()}${next()}\n`,
  ).join('');
}

async function importInto(data: string, files: readonly string[]): Promise<ImportResult> {
  const loaded = loadConfig({
    flags: [{ flag: '--data', path: 'data', text: data }],
    environment: {},
    file: undefined,
    hostName: 'host-1',
    workingDirectory: data,
    hasDirectory: () => false,
  });
  return importFiles(fakeContext(), {
    loaded,
    files,
    fields: {},
    format: 'auto',
    takesLineTimes: true,
    serverUrl: 'http://127.0.0.1:1',
    isServerRequired: false,
    token: undefined,
    onProgress: () => undefined,
    onNotice: () => undefined,
  });
}

void test('of archives that break off what can be read is imported, and they are named', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-import-'));
  try {
    const gz = gzipSync(lines(4000));
    const zst = zstdCompressSync(lines(20_000));
    const flipped = Buffer.from(gz);
    flipped.writeUInt32LE(7, gz.length - 8);
    const files = Object.entries({
      'whole.log.gz': gz,
      'cut.log.gz': gz.subarray(0, gz.length / 2),
      'flipped.log.gz': flipped,
      'cut.log.zst': zst.subarray(0, zst.length / 2),
    }).map(([name, bytes]) => {
      const file = path.join(root, name);
      writeFileSync(file, bytes);
      return file;
    });
    const result = await importInto(path.join(root, 'data'), files);
    assert.deepEqual(result.failed, []);
    const [whole, ...broken] = files;
    assert.ok(whole !== undefined);
    assert.deepEqual(result.incomplete.map((one) => one.path).toSorted(), broken.toSorted());
    for (const { reason } of result.incomplete)
      assert.match(reason, /^it breaks off or is broken behind \d+ bytes/);
    assert.ok(result.records > 4000 + 1000 + 2500, `${result.records} records`);
  } finally {
    rmSync(root, { recursive: true });
  }
});

void test('an archive of which not even the first line can be read is not imported, and nobody waits for it', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-import-'));
  try {
    const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
      ['text.log.gz', Buffer.from('no archive\n'), /^it is no gzip file, .*incorrect header check/],
      ['text.log.zst', Buffer.from('no archive\n'), /^it is no Zstandard file/],
      ['empty.log.gz', Buffer.alloc(0), /^it is no gzip file, .*unexpected end of file/],
      ['head.log.gz', gzipSync(lines(10)).subarray(0, 5), /^it is no gzip file, .*unexpected end of file/],
    ];
    for (const [name, bytes, message] of cases) {
      const file = path.join(root, name);
      writeFileSync(file, bytes);
      assert.match((await findBrokenHead(file, openArchive)) ?? '', message);
      const { failed, records } = await importInto(path.join(root, 'data'), [file]);
      assert.equal(records, 0);
      assert.deepEqual(
        failed.map((one) => one.path),
        [file],
      );
    }
    const sound = path.join(root, 'sound.log.gz');
    writeFileSync(sound, gzipSync('no newline'));
    assert.equal(await findBrokenHead(sound, openArchive), undefined);
  } finally {
    rmSync(root, { recursive: true });
  }
});
