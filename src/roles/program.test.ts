/** The program as a process: what only shows in one, such as exit codes, streams, and the Node that it refuses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const environment = Object.entries(process.env).filter(([name]) => !/^(LOGBOOM_|NODE_TEST)/.test(name));
  return spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...Object.fromEntries(environment), NO_COLOR: '1' },
  });
}

void test('a mistake ends with 100 and one line on standard error', () => {
  const { status, stdout, stderr } = run('src/main.ts', 'up', '--server-listen', '6410');
  assert.equal(status, 100);
  assert.equal(stdout, '');
  assert.equal(stderr, 'logboom: --server-listen: got "6410", expected HOST:PORT, such as 127.0.0.1:6410\n');
});

void test('a data directory that cannot be written ends with 111', () => {
  const { status, stderr } = run('src/main.ts', 'up', '--data', '/proc/logboom', '--listen', '127.0.0.1:0');
  assert.equal(status, 111);
  assert.match(
    stderr,
    /^logboom: cannot write to the data directory \/proc\/logboom \([^]*\n {2}[A-Z][^]*--data/,
  );
});

void test('an address that others can reach is refused without a token: 100', () => {
  const { status, stderr } = run('src/main.ts', 'check', '--listen', '0.0.0.0:6410');
  assert.equal(status, 100);
  assert.match(stderr, /0\.0\.0\.0:6410 can be reached from other machines, and no token is set/);
});

void test('the program of the package prints its version', () => {
  const { status, stdout } = run('bin/logboom.js', '--version');
  assert.equal(status, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

void test('a Node that is too old is told what to do', () => {
  const pretend = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.19.5"})';
  const { status, stderr } = run('--import', pretend, 'bin/logboom.js', 'up');
  assert.equal(status, 111);
  assert.match(
    stderr,
    /^logboom: needs Node 24\.12 or newer, and this is Node 20\.19\.5\n[^]*npm ci && npm start/,
  );
});
