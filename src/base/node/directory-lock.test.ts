import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDirectory } from './directory-lock.ts';

test('a directory has one owner, and a killed owner leaves it free', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'logboom-lock-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const script = `const { lockDirectory } = await import(${JSON.stringify(import.meta.resolve('./directory-lock.ts'))});
    globalThis.held = lockDirectory(${JSON.stringify(directory)}); console.log('locked'); setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  assert.throws(() => lockDirectory(directory), { code: 'locked', details: { pid: String(owner.pid) } });
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  lockDirectory(directory).release();
});
