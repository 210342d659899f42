import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadConfig } from '../config/load-config.ts';
import { planRotation, reportRotation } from './rotate-plan-view.ts';

const KIB = 1024;

interface Tree {
  readonly directory: string;
  readonly log: string;
  readonly app: string;
  config(rotate?: string): ReturnType<typeof loadConfig>['config'];
}

function makeTree(context: TestContext): Tree {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'logboom-plan-'));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const log = path.join(directory, 'logs/shop/cart/cart-0/log');
  fs.mkdirSync(log, { recursive: true });
  fs.mkdirSync(path.join(directory, 'data/agent'), { recursive: true });
  const app = path.join(log, 'app.log');
  fs.writeFileSync(app, Buffer.alloc(400 * KIB, 'a line of a log\n'));
  return {
    directory,
    log,
    app,
    config(rotate = '') {
      const text = `data: ${directory}/data
sources:
  - { kind: apps, root: ${directory}/logs }
  - { kind: pods, root: ${directory}/pods }
${rotate}
`;
      return loadConfig({
        flags: [],
        environment: {},
        file: { name: 'logboom.yaml', text },
        hostName: 'node-1',
        workingDirectory: '/',
        hasDirectory: () => false,
      }).config;
    },
  };
}

/** Writes what an agent would have said of the file. */
function saySeen(tree: Tree, acknowledged: number, time = new Date().toISOString()): void {
  const file = { path: tree.app, size: 400 * KIB, diskBytes: 400 * KIB, acknowledged, isDone: false };
  const group = {
    path: tree.app,
    policy: 'rotate[0]',
    method: 'punch',
    reason: 'x',
    diskBytes: 1,
    freedBytes: 7,
  };
  const status = {
    version: 1,
    time,
    freedBytes: 7,
    groups: [{ ...group, files: [file] }],
    held: [],
    problems: [],
  };
  fs.writeFileSync(path.join(tree.directory, 'data/agent/rotate.json'), JSON.stringify(status));
}

