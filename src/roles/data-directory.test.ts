import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { AppError } from '../base/errors.ts';
import { takeDataDirectory } from './data-directory.ts';

void test('a missing data directory is created', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-data-'));
  try {
    const directory = path.join(root, 'a/b');
    takeDataDirectory(directory).release();
    assert.ok(statSync(directory).isDirectory());
  } finally {
    rmSync(root, { recursive: true });
  }
});

void test('a data directory that cannot be written names itself and the remedy', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-data-'));
  try {
    const file = path.join(root, 'file');
    writeFileSync(file, '');
    for (const directory of [file, path.join(file, 'below'), '/proc/logboom']) {
      assert.throws(
        () => takeDataDirectory(directory),
        (error: unknown) => {
          assert.ok(error instanceof AppError);
          assert.equal(error.message, `cannot write to the data directory ${directory}`);
          assert.match(error.hint ?? '', /--data/);
          return true;
        },
      );
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});
