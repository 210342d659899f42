import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../config/load-config.ts';
import { explain } from './explain.ts';
import { examine } from './doctor.ts';

function load(root: string): ReturnType<typeof loadConfig> {
  return loadConfig({
    flags: [
      { flag: '--data', path: 'data', text: path.join(root, 'data') },
      {
        flag: '--sources',
        path: 'sources',
        text: `[{ kind: apps, root: ${root}/apps, exclude: ["**/x-*", "**/debug*"] }, { kind: pods, root: ${root}/pods }]`,
      },
    ],
    environment: {},
    file: undefined,
    hostName: 'host-1',
    workingDirectory: root,
    hasDirectory: () => false,
  });
}

void test('a file is explained by the source that takes it, its path and its first record', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-explain-'));
  try {
    const directory = path.join(root, 'pods/shop_cart-0_uid-1/web');
    mkdirSync(directory, { recursive: true });
    const file = path.join(directory, '0.log');
    writeFileSync(file, '2026-11-23T04:30:00.1Z stdout F {"level":"warn","msg":"slow"}\n');
    const { json } = explain({ loaded: load(root), subject: file, fields: {} });
    const { isCollected, members, line } = json as {
      isCollected: boolean;
      members: Record<string, string>;
      line: { index: string; document: { message: string } };
    };
    assert.equal(isCollected, true);
    assert.equal(members['kubernetes.namespace'], 'shop');
    assert.equal(members['kubernetes.pod.name'], 'cart-0');
    assert.equal(line.index, 'logboom-shop-2026.11.23');
    assert.equal(line.document.message, 'slow');
  } finally {
    rmSync(root, { recursive: true });
  }
});

void test('a file of the demo is explained like the demo collects it', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-explain-'));
  try {
    const directory = path.join(root, 'data/demo/pods/shop_cart-0_uid-1/web');
    mkdirSync(directory, { recursive: true });
    const file = path.join(directory, '0.log');
    writeFileSync(file, '2026-11-23T04:30:00.1Z stdout F hello\n');
    assert.equal(explain({ loaded: load(root), subject: file, fields: {} }).isCollected, true);
  } finally {
    rmSync(root, { recursive: true });
  }
});

