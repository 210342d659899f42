import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogDirectory } from '../../base/log-directory.ts';
import { nodeRotateMachine } from '../../base/node/node-rotate-machine.ts';
import { performAction } from './rotate-actions.ts';
import { sampleFile, samplePolicy, SAMPLE_MS } from './testing/rotate-samples.ts';

void test("a directory that really stands in kubelet's or Docker's tree is left alone", async () => {
  for (const realPath of ['/var/log/pods/shop_web_1/web', '/var/lib/docker/containers/1']) {
    const untouchable: Partial<LogDirectory> = { realPath, close: () => undefined };
    const outcome = await performAction(
      { kind: 'remove', group: '/logs/app.log', file: sampleFile(), reason: 'it is old' },
      {
        machine: { ...nodeRotateMachine, openDirectory: () => untouchable as LogDirectory },
        followed: {
          stamp: () => 0,
          groups: () => [],
          giveUp: () => undefined,
          lifeOf: () => undefined,
          noteTruncation: () => undefined,
          finish: () => undefined,
          noteCopy: () => undefined,
        },
        policy: samplePolicy(),
        root: '/logs',
        directory: '/logs',
        style: 'rotated',
        activeName: 'app.log',
        nowMs: SAMPLE_MS,
      },
    );
    assert.equal(outcome.kind, 'later');
    assert.match(outcome.text, /^it stands in a tree that (?:kubelet|Docker) rotates$/);
  }
});
