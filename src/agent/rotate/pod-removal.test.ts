/** Directories of pods on a real file system; what the agent would say of the files is said by the test. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { LogDirectory, RotateMachine } from '../../base/log-directory.ts';
import { nodeRotateMachine } from '../../base/node/node-rotate-machine.ts';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import type { FollowedFile, FollowedGroup, FollowedView } from '../followed-files.ts';
import { PolicyChooser } from './choose-policy.ts';
import { PodRemoval } from './pod-removal.ts';

const HOUR_MS = 3_600_000;

/** Longer than a directory has to be seen unchanged, and than the pause between two looks. */
const PATIENCE_MS = 200_000;

class Scene {
  readonly outside: string;
  readonly root: string;
  readonly pod: string;
  readonly config: Config;
  readonly telemetry = new MemoryTelemetry();
  readonly finished: string[] = [];
  /** Names of files that are not acknowledged to their end. */
  readonly behind = new Set<string>();
  readonly unfinished = new Set<string>();
  /** Namespace and name of pods that Kubernetes has. */
  alive: string | undefined;
  isOwn = true;
  #monotonicMs = 0;
  #removal: PodRemoval | undefined;

  constructor(context: TestContext, { removeAfter = ', removeAfter: 2h', rotate = '' } = {}) {
    const directory = fs.mkdtempSync(path.join(tmpdir(), 'logboom-pods-'));
    context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
    this.outside = path.join(directory, 'outside');
    this.root = path.join(directory, 'logs');
    this.pod = path.join(this.root, 'shop/cart/cart-0');
    fs.mkdirSync(this.outside);
    fs.mkdirSync(path.join(this.pod, 'log'), { recursive: true });
    const text = `data: ${directory}/data
sources: [ { kind: apps, root: ${this.root}${removeAfter} }, { kind: pods, root: ${directory}/pods } ]
${rotate}`;
    this.config = loadConfig({
      flags: [],
      environment: {},
      file: { name: 'logboom.yaml', text },
      hostName: 'node-1',
      workingDirectory: '/',
      hasDirectory: () => false,
    }).config;
  }

  write(name: string, text = 'a line\n'): string {
    const file = path.join(this.pod, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  }

  /** Makes everything look as if it had been written so long ago. */
  age(hours = 3): void {
    const seconds = (Date.now() - hours * HOUR_MS) / 1000;
    const names = fs.readdirSync(this.pod, { recursive: true, encoding: 'utf8' });
    for (const name of [...names, '.'].toReversed()) {
      fs.lutimesSync(path.join(this.pod, name), seconds, seconds);
    }
  }

  /** Lets the removal look again and again for some minutes. */
  look(machine: Partial<RotateMachine> = {}): PodRemoval {
    const removal = (this.#removal ??= new PodRemoval({
      sources: this.config.sources,
      machine: { ...nodeRotateMachine, ...machine },
      telemetry: this.telemetry,
      chooser: new PolicyChooser(this.config.rotate),
      isOwn: () => this.isOwn,
      onFreed: () => undefined,
    }));
    for (const endMs = this.#monotonicMs + PATIENCE_MS; this.#monotonicMs < endMs;) {
      this.#monotonicMs += 10_000;
      removal.work(this.#followed(), { wallMs: Date.now(), monotonicMs: this.#monotonicMs });
    }
    return removal;
  }

  reason(machine: Partial<RotateMachine> = {}): string | undefined {
    const reason = this.look(machine).status()?.kept[0]?.reason;
    assert.ok(fs.existsSync(this.pod), 'the directory stays');
    return reason?.replaceAll(`${this.pod}/`, '');
  }

