import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openArchive } from './node-archive.ts';

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
}

test('an archive is opened as the file that it was, or not at all', async (context) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'logboom-archive-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'app.log.1.gz');
  writeFileSync(file, gzipSync('first\n'));
  const { dev, ino } = statSync(file, { bigint: true });
  const inode = `${dev}:${ino}`;
  assert.equal(await textOf(openArchive(file, 'gz', inode)), 'first\n');
  renameSync(file, path.join(directory, 'app.log.2.gz'));
  await assert.rejects(textOf(openArchive(file, 'gz', inode)), { code: 'ENOENT' });
  writeFileSync(file, gzipSync('second\n'));
  await assert.rejects(textOf(openArchive(file, 'gz', inode)), { code: 'ESTALE' });
  assert.equal(await textOf(openArchive(file, 'gz')), 'second\n');
});
