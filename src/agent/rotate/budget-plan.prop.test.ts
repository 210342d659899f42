import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { freedBy, planBudget } from './budget-plan.ts';
import { bytesOf } from './punch-plan.ts';
import type { RotateFile, RotateGroup } from './rotate-types.ts';
import { SAMPLE_MS, sampleFile, sampleGroup, samplePolicy } from './testing/rotate-samples.ts';

const MIB = 2 ** 20;
const NONE = { nodeBytesMax: undefined, namespaceBytesMax: undefined, podBytesMax: undefined };

function podGroup(pod: string, files: readonly RotateFile[]): RotateGroup {
  const names = { namespace: 'shop', app: 'cart', pod, container: 'app' };
  return sampleGroup(files, { key: `/data/logs/${pod}/app.log`, names });
}

const groups = fc.array(
  fc.record({
    pod: fc.constantFrom('a', 'b', 'c'),
    files: fc.array(
      fc.record({
        size: fc.integer({ min: 0, max: 50 * MIB }),
        free: fc.double({ min: 0, max: 1, noNaN: true }),
        isActive: fc.boolean(),
        ageMs: fc.nat(1_000_000),
      }),
      { maxLength: 4 },
    ),
  }),
  { maxLength: 5 },
);

void test('a budget frees only what is done with, or gives up what was not read, and says what it holds (G5)', () => {
  fc.assert(
    fc.property(groups, fc.integer({ min: MIB, max: 100 * MIB }), fc.boolean(), (raw, max, drops) => {
      let inode = 0;
      const made = raw.map(({ pod, files }, index) => ({
        group: {
          ...podGroup(
            pod,
            files.map(({ size, free, isActive, ageMs }) => {
              const freeOffset = Math.floor(size * free);
              return sampleFile({
                size,
                freeOffset,
                isActive,
                inode: `1:${++inode}`,
                name: `f${inode}`,
                modifiedMs: SAMPLE_MS - ageMs,
              });
            }),
          ),
          key: `group ${index}`,
        },
        policy: samplePolicy({ overBudget: drops ? 'drop' : 'hold' }),
        canPunch: true,
      }));
      const used = made.reduce(
        (sum, { group }) => sum + group.files.reduce((all, file) => all + file.diskBytes, 0),
        0,
      );
      const { actions, held } = planBudget(made, { ...NONE, nodeBytesMax: max }, new Map());
      for (const action of actions) {
        const { file } = action;
        if (action.kind === 'remove') assert.ok(file.isDone && !file.isActive);
        if (action.kind === 'punch') {
          assert.ok(action.ranges.every(({ endOffset }) => endOffset < file.freeOffset));
          assert.ok(bytesOf(action.ranges) <= file.diskBytes);
        }
        if (action.kind === 'drop') {
          assert.ok(drops, 'only where the policy says so');
          assert.ok(action.untilOffset > file.readOffset && action.untilOffset <= file.size);
        }
      }
      const freed = actions.reduce((sum, action) => sum + freedBy(action), 0);
      if (used <= max) assert.deepEqual(actions, []);
      assert.equal(held.length > 0, used - freed > max);
    }),
  );
});

void test('the oldest rotated file goes first, then what is acknowledged inside growing ones', () => {
  const old = sampleFile({ name: 'old', inode: '1:1', isActive: false, size: 10 * MIB, modifiedMs: 1 });
  const young = sampleFile({ name: 'young', inode: '1:2', isActive: false, size: 10 * MIB, modifiedMs: 2 });
  const active = sampleFile({ name: 'app.log', inode: '1:3', size: 10 * MIB });
  const group = { group: podGroup('a', [old, young, active]), policy: samplePolicy(), canPunch: true };
  const kinds = (bytesMax: number): string[] =>
    planBudget([group], { ...NONE, podBytesMax: bytesMax }, new Map()).actions.map(
      ({ kind, file }) => `${kind} ${file.name}`,
    );
  assert.deepEqual(kinds(30 * MIB), []);
  assert.deepEqual(kinds(25 * MIB), ['remove old']);
  assert.deepEqual(kinds(11 * MIB), ['remove old', 'remove young']);
  assert.deepEqual(kinds(9 * MIB), ['remove old', 'remove young', 'punch app.log']);
});

void test('what a pod frees counts for its namespace and the node, and is not freed twice', () => {
  const file = sampleFile({ name: 'x', isActive: false, size: 10 * MIB });
  const group = { group: podGroup('a', [file]), policy: samplePolicy(), canPunch: true };
  const budget = { podBytesMax: MIB, namespaceBytesMax: MIB, nodeBytesMax: MIB };
  const { actions, held } = planBudget([group], budget, new Map());
  assert.equal(actions.length, 1);
  assert.deepEqual(held, []);
});

void test('what is not acknowledged is held, by name of the scope', () => {
  const file = sampleFile({ size: 10 * MIB, freeOffset: 0 });
  const group = { group: podGroup('a', [file]), policy: samplePolicy(), canPunch: true };
  const { actions, held } = planBudget([group], { ...NONE, podBytesMax: 4 * MIB }, new Map());
  assert.deepEqual(actions, []);
  assert.deepEqual(held, [{ scope: 'pod shop/a', usedBytes: 10 * MIB, bytesMax: 4 * MIB }]);
});

void test('bytes that exceed several budgets are held once', () => {
  const file = (name: string) => sampleFile({ name, inode: `1:${name}`, size: 10 * MIB, freeOffset: 0 });
  const both = ['a', 'b'].map((pod) => {
    return { group: podGroup(pod, [file(pod)]), policy: samplePolicy(), canPunch: true };
  });
  const budget = { podBytesMax: 4 * MIB, namespaceBytesMax: 5 * MIB, nodeBytesMax: 18 * MIB };
  const { held, heldBytes } = planBudget(both, budget, new Map());
  assert.deepEqual([held.length, heldBytes], [4, 15 * MIB]);
  assert.equal(planBudget(both, { ...NONE, podBytesMax: 11 * MIB }, new Map()).heldBytes, 0);
});

void test('where the policy says drop, the oldest bytes that were not read are given up', () => {
  const file = sampleFile({ size: 10 * MIB, freeOffset: 0, readOffset: MIB });
  const policy = samplePolicy({ overBudget: 'drop' });
  const budget = { ...NONE, podBytesMax: 4 * MIB };
  const plan = planBudget([{ group: podGroup('a', [file]), policy, canPunch: true }], budget, new Map());
  assert.deepEqual(
    plan.actions.map((action) => (action.kind === 'drop' ? action.untilOffset : action.kind)),
    [7 * MIB],
  );
});
