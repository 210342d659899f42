/** Programs that hang: what they delay, and what they do not. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { ProgramResult, RotateMachine } from '../../base/log-directory.ts';
import { aMoment, answer, Scene, until } from './testing/rotator-scene.ts';

const KIB = 1024;

/** A machine whose programs end when the test says so, those whose last argument fits; it tells of all of them. */
function hangingMachine(hangs: (args: readonly string[]) => boolean) {
  const calls: (readonly string[])[] = [];
  const release: ((result: ProgramResult) => void)[] = [];
  const machine: Partial<RotateMachine> = {
    run: (_program, { args }) => {
      calls.push(args);
      if (!hangs(args)) return Promise.resolve(answer(''));
      return new Promise((resolve) => release.push(resolve));
    },
  };
  return { machine, calls, release };
}

void test('a command that hangs delays the rotation of no other file, and does not begin twice', async (context) => {
  const rotate = `rotate:
  - { match: { path: "**/hang.log" }, method: rename, size: 256KiB, postrotate: hang }
  - { match: { path: "**/other.log" }, method: rename, size: 256KiB, compress: gzip }
  - { size: 256KiB }`;
  const scene = new Scene(context, rotate);
  const { machine, calls, release } = hangingMachine((args) => args.includes('hang'));
  scene.write('hang.log', 400 * KIB);
  scene.start(context, machine);
  await until('the command', () => calls.length === 1);
  scene.write('other.log', 400 * KIB);
  const punched = scene.write('punched.log', 400 * KIB);
  const writer = fs.openSync(punched, 'a');
  context.after(() => fs.closeSync(writer));
  await until('the renaming', () => scene.names().some((name) => /^other\.log-.*\.gz$/.test(name)));
  await until('the punch', () => fs.statSync(punched).blocks * 512 < 200 * KIB);
  await until('the status', () => (scene.status()?.groups.length ?? 0) === 3);
  await aMoment();
  assert.equal(calls.length, 1);
  release[0]?.({ code: undefined, output: '', isTimedOut: true });
  await until('the warning', () => /postrotate: it did not end within 60 s/.test(scene.warnings()));
  const waits = (): string =>
    scene
      .status()
      ?.groups.map((group) => group.waits ?? '')
      .join() ?? '';
  await until('the status of it', () => waits().includes('did not end'));
});

for (const [what, flag] of [
  ['check', '-d'],
  ['run', '-v'],
] as const) {
  void test(`a logrotate whose ${what} hangs delays no other app, and no other way to rotate`, async (context) => {
    const rotate = `rotate:
  - { match: { path: "**/hang.log" }, method: logrotate, size: 128KiB }
  - { match: { path: "**/lr.log" }, method: logrotate, size: 256KiB }
  - { match: { path: "**/archived.log" }, method: rename, size: 256KiB, compress: gzip }
  - { size: 256KiB }`;
    const scene = new Scene(context, rotate);
    // Configurations are named after app and policy.
    const { machine, calls, release } = hangingMachine(
      (args) => args[0] === flag && args.some((text) => text.includes('rotate-0')),
    );
    scene.write('hang.log', 400 * KIB);
    scene.start(context, machine);
    await until(`the ${what}`, () => release.length === 1);
    scene.write('lr.log', 400 * KIB);
    const runs = (policy: string): number =>
      calls.filter(([first, ...rest]) => first === '-v' && rest.some((text) => text.includes(policy))).length;
    await until('the other run', () => runs('rotate-1') === 1);
    scene.write('archived.log', 400 * KIB);
    await until('the compression', () => scene.names().some((name) => name.endsWith('.gz')));
    assert.equal(runs('rotate-0'), flag === '-v' ? 1 : 0, 'what was not checked is not run');
    release[0]?.(answer(''));
    await until('its run', () => runs('rotate-0') >= 1);
    const directory = path.join(scene.config.data, 'agent/logrotate');
    assert.equal(fs.readdirSync(directory).filter((name) => name.endsWith('.conf')).length, 2);
  });
}

void test('a logrotate that fails stands in the status until it works, and one that was missing is looked for again', async (context) => {
  const scene = new Scene(context, 'rotate: [ { method: logrotate, size: 256KiB } ]');
  const missing = Object.assign(new Error('spawn logrotate ENOENT'), { code: 'ENOENT' });
  let isMissing = true;
  let said = 'error: error running shared postrotate script';
  scene.write('app.log', 400 * KIB);
  scene.start(context, {
    run: (_program, { args }) => {
      if (isMissing) return Promise.reject(missing);
      return Promise.resolve(args[0] === '-v' ? answer(said, said === '' ? 0 : 1) : answer(''));
    },
  });
  const waits = (): string | undefined => scene.status()?.groups[0]?.waits;
  await until('the reason', () => /logrotate is not installed/.test(waits() ?? ''));
  isMissing = false;
  await until('the failure', () => /postrotate script/.test(waits() ?? ''));
  said = '';
  await until('the end of it', () => scene.status() !== undefined && waits() === undefined);
});
