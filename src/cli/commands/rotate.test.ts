import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedFile, RotateReport } from '../context.ts';
import { colorsFor } from '../output.ts';
import { formatPlanned, formatPlannedPod, formatReport } from './rotate.ts';

const colors = colorsFor(false);

const FILE: PlannedFile = {
  path: '/data/logs/shop/cart/cart-0/log/app.log',
  size: 300 * 2 ** 20,
  diskBytes: 70 * 2 ** 20,
  acknowledged: 299 * 2 ** 20,
  policy: 'rotate[1]',
  method: 'punch',
  why: 'rotate[1] is the first that fits',
  action: 'punch',
  because: 'it is large',
};

const REPORT: RotateReport = {
  time: '2026-11-23T04:30:00.000000000Z',
  isRunning: true,
  freedBytes: 230 * 2 ** 20,
  groups: [
    {
      path: FILE.path,
      policy: 'rotate[1]',
      method: 'punch',
      diskBytes: FILE.diskBytes,
      freedBytes: 230 * 2 ** 20,
      last: { time: '2026-11-23T04:29:58.000000000Z', action: 'punch', text: 'freed 1 bytes inside it' },
      waits: undefined,
    },
  ],
  held: [],
  problems: [],
};

void test('a planned file is shown with its figures, its policy and the reason', () => {
  assert.equal(
    formatPlanned(FILE, colors),
    `/data/logs/shop/cart/cart-0/log/app.log
  size    300.0 MiB, 70.0 MiB on disk, 299.0 MiB acknowledged
  policy  rotate[1], punch: rotate[1] is the first that fits
  action  punch: it is large

`,
  );
  const none = { ...FILE, policy: 'none', method: 'none', why: 'no policy fits', action: 'nothing' };
  assert.match(
    formatPlanned(none, colors),
    /on disk\n {2}policy {2}none: no policy fits\n {2}action {2}nothing/,
  );
});

void test('a report is a table, with what waits and what is wrong below it', () => {
  const text = formatReport(REPORT, colors);
  assert.match(text, /^FILE .* LAST\n/);
  assert.match(text, /rotate\[1\] {2}punch {3}70\.0 MiB {2}230\.0 MiB {2}2026-11-23T04:29:58Z punch\n/);
  assert.ok(text.endsWith('230.0 MiB freed in all.\n'));
  const [group] = REPORT.groups;
  assert.ok(group !== undefined);
  const bad: RotateReport = {
    ...REPORT,
    isRunning: false,
    groups: [{ ...group, last: undefined, waits: 'a process has it open' }],
    problems: ['the node is full'],
  };
  assert.match(
    formatReport(bad, colors),
    /waits: a process has it open\nproblem: the node is full\n.*does not run: this is as of 2026-11-23T04:30:00Z/,
  );
});

void test('directories of pods are shown: planned, removed, and kept with the reason', () => {
  const path = '/data/logs/shop/cart/cart-0';
  const figures = { path, files: 2, diskBytes: 2048, written: '2026-11-01T04:30:00.000Z' };
  assert.equal(
    formatPlannedPod({ ...figures, action: 'remove', because: 'it is old' }, colors),
    `${path}/
  size    2 files, 2.0 KiB on disk, last written 2026-11-01T04:30:00Z
  action  remove: it is old

`,
  );
  const removed = [{ time: '2026-11-23T04:29:58.000000000Z', path, files: 2, freedBytes: 2048 }];
  const kept = [{ path: '/data/logs/a/b/c', reason: 'it has a file' }];
  assert.match(
    formatReport({ ...REPORT, pods: { removed, kept } }, colors),
    /\nremoved: \/data\/logs\/shop\/cart\/cart-0, 2 files, 2\.0 KiB, 2026-11-23T04:29:58Z\nkept: \/data\/logs\/a\/b\/c: it has a file\n/,
  );
});

void test('where no file has a policy the status says so instead of an empty table', () => {
  assert.equal(
    formatReport({ ...REPORT, groups: [], freedBytes: 0 }, colors).split('\n')[0],
    'No file has a policy.',
  );
});
