import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

/** Lays out a checkout in which `node.sh` finds the given programs, and runs it. */
function runNodeScript(programs: { bundled?: string; machine?: string }): {
  status: number | null;
  output: string;
} {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-node-'));
  try {
    const write = (file: string, script: string): void => {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), script);
      chmodSync(path.join(root, file), 0o755);
    };
    mkdirSync(path.join(root, 'tools'));
    copyFileSync(path.join(import.meta.dirname, 'node.sh'), path.join(root, 'tools/node.sh'));
    if (programs.bundled !== undefined) write('node_modules/node/bin/node', programs.bundled);
    if (programs.machine !== undefined) write('machine/node', programs.machine);
    for (const name of ['sh', 'dirname', 'head', 'sed'])
      write(`machine/${name}`, `#!/bin/sh\nPATH=/bin:/usr/bin exec ${name} "$@"\n`);
    const { status, stdout, stderr } = spawnSync(
      '/bin/sh',
      [path.join(root, 'tools/node.sh'), 'script.ts', 'a b'],
      {
        encoding: 'utf8',
        env: { PATH: path.join(root, 'machine') },
      },
    );
    return { status, output: stdout + stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** A stand-in for Node: succeeds at `-e`, and prints its arguments otherwise. */
const working = (name: string): string => `#!/bin/sh\n[ "$1" = -e ] && exit 0\necho "${name}: $*"\n`;

const BROKEN = '#!/bin/sh\necho "error while loading shared libraries: libatomic.so.1" >&2\nexit 127\n';

const TOO_OLD = '#!/bin/sh\nexit 1\n';

void test('the Node that npm installed is preferred', () => {
  const { status, output } = runNodeScript({ bundled: working('bundled'), machine: working('machine') });
  assert.deepEqual({ status, output }, { status: 0, output: 'bundled: script.ts a b\n' });
});

void test('a new enough Node of the machine is taken where the installed one does not start', () => {
  const { status, output } = runNodeScript({ bundled: BROKEN, machine: working('machine') });
  assert.deepEqual({ status, output }, { status: 0, output: 'machine: script.ts a b\n' });
});

void test('without either it says what to install, and exits with 111', () => {
  const broken = runNodeScript({ bundled: BROKEN, machine: TOO_OLD });
  assert.equal(broken.status, 111);
  assert.match(broken.output, /libatomic\.so\.1/);
  assert.match(broken.output, /apt-get install libatomic1/);
  assert.match(broken.output, /24\.12/);
  const absent = runNodeScript({});
  assert.equal(absent.status, 111);
  assert.match(absent.output, /npm ci/);
});
