import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RotateMatch } from '../../config/rotate-config.ts';
import { KnownPods } from '../testing/known-pods.ts';
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
    index: 0,
  });
});

void test("a policy fits by the pod's labels and annotations, and the source's fields win over them", () => {
  const pods = new KnownPods();
  const labels = { app: 'web', tier: 'frontend', 'app.kubernetes.io/name': 'web' };
  pods.put({ uid: 'u1', name: 'cart-0', namespace: 'shop', labels, annotations: { team: 'shop' } });
  const chosenBy = (match: Partial<RotateMatch>, changes: Partial<RotateGroup> = {}): string => {
    const chooser = new PolicyChooser([samplePolicy({ match: { ...NOTHING, ...match } })], pods);
    return describeChoice(chooser.choose(sampleGroup([], changes))).policy;
  };
  assert.equal(chosenBy({ labels: { app: 'web', tier: 'front*' } }), 'rotate[0]');
  assert.equal(chosenBy({ labels: { 'app.kubernetes.io/name': 'w?b' } }), 'rotate[0]');
  assert.equal(chosenBy({ labels: { app: 'web', tier: 'back*' } }), 'built-in', 'every one must fit');
  assert.equal(chosenBy({ labels: { constructor: '*' } }), 'built-in');
  assert.equal(chosenBy({ annotations: { team: 'shop' } }), 'rotate[0]');
  assert.equal(chosenBy({ annotations: { app: 'web' } }), 'built-in');
  assert.equal(chosenBy({ labels: { app: 'web' } }, { labels: { app: 'mine' } }), 'built-in');
  assert.equal(chosenBy({ labels: { app: 'mine' } }, { labels: { app: 'mine' } }), 'rotate[0]');
  const names = { namespace: 'shop', app: 'cart', pod: 'cart-1', container: 'app' };
  assert.equal(chosenBy({ labels: { app: 'web' } }, { names }), 'built-in', 'another pod');
});

void test('a choice says by which labels, and whose are not known', () => {
  const pods = new KnownPods();
  pods.put({ uid: 'u1', name: 'cart-0', namespace: 'shop', labels: { app: 'web' }, annotations: { a: 'b' } });
  const match = { ...NOTHING, labels: { app: 'w*' }, annotations: { a: '*' } };
  const known = new PolicyChooser([samplePolicy({ match })], pods).choose(sampleGroup([]));
  assert.equal(known.reason, 'rotate[0] is the first that fits, by label app=web, annotation a=b');
  const unknown = new PolicyChooser([samplePolicy({ match })]).choose(sampleGroup([]));
  assert.match(unknown.reason, /plain file of the apps tree; the labels of shop\/cart-0 are not known$/);
  const policies = [samplePolicy({ match }), samplePolicy({ method: 'none' })];
  const later = 'rotate[1] says method: none; the labels of shop/cart-0 are not known';
  assert.equal(new PolicyChooser(policies).choose(sampleGroup([])).reason, later);
  const earlier = new PolicyChooser(policies.toReversed()).choose(sampleGroup([]));
  assert.equal(earlier.reason, 'rotate[0] says method: none', 'labels were not asked for');
});
