/** The real logrotate, where it is installed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { nodeFileSystem } from '../../base/node/node-file-system.ts';
import { nodeRotateMachine } from '../../base/node/node-rotate-machine.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import { parseRotatedName } from '../discovery/rotated-name.ts';
import { LogrotateEngine } from './logrotate-engine.ts';
import { samplePolicy } from './testing/rotate-samples.ts';

const KIB = 1024;

function isInstalled(): boolean {
  try {
    execFileSync('logrotate', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const skip = isInstalled() ? false : 'logrotate is not installed';

function makeEngine(context: TestContext) {
  const root = fs.mkdtempSync(path.join(tmpdir(), 'logboom-logrotate-'));
  context.after(() => fs.rmSync(root, { recursive: true, force: true }));
  fs.chmodSync(root, 0o755);
  const log = path.join(root, 'a b [1]*');
  fs.mkdirSync(log, { mode: 0o755 });
  const telemetry = new MemoryTelemetry();
  const directory = path.join(root, 'configurations');
  const engine = new LogrotateEngine({
    machine: nodeRotateMachine,
    fileSystem: nodeFileSystem,
    telemetry,
    directory,
  });
  const file = path.join(log, 'app.log');
  fs.writeFileSync(file, Buffer.alloc(100 * KIB, 'a line of a log\n'));
  return { engine, log, file, directory, telemetry };
}

void test(
  'logrotate takes the configuration, rotates what is large enough, and its words are understood',
  { skip },
  async (context) => {
    const { engine, log, file } = makeEngine(context);
    const small = path.join(log, 'small.log');
    fs.writeFileSync(small, 'x\n');
    const policy = samplePolicy({ method: 'logrotate', size: 64 * KIB, copytruncate: true });
    const files = [file, small, path.join(log, 'gone.log')].map((one) => ({ path: one, isDueByAge: false }));
    await engine.install({ name: 'shop.cart', policy, files });
    assert.equal(engine.problemOf('shop.cart'), undefined);
    const { report, problem } = await engine.run('shop.cart');
    assert.equal(problem, undefined);
    const [rotated, ...others] = report.rotated;
    assert.deepEqual(others, []);
    assert.equal(rotated?.path, file);
    assert.equal(rotated.isCopied, true);
    const { base, rotation } = parseRotatedName(path.basename(rotated.to));
    assert.equal(base, 'app.log');
    assert.equal(rotation?.kind, 'date');
    assert.equal(fs.statSync(file).size, 0);
    assert.equal(fs.statSync(rotated.to).size, 100 * KIB);
    assert.deepEqual(
      report.skipped.map((one) => one.path),
      [small],
      'what is gone is no error',
    );
  },
);

void test(
  'a directory that others can write needs su, and with it logrotate rotates as that user',
  { skip },
  async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root becomes another user');
    const { engine, log, file, telemetry } = makeEngine(context);
    fs.chmodSync(log, 0o777);
    fs.chownSync(file, 65_534, 65_534);
    const policy = samplePolicy({ method: 'logrotate', size: 64 * KIB });
    const files = [{ path: file, isDueByAge: false }];
    await engine.install({ name: 'open', policy, files });
    const refused = engine.problemOf('open') ?? (await engine.run('open')).problem ?? '';
    assert.match(refused, /insecure permissions.*Give the policy `su: "USER GROUP"`/);
    assert.equal(telemetry.valueOf('logboom_rotate_logrotate_runs_total', { outcome: 'ok' }), 0);
    await engine.install({ name: 'open', policy: { ...policy, su: 'nobody nogroup' }, files });
    const { report, problem } = await engine.run('open');
    assert.equal(problem, undefined);
    assert.equal(report.rotated.length, 1);
    assert.equal(fs.statSync(file).uid, 65_534);
  },
);

void test(
  'configurations of apps that are gone, and of an earlier run, are removed',
  { skip },
  async (context) => {
    const { engine, file, directory } = makeEngine(context);
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(directory, 'old.conf'), 'broken');
    const policy = samplePolicy({ method: 'logrotate' });
    const job = (name: string) => ({ name, policy, files: [{ path: file, isDueByAge: false }] });
    const configs = (): number => fs.readdirSync(directory).filter((name) => name.endsWith('.conf')).length;
    engine.keep(new Set(['a/b', 'a_b']));
    await engine.install(job('a/b'));
    await Promise.all([engine.install(job('a_b')), engine.install(job('a_b'))]);
    assert.equal(configs(), 2, 'two names stay two');
    engine.keep(new Set(['a_b']));
    assert.equal(configs(), 1);
    engine.keep(new Set());
    assert.equal(configs(), 0);
  },
);
