import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainIdle, planGroup } from './rotate-plan.ts';
import type { RotateFile } from './rotate-types.ts';
import { SAMPLE_MS, sampleFile, sampleGroup, samplePolicy } from './testing/rotate-samples.ts';

const MIB = 2 ** 20;
const DAY_MS = 86_400_000;
const NOW = { nowMs: SAMPLE_MS, isDue: true, canPunch: true };

function archive(number: number, changes: Partial<RotateFile> = {}): RotateFile {
  const modifiedMs = SAMPLE_MS - number * DAY_MS;
  return sampleFile({
    name: `app.log.${number}`,
    inode: `1:${100 + number}`,
    isActive: false,
    size: 10 * MIB,
    modifiedMs,
    ...changes,
  });
}

void test('a growing file is punched from its policy size on, and the newest half of it stays', () => {
  const policy = samplePolicy({ size: 8 * MIB });
  const small = sampleFile({ size: 8 * MIB - 4096 });
  assert.deepEqual(planGroup(sampleGroup([small]), policy, NOW), []);
  const large = sampleFile({ size: 9 * MIB });
  const [action] = planGroup(sampleGroup([large]), policy, NOW);
  assert.equal(action?.kind, 'punch');
  assert.deepEqual(action.ranges, [{ startOffset: 4096, endOffset: 5 * MIB }]);
});

void test('what is not acknowledged is not freed, however large the file is (G5)', () => {
  const policy = samplePolicy({ size: 8 * MIB });
  const file = sampleFile({ size: 900 * MIB, freeOffset: 500_000 });
  assert.deepEqual(planGroup(sampleGroup([file]), policy, NOW), []);
  assert.match(explainIdle(sampleGroup([file]), file, policy, SAMPLE_MS), /too little of it can be freed/);
});

void test('a punched file that is done is begun anew, and what is left of it is removed', () => {
  const policy = samplePolicy({ size: 8 * MIB });
  const file = sampleFile({ size: 900 * MIB, diskBytes: MIB });
  const [reset] = planGroup(sampleGroup([file]), policy, NOW);
  assert.equal(reset?.kind, 'rename');
  assert.equal(reset.isReset, true);
  const rest = archive(1, { size: 900 * MIB, diskBytes: MIB });
  assert.deepEqual(
    planGroup(sampleGroup([rest]), policy, NOW).map(({ kind }) => kind),
    ['remove'],
  );
});

void test('rename and logrotate look at the active file when size or age says so, and only when they are due', () => {
  const group = sampleGroup([sampleFile({ size: 9 * MIB, freeOffset: 0 })]);
  for (const method of ['rename', 'logrotate'] as const) {
    const kinds = (changes: object, moment: object = {}): string[] =>
      planGroup(group, samplePolicy({ method, ...changes }), { ...NOW, ...moment }).map(({ kind }) => kind);
    assert.deepEqual(kinds({ size: 8 * MIB }), [method]);
    assert.deepEqual(kinds({ size: 8 * MIB }, { isDue: false }), []);
    assert.deepEqual(kinds({ size: 64 * MIB }), []);
    assert.deepEqual(kinds({ size: 64 * MIB, age: 1000 }, { nowMs: SAMPLE_MS + 1000 }), [method]);
  }
  const empty = sampleGroup([sampleFile({ size: 0 })]);
  const aged = samplePolicy({ method: 'rename', age: 1000 });
  assert.deepEqual(planGroup(empty, aged, { ...NOW, nowMs: SAMPLE_MS + DAY_MS }), []);
  assert.equal(
    planGroup(empty, { ...aged, notifempty: false }, { ...NOW, nowMs: SAMPLE_MS + DAY_MS }).length,
    1,
  );
});

void test('rotated files go by number, bytes and age, the oldest first, once they are done', () => {
  const files = [archive(4), archive(3), archive(2), archive(1, { isDone: false })];
  const removed = (changes: object): string[] =>
    planGroup(sampleGroup(files), samplePolicy({ method: 'rename', ...changes }), NOW)
      .filter(({ kind }) => kind === 'remove')
      .map(({ file }) => file.name);
  assert.deepEqual(removed({}), []);
  assert.deepEqual(removed({ keep: 2 }), ['app.log.3', 'app.log.4']);
  assert.deepEqual(removed({ keep: 0 }), ['app.log.2', 'app.log.3', 'app.log.4'], 'the first is not done');
  assert.deepEqual(removed({ keepBytes: 30 * MIB }), ['app.log.4']);
  assert.deepEqual(removed({ keepAge: 2.5 * DAY_MS }), ['app.log.3', 'app.log.4']);
});

