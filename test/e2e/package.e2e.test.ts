/**
 * What `npm pack` makes of a checkout in which nothing was built is what people install: it runs with the packages that
 * it depends on and no others, and has its page.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readRepository } from '../../tools/repository-files.ts';
import { findFreePort, LogboomProcess } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** What is packed, and what builds it. */
const NEEDED = /^(?:bin|src|tools)\/|^[^/]+$/;

void test('the package of a fresh checkout runs and shows its page', async () => {
  using directory = new TemporaryDirectory('package');
  const checkout = directory.join('checkout');
  for (const { path: file } of readRepository(root)) {
    const from = path.join(root, file);
    if (NEEDED.test(file) && existsSync(from)) cpSync(from, path.join(checkout, file));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(checkout, 'node_modules'));
  run('npm', ['pack', '--pack-destination', directory.path], checkout);
  const archive = readdirSync(directory.path).find((name) => name.endsWith('.tgz')) ?? '';
  const installed = directory.join('node_modules/logboom');
  mkdirSync(installed, { recursive: true });
  run('tar', ['xzf', directory.join(archive), '-C', installed, '--strip-components=1'], directory.path);
  linkDependencies(installed, directory.join('node_modules'));

  const program = path.join(installed, 'bin/logboom.js');
  const address = `127.0.0.1:${await findFreePort()}`;
  const args = ['up', '--demo', '--data', directory.join('data'), '--listen', address];
  await using started = new LogboomProcess({ program, args });
  await started.waitUntilReady(`http://${address}`);
  const page = await (await fetch(`http://${address}/`)).text();
  const [, script = ''] = /<script type="module"[^>]* src="([^"]+)"/.exec(page) ?? [];
  assert.equal((await fetch(`http://${address}${script}`)).status, 200, page);
  assert.deepEqual(await started.stop(), { code: 0, signal: null }, started.output);

  const names = readdirSync(path.join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    names.filter((name) => /\.test\.js$|(?:^|\/)testing\//.test(name)),
    [],
    'tests are not published',
  );
});

function linkDependencies(installed: string, modules: string): void {
  const manifest = readFileSync(path.join(installed, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Readonly<Record<string, string>> };
  for (const name of Object.keys(dependencies)) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
}