void test('a file that is not collected is told why, by every source and as a whole', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-explain-'));
  try {
    const log = path.join(root, 'apps/shop/cart/cart-0/log');
    mkdirSync(path.join(log, 'sub'), { recursive: true });
    mkdirSync(path.join(root, 'pods/shop_cart-0_uid-1/web'), { recursive: true });
    writeFileSync(path.join(root, 'outside.log'), 'x\n');
    writeFileSync(path.join(log, 'debug.log'), 'x\n');
    writeFileSync(path.join(log, 'core.dump'), 'x\n');
    writeFileSync(path.join(root, 'apps/shop/early.log'), 'x\n');
    writeFileSync(path.join(root, 'pods/shop_cart-0_uid-1/web/notes.txt'), 'x\n');
    symlinkSync(path.join(root, 'outside.log'), path.join(log, 'link.log'));
    symlinkSync(path.join(root, 'nowhere'), path.join(log, 'broken.log'));
    const cases: readonly (readonly [string, RegExp, RegExp])[] = [
      ['outside.log', /no source takes it$/, /apps .*: does not take it: the file is not below .*apps$/],
      [
        'apps/shop/cart/cart-0/log/debug.log',
        /no source takes it$/,
        /its exclude pattern \*\*\/debug\* fits$/,
      ],
      ['apps/shop/cart/cart-0/log/core.dump', /no source takes it$/, /files named \*\.log$/],
      ['apps/shop/early.log', /no source takes it$/, /it takes <namespace>\/<app>\/<pod>\/log\//],
      ['apps/shop/cart/cart-0/other/x.log', /there is no such file$/, /it does not enter .*cart-0\/other: /],
      ['apps/shop/cart/cart-0/log/link.log', /no source takes it$/, /is a link that leads out of/],
      ['apps/shop/cart/cart-0/log/broken.log', /it is a link that leads nowhere$/, /does not take it/],
      ['apps/shop/cart/cart-0/log/none.log', /there is no such file$/, /apps: takes it$/],
      [
        'apps/shop/cart/cart-0/log/sub',
        /it is a directory: name one of the files in it$/,
        /takes files only/,
      ],
      ['pods/shop_cart-0_uid-1/web/notes.txt', /no source takes it$/, /<container>\/<number>\.log below/],
    ];
    for (const [name, whole, ofSource] of cases) {
      const { lines, json, isCollected } = explain({
        loaded: load(root),
        subject: path.join(root, name),
        fields: {},
      });
      assert.equal(isCollected, false, name);
      assert.equal(json['isCollected'], false);
      assert.match(lines.at(-1) ?? '', whole);
      assert.ok(
        lines.some((line) => ofSource.test(line)),
        `${name}: ${lines.join('\n')}`,
      );
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

void test('a file that this user must not read is said to be so', (context) => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-explain-'));
  const { geteuid, seteuid } = process;
  if (geteuid === undefined || seteuid === undefined) return context.skip('this system has no users');
  const directory = path.join(root, 'pods/shop_cart-0_uid-1/web');
  mkdirSync(directory, { recursive: true });
  chmodSync(root, 0o755);
  const file = path.join(directory, '0.log');
  writeFileSync(file, '2026-11-23T04:30:00.1Z stdout F x\n', { mode: 0o000 });
  const loaded = load(root);
  const user = geteuid();
  if (user === 0) seteuid(65_534);
  try {
    const { lines, isCollected } = explain({ loaded, subject: file, fields: {} });
    assert.equal(isCollected, false);
    assert.match(lines.at(-1) ?? '', /this user must not read it: run the agent as root/);
  } finally {
    if (user === 0) seteuid(0);
    rmSync(root, { recursive: true });
  }
});

void test('records of plain files and s6 directories are shown with their own stream and path', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-explain-'));
  try {
    const log = path.join(root, 'apps/shop/cart/cart-0/log');
    mkdirSync(path.join(log, 'stderr'), { recursive: true });
    writeFileSync(path.join(log, 'app.log'), 'one\n');
    writeFileSync(path.join(log, 'stderr/current'), '');
    writeFileSync(path.join(log, 'old.log.1.gz'), '');
    const cases: readonly (readonly [string, string])[] = [
      ['app.log', 'file'],
      ['stderr/current', 'stderr'],
      ['old.log.1.gz', 'file'],
    ];
    for (const [name, stream] of cases) {
      const file = path.join(log, name);
      const { json, isCollected } = explain({ loaded: load(root), subject: file, fields: {} });
      const { members, line } = json as {
        members: Record<string, string>;
        line: { document: { stream: string; log: { file: { path: string } } } };
      };
      assert.equal(isCollected, true);
      assert.equal(members['stream'], stream);
      assert.equal(line.document.stream, stream);
      assert.equal(line.document.log.file.path, file);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

void test('a line is explained with the members that are given', () => {
  const { json } = explain({
    loaded: load('/srv/nothing'),
    subject: 'ERROR no file of this name',
    fields: { 'kubernetes.namespace': 'shop' },
  });
  assert.match(String(json['index']), /^logboom-shop-\d{4}\.\d\d\.\d\d$/);
});

void test('the doctor tries the data directory, and leaves nothing behind', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-doctor-'));
  try {
    mkdirSync(path.join(root, 'pods'));
    const findings = examine(load(root));
    const statusOf = (check: string): string | undefined =>
      findings.find((one) => one.check === check)?.status;
    for (const check of ['node', 'data directory', 'sync', 'rename', 'inodes', 'clock', 'source pods']) {
      assert.equal(statusOf(check), 'ok', check);
    }
    assert.equal(statusOf('source apps'), 'warn');
    for (const { status, remedy } of findings) assert.equal(remedy === undefined, status === 'ok');
    const aside = path.join(root, 'data/store/quarantine');
    mkdirSync(aside, { recursive: true });
    assert.equal(examine(load(root)).find(({ check }) => check === 'quarantine')?.status, 'ok');
    writeFileSync(path.join(aside, 'day=2026-11-23_hour=04_000000001-0.parquet'), '');
    const quarantine = examine(load(root)).find(({ check }) => check === 'quarantine');
    assert.equal(quarantine?.status, 'warn');
    assert.match(quarantine.text, /^1 set aside .*hour=04_000000001-0\.parquet$/);
    assert.match(quarantine.remedy ?? '', /put a sound copy in its place under the same name, and restart/);
    writeFileSync(path.join(root, 'file'), '');
    const blocked = { ...load(root), config: { ...load(root).config, data: path.join(root, 'file') } };
    assert.equal(examine(blocked).find(({ check }) => check === 'data directory')?.status, 'fail');
  } finally {
    rmSync(root, { recursive: true });
  }
});