void test('rotated files are compressed once they are done, and once', () => {
  const files = [archive(3, { isCompressed: true }), archive(2), archive(1, { isDone: false })];
  const policy = samplePolicy({ method: 'rename', compress: 'zstd' });
  const actions = planGroup(sampleGroup(files), policy, NOW);
  assert.deepEqual(
    actions.map(({ kind, file }) => `${kind} ${file.name}`),
    ['compress app.log.2'],
  );
});

void test("the live file of an s6-log directory is s6-log's, and its archives go only when a policy says so", () => {
  const current = sampleFile({ name: 'current', size: 900 * MIB });
  const group = sampleGroup([archive(9), archive(8), current], { style: 's6' });
  assert.deepEqual(planGroup(group, samplePolicy({ size: MIB }), NOW), []);
  assert.deepEqual(planGroup(group, samplePolicy({ method: 'rename', size: MIB }), NOW), []);
  const actions = planGroup(group, samplePolicy({ size: MIB, keep: 1, compress: 'gzip' }), NOW);
  assert.deepEqual(
    actions.map(({ kind, file }) => `${kind} ${file.name}`),
    ['compress app.log.8', 'remove app.log.9'],
  );
  assert.equal(explainIdle(group, current, samplePolicy(), SAMPLE_MS), 's6-log rotates it');
});

void test('a file that nobody writes goes after idleAge, once it is done', () => {
  const policy = samplePolicy({ idleAge: DAY_MS });
  const later = { ...NOW, nowMs: SAMPLE_MS + DAY_MS };
  const kinds = (file: RotateFile, moment = later): string[] =>
    planGroup(sampleGroup([file]), policy, moment).map(({ kind }) => kind);
  assert.deepEqual(kinds(sampleFile({ size: 100 })), ['remove']);
  assert.deepEqual(kinds(sampleFile({ size: 100 }), NOW), []);
  assert.deepEqual(kinds(sampleFile({ size: 100, freeOffset: 50 })), []);
});

void test('a writer that was not told to open the new file is told later, also when there is none yet', () => {
  const policy = samplePolicy({ method: 'rename', signal: 'HUP', pidFile: '/run/app.pid' });
  const empty = sampleFile({ size: 0, bornMs: SAMPLE_MS - 5000 });
  const kinds = (files: readonly RotateFile[], changes: object = {}): string[] =>
    planGroup(sampleGroup(files), { ...policy, ...changes }, NOW).map(({ kind }) => kind);
  assert.deepEqual(kinds([archive(1), empty]), ['remind']);
  assert.deepEqual(kinds([archive(1)]), ['remind']);
  assert.deepEqual(kinds([archive(1), { ...empty, bornMs: SAMPLE_MS }]), [], 'it may take a moment');
  assert.deepEqual(kinds([archive(1), sampleFile({ size: 1 })]), []);
  assert.deepEqual(kinds([archive(1), empty], { signal: undefined }), [], 'there is no way to tell it');
});

void test('a rotated file whose last line has no end is finished after a minute, so that it can go', () => {
  const file = archive(1, { isDone: false, hasUnfinishedLine: true });
  const kinds = (changes: object, one = file): string[] =>
    planGroup(sampleGroup([one]), samplePolicy({ method: 'rename', ...changes }), NOW).map(
      ({ kind }) => kind,
    );
  assert.deepEqual(kinds({ keep: 0 }), ['finish']);
  assert.deepEqual(kinds({ compress: 'zstd' }), ['finish']);
  assert.deepEqual(kinds({}), [], 'it may wait as long as it stays');
  assert.deepEqual(kinds({ keep: 0 }, { ...file, modifiedMs: SAMPLE_MS - 59_999 }), []);
  assert.deepEqual(kinds({ keep: 0 }, { ...file, hasUnfinishedLine: false }), []);
});