void test('every file is shown with its policy and what would happen, and nothing is changed', (context) => {
  const tree = makeTree(context);
  saySeen(tree, 390 * KIB);
  const before = fs.statSync(tree.app);
  const plan = planRotation(tree.config('rotate: [ { match: { app: cart }, size: 256KiB } ]'));
  const [file, ...others] = plan.files;
  assert.deepEqual(others, []);
  assert.equal(file?.path, tree.app);
  assert.equal(file.policy, 'rotate[0]');
  assert.equal(file.action, 'punch');
  assert.equal(file.acknowledged, 390 * KIB);
  assert.match(file.because, /it has \d+ bytes on disk, and the policy's size is 262144/);
  assert.deepEqual(plan.warnings, []);
  assert.equal(fs.statSync(tree.app).blocks, before.blocks);
  assert.deepEqual(fs.readdirSync(tree.log), ['app.log']);
});

void test('files of the demo are shown like the demo rotates them', (context) => {
  const tree = makeTree(context);
  const log = path.join(tree.directory, 'data/demo/data/logs/shop/cart/cart-0/log');
  fs.mkdirSync(log, { recursive: true });
  fs.writeFileSync(path.join(log, 'demo.log'), 'hello\n');
  const paths = planRotation(tree.config()).files.map((file) => file.path);
  assert.deepEqual(paths, [tree.app, path.join(log, 'demo.log')]);
});

void test('without an agent nothing counts as acknowledged, and it is said', (context) => {
  const tree = makeTree(context);
  const plan = planRotation(tree.config('rotate: [ { size: 256KiB } ]'));
  assert.equal(plan.files[0]?.action, 'nothing');
  assert.match(plan.files[0].because, /too little of it can be freed/);
  assert.match(plan.warnings[0] ?? '', /has not said what is acknowledged/);
  saySeen(tree, 390 * KIB, '2026-01-01T00:00:00.000000000Z');
  assert.match(planRotation(tree.config()).warnings[0] ?? '', /the agent does not run/);
});

void test('policies that fit nothing and users who do not exist are warned of, and logrotate is shown its configuration', (context) => {
  const tree = makeTree(context);
  saySeen(tree, 0);
  const plan = planRotation(
    tree.config(`rotate:
  - { match: { app: nobody }, method: punch }
  - { match: { app: cart }, method: logrotate, su: "no-such no-group" }`),
  );
  assert.deepEqual(plan.warnings, [
    'rotate[0] fits no file that is there',
    'rotate[1].su: user no-such does not exist',
  ]);
  assert.match(plan.logrotate[0] ?? '', new RegExp(`"${tree.app}" \\{\\n {4}su no-such no-group\\n`));
});

void test('the files of Kubernetes are shown as untouched', (context) => {
  const tree = makeTree(context);
  const container = path.join(tree.directory, 'pods/shop_cart-0_3f2a6a1e-0d5c-4a6e-9c1b-6f1f0a7b2c3d/web');
  fs.mkdirSync(container, { recursive: true });
  fs.writeFileSync(path.join(container, '0.log'), 'x\n');
  const plan = planRotation(tree.config('rotate: [ { size: 4KiB } ]'));
  const file = plan.files.find(({ path: at }) => at.endsWith('0.log'));
  assert.equal(file?.policy, 'none');
  assert.match(file.why, /kubelet/);
});

void test('the report is what the agent wrote last', (context) => {
  const tree = makeTree(context);
  assert.equal(reportRotation(tree.config()), undefined);
  saySeen(tree, 0);
  assert.equal(reportRotation(tree.config())?.isRunning, true);
  assert.equal(reportRotation(tree.config())?.freedBytes, 7);
  saySeen(tree, 0, '2026-01-01T00:00:00.000000000Z');
  assert.equal(reportRotation(tree.config())?.isRunning, false);
  fs.writeFileSync(path.join(tree.directory, 'data/agent/rotate.json'), '{ torn');
  assert.equal(reportRotation(tree.config()), undefined);
});

void test('a pod in which nothing was written for a week is named, and what removeAfter would do', (context) => {
  const tree = makeTree(context);
  const pod = path.join(tree.directory, 'logs/shop/cart/cart-0');
  for (const name of [tree.app, tree.log, pod]) fs.utimesSync(name, 1, 1);
  const [behind] = planRotation(tree.config()).pods;
  assert.equal(behind?.path, pod);
  assert.equal(behind.because, `${tree.app} is not acknowledged to its end`);
  fs.writeFileSync(tree.app, '');
  for (const name of [tree.app, tree.log, pod]) fs.utimesSync(name, 1, 1);
  const [kept] = planRotation(tree.config()).pods;
  assert.deepEqual([kept?.action, kept?.files, kept?.written], ['nothing', 1, '1970-01-01T00:00:01.000Z']);
  assert.match(kept?.because ?? '', /has no removeAfter; removeAfter: 7d would remove it$/);
  const config = tree.config();
  const sources = config.sources.map((source) => ({ ...source, removeAfter: 1000 }));
  const [removed] = planRotation({ ...config, sources }).pods;
  assert.equal(removed?.action, 'remove');
  assert.ok(fs.existsSync(pod), 'nothing is changed');
});

void test('what waits for a schedule is shown with when that comes, in its time zone', (context) => {
  const tree = makeTree(context);
  const policy = 'method: rename, size: 256KiB, schedule: "0 3 * * *", timeZone: Asia/Kolkata';
  const [file] = planRotation(tree.config(`rotate: [ { ${policy} } ]`)).files;
  assert.equal(file?.action, 'rename');
  assert.match(file.because, / \(at 0 3 \* \* \* in Asia\/Kolkata, next \d{4}-\d\d-\d\dT21:30:00\.000Z\)$/);
});