  #followed(): FollowedView {
    return {
      groups: (isWanted) => this.#groups().filter(isWanted),
      stamp: () => 0,
      giveUp: () => undefined,
      lifeOf: () => undefined,
      noteTruncation: () => undefined,
      finish: (id) => void this.finished.push(id),
      noteCopy: () => undefined,
    };
  }

  #groups(): FollowedGroup[] {
    const [apps, pods] = this.config.sources;
    assert.ok(apps !== undefined && pods !== undefined);
    const groups: FollowedGroup[] = [];
    if (this.alive !== undefined) {
      const [namespace, pod] = this.alive.split('/');
      const key = `/var/log/pods/${this.alive}`;
      groups.push({
        key,
        source: pods,
        directory: key,
        style: 'rotated',
        names: { namespace, pod },
        files: [],
      });
    }
    const names = fs.existsSync(this.pod)
      ? fs.readdirSync(this.pod, { recursive: true, encoding: 'utf8' })
      : [];
    for (const name of names) {
      const file = path.join(this.pod, name);
      const isS6 = path.basename(name) === 'current';
      if (!fs.lstatSync(file).isFile() || !(isS6 || name.endsWith('.log'))) continue;
      groups.push({
        key: file,
        source: apps,
        directory: path.dirname(file),
        style: isS6 ? 's6' : 'rotated',
        names: { namespace: 'shop', app: 'cart', pod: 'cart-0' },
        files: [this.#fileOf(name, file)],
      });
    }
    return groups;
  }

  #fileOf(name: string, file: string): FollowedFile {
    const stat = fs.statSync(file, { bigint: true });
    const size = Number(stat.size);
    const isDone = !this.behind.has(name) && !this.unfinished.has(name);
    return {
      id: name,
      path: file,
      inode: `${stat.dev}:${stat.ino}`,
      birthNs: stat.birthtimeNs.toString(),
      copies: [],
      isActive: true,
      size,
      readOffset: size,
      freeOffset: isDone ? size : 0,
      isDone,
      hasUnfinishedLine: this.unfinished.has(name),
      given: [],
    };
  }
}

/** The real machine, with something happening in the moment before something is removed. */
function machineBefore(happen: (directory: LogDirectory) => void): Partial<RotateMachine> {
  return {
    openDirectory(directory, root) {
      const opened = nodeRotateMachine.openDirectory(directory, root);
      return new Proxy(opened, {
        get(target, property) {
          const member: unknown = Reflect.get(target, property, target);
          if (typeof member !== 'function') return member;
          return (...parameters: unknown[]): unknown => {
            if (property === 'remove') happen(target);
            return Reflect.apply(member, target, parameters);
          };
        },
      });
    },
  };
}

void test('the directory of a pod that is gone is removed with all that the base image leaves, and its parents stay', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  scene.write('log/web/stdout/current');
  scene.write('log/web/stdout/lock', '');
  scene.write('log/web/stdout/state', 'of a processor');
  scene.write('log/web/.reserve.stdout', '0'.repeat(4096));
  fs.symlinkSync('stdout/current', path.join(scene.pod, 'log/web/current'));
  fs.symlinkSync('web', path.join(scene.pod, 'log/web.log'));
  scene.age();
  const status = scene.look().status();
  assert.ok(!fs.existsSync(scene.pod));
  assert.ok(fs.existsSync(path.dirname(scene.pod)));
  assert.deepEqual(
    status?.removed.map(({ path: removed, files }) => [removed, files]),
    [[scene.pod, 7]],
  );
  assert.deepEqual(status?.kept, []);
  const labels = { action: 'remove_pod', outcome: 'done' };
  assert.equal(scene.telemetry.valueOf('logboom_rotate_actions_total', labels), 1);
  assert.ok(scene.telemetry.valueOf('logboom_rotate_freed_bytes_total', { action: 'remove_pod' }) > 0);
  assert.match(scene.telemetry.lines.at(-1)?.text ?? '', /removed 7 files, because nothing was written/);
});

void test('without removeAfter nothing is removed, however old', (context) => {
  const scene = new Scene(context, { removeAfter: '' });
  scene.write('log/app.log');
  scene.age(10_000);
  assert.equal(scene.look().status(), undefined);
  assert.ok(fs.existsSync(scene.pod));
});

void test('a directory that was written to lately stays, and one that somebody else rotates', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  scene.age(1);
  assert.equal(scene.reason(), undefined);
  scene.age(3);
  scene.isOwn = false;
  assert.equal(scene.reason(), undefined);
});

void test('a clock that jumps for a moment removes nothing', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  scene.age();
  const removal = new PodRemoval({
    sources: scene.config.sources,
    machine: nodeRotateMachine,
    telemetry: scene.telemetry,
    chooser: new PolicyChooser([]),
    isOwn: () => true,
    onFreed: () => undefined,
  });
  const followed: FollowedView = {
    groups: () => [],
    stamp: () => 0,
    giveUp: () => undefined,
    lifeOf: () => undefined,
    noteTruncation: () => undefined,
    finish: () => undefined,
    noteCopy: () => undefined,
  };
  for (const monotonicMs of [0, 60_000]) {
    removal.work(followed, { wallMs: Date.now() + 1e9, monotonicMs });
    assert.deepEqual(removal.status()?.kept, []);
  }
  assert.ok(fs.existsSync(scene.pod));
});

