import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RotateMatch } from '../../config/rotate-config.ts';
import { PolicyChooser } from './choose-policy.ts';
import { describeChoice } from './rotate-status.ts';
import type { RotateGroup } from './rotate-types.ts';
import { sampleGroup, samplePolicy } from './testing/rotate-samples.ts';

const NOTHING = samplePolicy().match;

function choose(matches: readonly Partial<RotateMatch>[], changes: Partial<RotateGroup> = {}): string {
  const policies = matches.map((match) => samplePolicy({ match: { ...NOTHING, ...match } }));
  return describeChoice(new PolicyChooser(policies).choose(sampleGroup([], changes))).policy;
}

void test('the first policy that fits is taken', () => {
  assert.equal(choose([{ app: 'other' }, { namespace: 'sh*', app: 'cart' }, { app: '*' }]), 'rotate[1]');
  assert.equal(choose([{ pod: 'cart-?', container: 'app' }]), 'rotate[0]');
  assert.equal(choose([{ path: '/data/logs/*/*/*/log/app.log' }]), 'rotate[0]');
  assert.equal(choose([{ path: '/data/logs/*.log' }]), 'built-in', 'a star stays within one name');
  assert.equal(choose([{ path: '**/app.log' }]), 'rotate[0]');
  assert.equal(choose([{ labels: { team: 'shop' } }], { labels: { team: 'shop' } }), 'rotate[0]');
  assert.equal(choose([{ labels: { team: 'shop' } }]), 'built-in');
});

void test('plain files of the apps tree have the built-in policy, all others none', () => {
  assert.equal(choose([]), 'built-in');
  assert.equal(choose([], { style: 's6' }), 'none');
  assert.equal(choose([], { sourceKind: 'files' }), 'none');
});

void test("kubelet's and Docker's files are never touched, whatever a policy says", () => {
  assert.equal(choose([{}], { sourceKind: 'pods' }), 'none');
  assert.equal(choose([{}], { sourceKind: 'docker' }), 'none');
  for (const path of [
    '/var/log/pods/shop_cart_1/app/0.log',
    '/var/log/containers/cart.log',
    '/var/lib/docker/containers/1/1-json.log',
    '/var/lib/kubelet/pods/1/volumes/x.log',
  ]) {
    assert.equal(choose([{}], { sourceKind: 'files', activePath: path }), 'none', path);
  }
});

void test('method none leaves files alone', () => {
  const chooser = new PolicyChooser([samplePolicy({ method: 'none' })]);
  assert.deepEqual(chooser.choose(sampleGroup([])), {
    kind: 'none',
    reason: 'rotate[0] says method: none',
    isWished: true,
  });
});
