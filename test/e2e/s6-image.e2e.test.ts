/** The scripts of the S6 base image in real containers with the real s6, under the shell of Debian and of Alpine. */
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Container, type ContainerOptions } from './s6-container.ts';
import {
  assembleRoot,
  findContainerObstacle,
  type Userland,
  USERLANDS,
  writeProgram,
} from './s6-image-root.ts';
import { assertWriter, readS6Lines, splitLines } from './s6-lines.ts';
import { waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const obstacle = findContainerObstacle() ?? false;
const directory = new TemporaryDirectory('s6-image');
after(() => directory[Symbol.dispose]());

const roots = new Map<Userland, string>();

function rootOf(userland: Userland): string {
  let root = roots.get(userland);
  if (root === undefined) {
    root = directory.join(`root-${userland}`);
    assembleRoot(root, userland);
    roots.set(userland, root);
  }
  return root;
}

let count = 0;

/** The volume of a test, and containers on it. */
class Setup implements Disposable {
  readonly volume: string;
  readonly #userland: Userland;
  #isMounted = false;

  constructor(userland: Userland) {
    count += 1;
    this.#userland = userland;
    this.volume = directory.join(`volume-${count}`);
    mkdirSync(this.volume);
    chmodSync(this.volume, 0o777);
  }

  /** Makes the volume a small file system of its own. */
  limit(size: string): void {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.volume]);
    assert.equal(status, 0, 'mounting a tmpfs needs root');
    this.#isMounted = true;
  }

  start(command: readonly string[], options: Partial<ContainerOptions> = {}): Container {
    const state = directory.join('runtime');
    mkdirSync(state, { recursive: true });
    return new Container({
      root: rootOf(this.#userland),
      state,
      volumes: { '/data/logs': this.volume },
      ...options,
      environment: {
        LOGBOOM_NAMESPACE: 'shop',
        LOGBOOM_APP: 'web',
        LOGBOOM_STAMP: 'none',
        ...options.environment,
      },
      command: ['logboom-run', ...command],
    });
  }

  /** Where one stream is written; `name` is the container's, with a service where there is one. */
  stream(stream: 'stdout' | 'stderr', name = 'web'): string {
    return path.join(this.volume, 'shop/web/web-0/log', name, stream);
  }

  lines(stream: 'stdout' | 'stderr', name?: string): string[] {
    return readS6Lines(this.stream(stream, name));
  }

  [Symbol.dispose](): void {
    if (this.#isMounted) spawnSync('umount', ['--lazy', this.volume]);
  }
}

for (const userland of USERLANDS) {
  const each = (name: string, run: () => Promise<void>): void =>
    void test(`${name} (${userland})`, { skip: obstacle }, run);

  each('each stream has its s6 directory, every line is there when the container ends', async () => {
    using setup = new Setup(userland);
    await using container = setup.start(['sh', '-c', 'writer 3000; echo last; printf unfinished; exit 3']);
    assert.equal(await container.exited, 3, container.stderr);
    const lines = setup.lines('stdout');
    assert.deepEqual(lines.slice(-2), ['last', 'unfinished']);
    assertWriter(lines.slice(0, -2), 'out', 3000);
    assertWriter(setup.lines('stderr'), 'err', 3000);
    assert.equal(container.stdout + container.stderr, '', 'nothing passes through the engine');
    const link = path.join(setup.volume, 'shop/web/web-0/log/web.log');
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.deepEqual(splitLines(readFileSync(path.join(link, 'current'), 'utf8')), lines);
  });

  each('the exit code is kept, also when the command is killed or the container ends at once', async () => {
    using setup = new Setup(userland);
    for (const [script, code] of [
      ['exit 0', 0],
      ['exit 255', 255],
      ['kill -9 $$', 137],
      ['kill -15 $$', 143],
    ] as const) {
      await using container = setup.start(['sh', '-c', `echo ${code}; ${script}`]);
      assert.equal(await container.exited, code, container.stderr);
    }
    assert.deepEqual(setup.lines('stdout'), ['0', '255', '137', '143']);
  });

  each('arguments, environment and working directory reach the command as they are', async () => {
    using setup = new Setup(userland);
    const odd = ["it's", 'two  blanks', '', '$HOME `id` "x" \\', 'line\nbreak'];
    const script = 'printf "<%s>\\n" "$@"; echo "$ODD"; pwd; echo reopened >/proc/self/fd/1';
    await using container = setup.start(['sh', '-c', script, 'sh', ...odd], {
      environment: { ODD: "a 'b' \\" },
    });
    assert.equal(await container.exited, 0, container.stderr);
    const shown = odd.flatMap((text) => `<${text}>`.split('\n'));
    assert.deepEqual(setup.lines('stdout'), [...shown, "a 'b' \\", '/', 'reopened']);
  });

  each('rotation keeps every line, and no more files than asked for', async () => {
    using setup = new Setup(userland);
    await using container = setup.start(['writer', '6000'], {
      environment: { LOGBOOM_FILE_BYTES: '64KiB', LOGBOOM_FILES: '100' },
    });
    assert.equal(await container.exited, 0, container.stderr);
    assertWriter(setup.lines('stdout'), 'out', 6000);
    const archives = readdirSync(setup.stream('stdout')).filter((name) => name.startsWith('@'));
    assert.ok(archives.length >= 5, archives.join());
    await using next = setup.start(['writer', '1000'], {
      environment: { LOGBOOM_FILE_BYTES: '16KiB', LOGBOOM_FILES: '2' },
    });
    assert.equal(await next.exited, 0, next.stderr);
    assert.equal(readdirSync(setup.stream('stdout')).filter((name) => name.startsWith('@')).length, 2);
  });

  each('signals reach the command; orphans are reaped; TERM ends it with its own code', async () => {
    using setup = new Setup(userland);
    const traps = ['HUP', 'USR1', 'USR2', 'WINCH', 'INT', 'QUIT'].map(
      (name) => `trap 'echo ${name}' ${name}`,
    );
    const script = [
      ...traps,
      "trap 'echo bye; exit 42' TERM",
      // A process that outlives its parent, ends, and has nobody but process 1 to wait for it.
      '( ( sleep 0.1 ) & )',
      'echo ready; while :; do sleep 0.05; done',
    ];
    await using container = setup.start(['sh', '-c', script.join('\n')], {
      environment: { LOGBOOM_PASS: 'all' },
    });
    await container.waitForOutput('ready');
    for (const name of ['HUP', 'USR1', 'USR2', 'WINCH', 'INT', 'QUIT'] as const) {
      container.signal(`SIG${name}`);
      await container.waitForOutput(`${name}\n`);
    }
    await sleep(200);
    const states = splitLines(container.execute(['busybox', 'ps', '-o', 'stat,comm'])).slice(1);
    assert.ok(states.length > 5, states.join());
    assert.deepEqual(
      states.filter((line) => line.startsWith('Z')),
      [],
    );
    container.signal('SIGTERM');
    assert.equal(await container.exited, 42);
    assert.deepEqual(setup.lines('stdout').slice(-1), ['bye']);
  });

  each('what the command leaves behind does not keep the container from ending', async () => {
    using setup = new Setup(userland);
    await using container = setup.start(['sh', '-c', 'sleep 1000 & setsid sleep 1000 & echo done; exit 7']);
    assert.equal(await container.exited, 7, container.stderr);
    assert.deepEqual(setup.lines('stdout'), ['done']);
    assert.equal(container.stderr, '');
  });

  each('a command that ends is restarted in place where that is asked for, so many times', async () => {
    using setup = new Setup(userland);
    const environment = { LOGBOOM_RESTART: 'on-failure', LOGBOOM_RESTARTS_MAX: '2' };
    await using failing = setup.start(['sh', '-c', 'echo try; exit 9'], { environment });
    assert.equal(await failing.exited, 9);
    assert.deepEqual(setup.lines('stdout'), ['try', 'try', 'try']);
    assert.match(failing.stderr, /ended with 9; it is restarted in place \(2 of 2\)/);
    assert.match(failing.stderr, /ended with 9 after 2 restarts; the container ends/);
    await using well = setup.start(['sh', '-c', 'echo well'], { environment });
    assert.equal(await well.exited, 0);
    assert.equal(well.stderr, '');
    await using stopped = setup.start(['sh', '-c', 'echo up; exec sleep 1000'], {
      environment: { ...environment, LOGBOOM_PASS: 'all' },
    });
    await stopped.waitForOutput('up');
    stopped.signal('SIGTERM');
    assert.equal(await stopped.exited, 143, 'a command that was asked to stop is not restarted');
  });

  each('lines pass to the container as asked for, and are in the files all the same', async () => {
    using setup = new Setup(userland);
    const script =
      'echo fine; echo "12:00 ERROR: bad"; echo terrors; echo on stderr >&2; echo "panic: x" >&2';
    const passed: Record<string, string[]> = {};
    for (const pass of ['off', 'all', 'stderr', 'errors']) {
      await using container = setup.start(['sh', '-c', script], { environment: { LOGBOOM_PASS: pass } });
      assert.equal(await container.exited, 0, container.stderr);
      passed[pass] = [container.stdout, container.stderr];
    }
    assert.deepEqual(passed, {
      off: ['', ''],
      all: ['fine\n12:00 ERROR: bad\nterrors\n', 'on stderr\npanic: x\n'],
      stderr: ['', 'on stderr\npanic: x\n'],
      errors: ['12:00 ERROR: bad\n', 'panic: x\n'],
    });
    assert.equal(setup.lines('stdout').length, 12);
    assert.equal(setup.lines('stderr').length, 8);
  });

  each(
    'a full volume sends the lines to the container, and back when there is room: each line once',
    async () => {
      using setup = new Setup(userland);
      setup.limit('2500k');
      await using container = setup.start(['writer', '40000', '39000', '6'], {
        environment: { LOGBOOM_FILE_BYTES: '64KiB', LOGBOOM_FILES: '1000', LOGBOOM_RETRY_SECONDS: '1' },
      });
      await container.waitForOutput('out 38999');
      assert.match(
        container.stderr,
        /main\.stdout: warning: unable to write to .*: (?:No space left on device|no room)/,
      );
      assert.match(
        container.stderr,
        /its lines go to the container's stdout until the log directory can be written/,
      );
      const before = setup.lines('stdout');
      for (const name of readdirSync(setup.stream('stdout'))) {
        if (name.startsWith('@')) rmSync(path.join(setup.stream('stdout'), name));
      }
      const kept = setup.lines('stdout').length;
      await container.waitForOutput(`main.stdout: lines go to`);
      assert.equal(await container.exited, 0);
      const afterwards = setup.lines('stdout').slice(kept);
      assert.ok(
        before.length > 1000 && afterwards.length >= 1000,
        `${before.length} and ${afterwards.length}`,
      );
      const printed = splitLines(container.stdout).filter((line) => line.startsWith('out '));
      assertWriter([...before, ...printed, ...afterwards], 'out', 40_000);
      const errors = splitLines(container.stderr).filter((line) => line.startsWith('err '));
      assertWriter([...setup.lines('stderr'), ...errors], 'err', 40_000);
    },
  );

  each(
    'without a volume, or without the right to write it, the lines go to the container with a warning',
    async () => {
      using setup = new Setup(userland);
      const script = 'echo out; echo err >&2; exit 5';
      await using missing = setup.start(['sh', '-c', script], { volumes: {} });
      assert.equal(await missing.exited, 5);
      assert.equal(missing.stdout, 'out\n');
      assert.match(missing.stderr, /^err$/m);
      assert.match(
        missing.stderr,
        /main\.stdout: no volume is mounted at or above \/data\/logs\/shop\/web\/web-0\/log;/,
      );
      chmodSync(setup.volume, 0o755);
      await using forbidden = setup.start(['sh', '-c', script], { user: 1000 });
      assert.equal(await forbidden.exited, 5);
      assert.equal(forbidden.stdout, 'out\n');
      assert.match(forbidden.stderr, /main\.stdout: mkdir: .*Permission denied/);
    },
  );

  each('a user of its own and a read-only file system are enough', async () => {
    using setup = new Setup(userland);
    const options = { user: 1000, isReadOnly: true };
    await using container = setup.start(
      ['sh', '-c', 'id -u; (: > /x) 2>/dev/null || echo read-only'],
      options,
    );
    assert.equal(await container.exited, 0, container.stderr);
    assert.deepEqual(setup.lines('stdout'), ['1000', 'read-only']);
    assert.equal(container.stderr, '');
  });

  // The BusyBox of Debian comes without these programs, and without a list of users.
  if (userland === 'given') {
    each('a command may change its user: it still writes, also to a stdout that it opens again', async () => {
      using setup = new Setup(userland);
      const script =
        'adduser -D -H app && exec su -s /bin/sh -c "id -un; echo reopened >/proc/self/fd/1; echo err >&2; exit 6" app';
      await using container = setup.start(['sh', '-c', script], {
        capabilities: ['CAP_CHOWN', 'CAP_FOWNER', 'CAP_SETUID', 'CAP_SETGID'],
      });
      assert.equal(await container.exited, 6, container.stderr + setup.lines('stderr').join('\n'));
      assert.deepEqual(setup.lines('stdout'), ['app', 'reopened']);
      assert.deepEqual(setup.lines('stderr'), ['err']);
    });
  }

  each('a logger that is killed is replaced: the command goes on, lines stay whole', async () => {
    using setup = new Setup(userland);
    await using container = setup.start(['writer', '5000', '2000', '4']);
    await waitFor('the first lines', 10_000, () => setup.lines('stdout').length >= 2000);
    const killLog = 'kill -9 $(cat /run/logboom/run.*/scan/main.stdout/data/pid)';
    container.execute(['sh', '-c', killLog]);
    await sleep(500);
    const kill =
      'for p in /proc/[0-9]*; do case $(tr "\\0" " " <$p/cmdline) in *"./run main.stdout"*) kill -9 ${p#/proc/};; esac; done';
    container.execute(['sh', '-c', kill]);
    assert.equal(await container.exited, 0, container.stderr);
    assertWriter(setup.lines('stdout'), 'out', 5000);
    const names = readdirSync(setup.stream('stdout'));
    assert.ok(
      names.some((name) => name.endsWith('.u')),
      names.join(),
    );
  });

  each(
    'a container that is killed leaves its lines, and the next one of the pod goes on after them',
    async () => {
      using setup = new Setup(userland);
      await using killed = setup.start(['writer', '2000', '1000', '60']);
      await waitFor('the first lines', 10_000, () => setup.lines('stdout').length >= 1000);
      killed.signal('SIGKILL');
      assert.notEqual(await killed.exited, 0);
      await using next = setup.start(['sh', '-c', 'echo again']);
      assert.equal(await next.exited, 0, next.stderr);
      const lines = setup.lines('stdout');
      assert.equal(lines.at(-1), 'again');
      assertWriter(lines.slice(0, -1), 'out', 1000);
      assert.ok(
        readdirSync(setup.stream('stdout')).some((name) => name.endsWith('.u')),
        'its file is archived',
      );
    },
  );

  each('service directories run beside the command, each with its own files, and end with it', async () => {
    using setup = new Setup(userland);
    const services = directory.join(`services-${count}`);
    writeProgram(
      path.join(services, 'cache/run'),
      '#!/bin/sh\necho cache "$PWD"; echo trouble >&2; exec sleep 1000\n',
    );
    writeProgram(path.join(services, 'metrics/run'), '#!/bin/sh\necho metrics; exit 1\n');
    const volumes = { '/data/logs': setup.volume, '/etc/logboom/services': services };
    await using container = setup.start(['sh', '-c', 'sleep 2.5; echo main; exit 4'], { volumes });
    assert.equal(await container.exited, 4, container.stderr);
    assert.deepEqual(setup.lines('stdout'), ['main']);
    assert.deepEqual(setup.lines('stdout', 'web/cache'), ['cache /etc/logboom/services/cache']);
    assert.deepEqual(setup.lines('stderr', 'web/cache'), ['trouble']);
    assert.ok(setup.lines('stdout', 'web/metrics').length >= 2, 'a service that ends is restarted');

    rmSync(path.join(services, 'metrics'), { recursive: true });
    await using alone = setup.start([], { volumes, environment: { LOGBOOM_PASS: 'all' } });
    await alone.waitForOutput('cache');
    alone.signal('SIGTERM');
    assert.equal(await alone.exited, 0, alone.stderr);
    assert.equal(setup.lines('stdout', 'web/cache').length, 2);
  });
}