void test('bytes that are not acknowledged keep the whole directory', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  scene.write('log/other.log');
  scene.behind.add('log/other.log');
  scene.age();
  assert.equal(scene.reason(), 'log/other.log is not acknowledged to its end');
  assert.ok(fs.existsSync(path.join(scene.pod, 'log/app.log')));
  scene.behind.clear();
  scene.look();
  assert.ok(!fs.existsSync(scene.pod));
});

void test('a last line without its end is given out before the directory goes', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log', 'a line\nwithout an end');
  scene.unfinished.add('log/app.log');
  scene.age();
  assert.equal(scene.reason(), 'a last line has no end, and is given out as it is');
  assert.equal(scene.finished[0], 'log/app.log');
  scene.unfinished.clear();
  scene.look();
  assert.ok(!fs.existsSync(scene.pod));
});

void test('a file that the agent does not collect keeps the directory, and so does one that a policy leaves alone', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  const dump = scene.write('heap.hprof');
  scene.age();
  assert.equal(scene.reason(), 'heap.hprof is a file that the agent does not collect');
  fs.rmSync(dump);
  const left = new Scene(context, { rotate: 'rotate: [ { match: { app: cart }, method: none } ]' });
  left.write('log/app.log');
  left.age();
  assert.equal(left.reason(), 'a policy with method: none leaves log/app.log alone');
});

void test('a silent pod stays: its file is open for writing, or Kubernetes still has it', (context) => {
  const scene = new Scene(context);
  const file = scene.write('log/app.log');
  const writer = fs.openSync(file, 'a');
  scene.age();
  assert.equal(scene.reason(), `a process may have log/app.log open for writing`);
  fs.closeSync(writer);
  scene.alive = 'shop/cart-0';
  assert.equal(scene.reason(), 'Kubernetes still has a pod of this name');
  scene.alive = 'shop/cart-1';
  scene.look();
  assert.ok(!fs.existsSync(scene.pod));
});

void test('where nobody can tell who has a file open, the directory stays', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  scene.age();
  const openDirectory: RotateMachine['openDirectory'] = (directory, root) => {
    const opened = nodeRotateMachine.openDirectory(directory, root);
    opened.findWriter = () => 'unknown';
    return opened;
  };
  assert.match(scene.reason({ openDirectory }) ?? '', /may have log\/app\.log open/);
});

void test('no link is followed: one that leads out keeps the directory, one in place of a directory is not entered', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  const precious = path.join(scene.outside, 'precious.log');
  fs.writeFileSync(precious, 'a line\n');
  fs.symlinkSync(scene.outside, path.join(scene.pod, 'log/out'));
  scene.age();
  assert.equal(scene.reason(), 'log/out is a link that leads out of it');
  fs.rmSync(path.join(scene.pod, 'log/out'));
  fs.renameSync(scene.pod, `${scene.outside}/cart-0`);
  fs.symlinkSync(`${scene.outside}/cart-0`, scene.pod);
  scene.look();
  assert.deepEqual(fs.readdirSync(`${scene.outside}/cart-0/log`), ['app.log']);
  assert.ok(fs.existsSync(precious));
});

void test('what is mounted in a directory keeps it', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  fs.mkdirSync(path.join(scene.pod, 'log/disk'));
  scene.age();
  const mountPoints = (): string[] => [path.join(scene.pod, 'log/disk')];
  assert.equal(scene.reason({ mountPoints }), 'something is mounted on log/disk');
});

void test('a file that appears while the directory is removed is kept, and so is one that is written to', (context) => {
  const scene = new Scene(context);
  scene.write('log/app.log');
  scene.age();
  let isNew = true;
  const appear = machineBefore(() => {
    if (isNew) fs.writeFileSync(path.join(scene.pod, 'log/new.log'), 'a new line\n');
    isNew = false;
  });
  assert.equal(scene.reason(appear), undefined, 'it is young again');
  assert.deepEqual(fs.readdirSync(path.join(scene.pod, 'log')), ['new.log']);
  const other = new Scene(context);
  const first = other.write('log/a.log');
  const second = other.write('log/b.log');
  other.age();
  const grow = machineBefore(() => fs.appendFileSync(fs.existsSync(second) ? second : first, 'more\n'));
  other.look(grow);
  assert.deepEqual(fs.readdirSync(path.join(other.pod, 'log')).length, 1);
});

void test('what an earlier run removed is still told of', (context) => {
  const scene = new Scene(context);
  const removal = scene.look();
  const removed = {
    time: '2026-11-23T04:30:00.000000000Z',
    path: '/data/logs/a/b/c',
    files: 1,
    freedBytes: 2,
  };
  removal.restore({ removed: [removed], kept: [] });
  assert.deepEqual(removal.status()?.removed, [removed]);
});
