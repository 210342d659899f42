import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeRotateMachine } from './node-rotate-machine.ts';

const TIMEOUT_MS = 10_000;

async function isThereSoon(file: string): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (existsSync(file)) return true;
    await sleep(100);
  }
  return false;
}

// logrotate that ended here would have copied a file and not truncated it.
test('a program goes on to its end, however much it says, when whoever started it is killed', async (context) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'logboom-run-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const [begun, proceed, done] = ['begun', 'proceed', 'done'].map((name) => path.join(directory, name));
  assert.ok(begun !== undefined && proceed !== undefined && done !== undefined);
  const script = `echo one; touch ${begun}; while [ ! -e ${proceed} ]; do sleep 0.05; done; echo two; echo three >&2; touch ${done}`;
  const module = path.join(import.meta.dirname, 'node-rotate-machine.ts');
  const call = `
    const { nodeRotateMachine } = await import(${JSON.stringify(module)});
    await nodeRotateMachine.run('sh', { args: ['-c', ${JSON.stringify(script)}], timeoutMs: ${TIMEOUT_MS} });`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', call], { stdio: 'inherit' });
  assert.ok(await isThereSoon(begun), 'it has begun');
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  writeFileSync(proceed, '');
  assert.ok(await isThereSoon(done), 'it has ended by itself');
});

test('a program hands back what it says and its exit code, and one that is not there is an error', async () => {
  const result = await nodeRotateMachine.run('sh', {
    args: ['-c', 'echo "$1"; echo two >&2; exit 3', 'sh', "a b'c"],
    timeoutMs: TIMEOUT_MS,
  });
  assert.deepEqual(result, { code: 3, output: "a b'c\ntwo\n", isTimedOut: false });
  const inner = await nodeRotateMachine.run('sh', { args: ['-c', 'no-such-program'], timeoutMs: TIMEOUT_MS });
  assert.equal(inner.code, 127);
  await assert.rejects(nodeRotateMachine.run('no-such-program', { args: [], timeoutMs: TIMEOUT_MS }), {
    code: 'ENOENT',
  });
});

test('a program that does not end in time is told to', async () => {
  const result = await nodeRotateMachine.run('sleep', { args: ['30'], timeoutMs: 100 });
  assert.equal(result.isTimedOut, true);
  assert.equal(result.code, undefined);
});
