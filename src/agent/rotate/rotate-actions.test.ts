import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogDirectory, LogEntry } from '../../base/log-directory.ts';
import { nodeRotateMachine } from '../../base/node/node-rotate-machine.ts';
import type { FollowedView } from '../followed-files.ts';
import { type ActionOutcome, performAction } from './rotate-actions.ts';
import { sampleFile, samplePolicy, SAMPLE_MS } from './testing/rotate-samples.ts';

const UNUSED_FOLLOWED: FollowedView = {
  stamp: () => 0,
  groups: () => [],
  giveUp: () => undefined,
  lifeOf: () => undefined,
  noteTruncation: () => undefined,
  finish: () => undefined,
  noteCopy: () => undefined,
};

/** Removes a file in a directory that does nothing but tell of itself. */
function remove(directory: Partial<LogDirectory>): Promise<ActionOutcome> {
  const file = sampleFile({ birthNs: '1000000' });
  return performAction(
    { kind: 'remove', group: '/logs/app.log', file, reason: 'it is old' },
    {
      machine: {
        ...nodeRotateMachine,
        openDirectory: () => ({ realPath: '/logs', close: () => undefined, ...directory }) as LogDirectory,
      },
      followed: UNUSED_FOLLOWED,
      policy: samplePolicy(),
      root: '/logs',
      directory: '/logs',
      style: 'rotated',
      activeName: 'app.log',
      nowMs: SAMPLE_MS,
    },
  );
}

void test('a file that took the inode of the one that was to be removed stays', async () => {
  const entry: LogEntry = {
    name: 'app.log',
    kind: 'file',
    inode: '1:1',
    birthNs: '2000000',
    size: 0,
    diskBytes: 0,
    modifiedMs: 0,
    links: 1,
  };
  const outcome = await remove({ stat: () => entry });
  assert.deepEqual(outcome, { kind: 'later', text: 'it is another file now' });
});

void test("a directory that really stands in kubelet's or Docker's tree is left alone", async () => {
  for (const realPath of ['/var/log/pods/shop_web_1/web', '/var/lib/docker/containers/1']) {
    const outcome = await remove({ realPath });
    assert.equal(outcome.kind, 'later');
    assert.match(outcome.text, /^it stands in a tree that (?:kubelet|Docker) rotates$/);
  }
});
