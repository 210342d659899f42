/** What the scripts of the S6 base image make of their environment: the arguments of s6-log, or a clear error. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { findProgram } from '../../tools/provision.ts';
import { IMAGE_DIRECTORY, writeProgram } from './s6-image-root.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const SCRIPTS = ['bin', 'libexec/logboom'].flatMap((folder) =>
  readdirSync(path.join(IMAGE_DIRECTORY, folder)).map((name) => path.join(IMAGE_DIRECTORY, folder, name)),
);

const SHELLS: readonly (readonly string[])[] = [['dash'], ['busybox', 'ash'], ['bash', '--posix']];

const shells = SHELLS.filter(([program = '']) => findProgram(program) !== undefined);

const skip = findProgram('s6-log') === undefined || shells.length === 0 ? 's6-log is not installed' : false;

const NAMES = { LOGBOOM_NAMESPACE: 'shop', LOGBOOM_APP: 'web', LOGBOOM_POD: 'web-0' };

/** Runs the entry point with this environment alone, by each shell that is there; all must say the same. */
function run(
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = ['--show', 'my-app'],
): { code: number | null; stdout: string; stderr: string } {
  const [first, ...others] = shells.map(([program = '', ...options]) => {
    const { status, stdout, stderr } = spawnSync(
      program,
      [...options, path.join(IMAGE_DIRECTORY, 'bin/logboom-run'), ...args],
      { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', ...environment } },
    );
    return { code: status, stdout, stderr };
  });
  assert.ok(first !== undefined);
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

/** The arguments of s6-log for one stream, as a shell would read them. */
function argumentsOf(environment: Readonly<Record<string, string>>, stream = 'stdout'): string[] {
  const { code, stdout, stderr } = run(environment);
  assert.equal(code, 0, stderr);
  const line = stdout.split('\n').find((text) => text.startsWith(`main ${stream}:`)) ?? '';
  const { stdout: words } = spawnSync('sh', ['-c', `printf '%s\\n' ${line.slice(line.indexOf(':') + 1)}`], {
    encoding: 'utf8',
  });
  return words.trimEnd().split('\n');
}

const DIRECTORY = '/data/logs/shop/web/web-0/log/web/stdout';
const FRONT = ['-b', '-l', '8192', '--'];
const SIZES = ['n10', 's16777216', 'S0', 'r200'];

void test(
  'each option changes the arguments of s6-log, and the defaults are those of the guide',
  { skip },
  () => {
    const rows: [Record<string, string>, string[]][] = [
      [{}, [...FRONT, ...SIZES, 't', DIRECTORY]],
      [{ LOGBOOM_STAMP: 'iso' }, [...FRONT, ...SIZES, 'T', DIRECTORY]],
      [{ LOGBOOM_STAMP: 'none' }, [...FRONT, ...SIZES, DIRECTORY]],
      [{ LOGBOOM_LINE_BYTES: '64KiB' }, ['-b', '-l', '65536', '--', ...SIZES, 't', DIRECTORY]],
      [
        { LOGBOOM_FILE_BYTES: '1MiB', LOGBOOM_FILES: '3', LOGBOOM_TOTAL_BYTES: '2GiB' },
        [...FRONT, 'n3', 's1048576', 'S2147483648', 'r200', 't', DIRECTORY],
      ],
      [{ LOGBOOM_FILES: '007' }, [...FRONT, 'n7', 's16777216', 'S0', 'r200', 't', DIRECTORY]],
      [{ LOGBOOM_PASS: 'all' }, [...FRONT, '1', ...SIZES, 't', DIRECTORY]],
      [{ LOGBOOM_PASS: 'stderr' }, [...FRONT, ...SIZES, 't', DIRECTORY]],
      [
        { LOGBOOM_PASS: 'errors', LOGBOOM_PASS_PATTERN: "^it's (bad|worse)$" },
        [...FRONT, '-', "+^it's (bad|worse)$", '1', '+', ...SIZES, 't', DIRECTORY],
      ],
      [{ LOGBOOM_LOGS: '/logs' }, [...FRONT, ...SIZES, 't', '/logs/shop/web/web-0/log/web/stdout']],
      [{ LOGBOOM_LOG_DIRECTORY: '/log' }, [...FRONT, ...SIZES, 't', '/log/web/stdout']],
      [
        { LOGBOOM_CONTAINER: 'front', LOGBOOM_LOG_DIRECTORY: '/a b' },
        [...FRONT, ...SIZES, 't', '/a b/front/stdout'],
      ],
    ];
    for (const [environment, expected] of rows)
      assert.deepEqual(argumentsOf({ ...NAMES, ...environment }), expected, JSON.stringify(environment));
    assert.deepEqual(argumentsOf({ ...NAMES, LOGBOOM_PASS: 'stderr' }, 'stderr').slice(4, 5), ['1']);
  },
);

void test(
  'names come from the options, the usual variables of the Downward API, and the command',
  { skip },
  () => {
    const directoryOf = (environment: Record<string, string>): string =>
      argumentsOf(environment).at(-1) ?? '';
    assert.equal(directoryOf({ ...NAMES, POD_NAMESPACE: 'other', POD_NAME: 'other' }), DIRECTORY);
    assert.equal(
      directoryOf({ POD_NAMESPACE: 'prod', POD_NAME: 'cart-7' }),
      '/data/logs/prod/my-app/cart-7/log/my-app/stdout',
    );
    assert.equal(
      directoryOf({ NAMESPACE: 'prod', POD: 'cart-7', APP: 'cart', CONTAINER_NAME: 'main' }),
      '/data/logs/prod/cart/cart-7/log/main/stdout',
    );
    assert.match(directoryOf({}), /^\/data\/logs\/default\/my-app\/[^/]+\/log\/my-app\/stdout$/);
  },
);

void test('an option that is wrong ends with 100, its name, and what is possible', { skip }, () => {
  const rows: [Record<string, string>, RegExp][] = [
    [{ LOGBOOM_NAMESPACE: '../other' }, /LOGBOOM_NAMESPACE is '\.\.\/other': a name without \/ is needed/],
    [{ LOGBOOM_POD: '..' }, /LOGBOOM_POD is '\.\.'/],
    [{ LOGBOOM_APP: 'a\nb' }, /LOGBOOM_APP is 'a\nb'/],
    [{ LOGBOOM_CONTAINER: 'x'.repeat(254) }, /LOGBOOM_CONTAINER has 254 characters: at most 253/],
    [{ LOGBOOM_LOG_DIRECTORY: 'log' }, /the log directory is 'log': a path that begins with \/ is needed/],
    [{ LOGBOOM_FILE_BYTES: '100' }, /LOGBOOM_FILE_BYTES is '100': a number from 4096 to 268435455/],
    [{ LOGBOOM_FILE_BYTES: '1GiB' }, /LOGBOOM_FILE_BYTES is '1GiB'/],
    [{ LOGBOOM_FILE_BYTES: '1MB' }, /LOGBOOM_FILE_BYTES is '1MB'/],
    [{ LOGBOOM_FILES: '0' }, /LOGBOOM_FILES is '0': a number from 1 to/],
    [{ LOGBOOM_FILES: '-1' }, /LOGBOOM_FILES is '-1'/],
    [{ LOGBOOM_TOTAL_BYTES: '99999999999999999999' }, /LOGBOOM_TOTAL_BYTES is '9+'/],
    [{ LOGBOOM_LINE_BYTES: '1' }, /LOGBOOM_LINE_BYTES is '1': a number from 48/],
    [{ LOGBOOM_STAMP: 'tai' }, /LOGBOOM_STAMP is 'tai': one of tai64n iso none is needed/],
    [{ LOGBOOM_PASS: 'yes' }, /LOGBOOM_PASS is 'yes': one of off all stderr errors is needed/],
    [
      { LOGBOOM_PASS_PATTERN: '(' },
      /LOGBOOM_PASS_PATTERN is '\(': a POSIX extended regular expression is needed/,
    ],
    [{ LOGBOOM_RESTART: 'all' }, /LOGBOOM_RESTART is 'all': one of never on-failure always is needed/],
    [{ LOGBOOM_RESTARTS_MAX: 'x' }, /LOGBOOM_RESTARTS_MAX is 'x'/],
    [{ LOGBOOM_STOP_SECONDS: '0' }, /LOGBOOM_STOP_SECONDS is '0'/],
    [{ LOGBOOM_RETRY_SECONDS: '1.5' }, /LOGBOOM_RETRY_SECONDS is '1\.5'/],
    [{ LOGBOOM_MOUNT: 'no' }, /LOGBOOM_MOUNT is 'no': one of required any is needed/],
  ];
  for (const [environment, message] of rows) {
    const { code, stdout, stderr } = run({ ...NAMES, ...environment });
    assert.equal(code, 100, JSON.stringify(environment));
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(stderr.match(/^logboom-run: /gm)?.length, 1, stderr);
  }
});

void test(
  'nothing to run, a command that is missing or not executable, a bad service: each is said',
  { skip },
  () => {
    using directory = new TemporaryDirectory('s6-options');
    const environment = { ...NAMES, LOGBOOM_SERVICES: directory.path };
    assert.deepEqual(run(environment, []), {
      code: 100,
      stdout: '',
      stderr: `logboom-run: there is nothing to run: give the image a CMD, or service directories in ${directory.path}\n`,
    });
    const missing = run(environment, ['no-such-program']);
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /cannot find no-such-program in PATH=/);
    writeProgram(directory.join('a.b/run'), '#!/bin/sh\n');
    assert.match(run(environment).stderr, /a\.b: a service's name consists of letters, digits, _ and -/);
    rmSync(directory.join('a.b'), { recursive: true });
    writeProgram(directory.join('cache/run'), '#!/bin/sh\n');
    const { stdout } = run(environment, ['--show']);
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/:.* /, ' ')),
      ['stdout', 'stderr'].map(
        (stream) => `cache ${stream} '/data/logs/shop/web/web-0/log/web/cache/${stream}'`,
      ),
    );
  },
);

void test('the table of options in the guide names every variable that the scripts read, with its default', () => {
  const script = readFileSync(path.join(IMAGE_DIRECTORY, 'bin/logboom-run'), 'utf8');
  const guide = readFileSync(path.join(IMAGE_DIRECTORY, '../../../docs/guide/s6-image.md'), 'utf8');
  const read = new Map(
    [...script.matchAll(/\$\{(LOGBOOM_\w+):[-+]([^}"\s$]*)/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  assert.ok(read.size >= 18, [...read.keys()].join());
  for (const [name, value] of read) {
    const row = guide.split('\n').find((line) => line.startsWith(`| \`${name}\``));
    assert.ok(row !== undefined, `${name} is not in the guide`);
    if (value !== '' && !value.includes('('))
      assert.ok(row.includes(`\`${value}\``), `${row} lacks ${value}`);
  }
});

void test(
  'shellcheck finds nothing in the scripts',
  { skip: findProgram('shellcheck') === undefined && 'shellcheck is not installed' },
  () => {
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', ...SCRIPTS], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  },
);
