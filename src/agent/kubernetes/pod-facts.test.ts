import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PodFacts, podFactsOf } from './pod-facts.ts';
import { compileSelection, podMembers } from './pod-members.ts';
import { podObject, type PodShape } from './testing/pod-objects.ts';

const ALL_LABELS = compileSelection({ labels: ['*'], annotations: [] });

function factsOf(shape: Partial<PodShape>, metadata: Record<string, unknown> = {}): PodFacts {
  const object = podObject({ uid: 'u1', ...shape });
  const facts = podFactsOf({
    ...object,
    metadata: { ...(object['metadata'] as Record<string, unknown>), ...metadata },
  });
  assert.ok(facts !== undefined);
  return facts;
}

void test('documents have labels, owners, and the image and id of the run that the file is of', () => {
  const labels = { 'app.kubernetes.io/name': 'web', 'pod-template-hash': '5d8f' };
  const ownerReferences = [{ kind: 'ReplicaSet', name: 'web-5d8f', controller: true }];
  const facts = factsOf({ labels, restartCount: 3 }, { ownerReferences });
  assert.deepEqual(podMembers(facts, { container: 'app', restart: 3 }, ALL_LABELS), {
    kubernetes: {
      deployment: { name: 'web' },
      replicaset: { name: 'web-5d8f' },
      labels: { 'app_kubernetes_io/name': 'web', 'pod-template-hash': '5d8f' },
    },
    container: { image: 'registry.example/web:1.4', id: 'cccccccc3', runtime: 'containerd' },
  });
  const other = podMembers(facts, { container: 'app', restart: 1 }, ALL_LABELS);
  assert.deepEqual(
    other.container,
    { image: 'registry.example/web:1.4' },
    'the id of another run is not known',
  );
  assert.deepEqual(podMembers(facts, { container: 'sidecar' }, ALL_LABELS).container, {});
});

void test('annotations are in documents when an option names them, and long ones never', () => {
  const facts = factsOf({
    annotations: { 'example.com/team': 'shop', note: 'x', manifest: 'y'.repeat(1025) },
  });
  const selection = compileSelection({ labels: [], annotations: ['example.com/*', 'manifest'] });
  const { kubernetes } = podMembers(facts, {}, selection);
  assert.deepEqual(kubernetes, { annotations: { 'example_com/team': 'shop' } });
});

void test('of many annotations the first ones are kept', () => {
  const names = Array.from({ length: 100 }, (_, number) => `note-${String(number).padStart(2, '0')}`);
  const facts = factsOf({ annotations: Object.fromEntries(names.map((name) => [name, 'x'.repeat(1000)])) });
  assert.deepEqual(Object.keys(facts.annotations), names.slice(0, 16));
});

void test('a label without dots wins over one that becomes the same by losing its dots', () => {
  const facts = factsOf({ labels: { 'a.b': 'dots', a_b: 'plain', 'a.b.c': 'other' } });
  const { kubernetes } = podMembers(facts, {}, ALL_LABELS);
  assert.deepEqual(kubernetes['labels'], { a_b: 'plain', a_b_c: 'other' });
});

void test('a static pod is known by the uid that stands in its path', () => {
  const facts = factsOf({ annotations: { 'kubernetes.io/config.hash': 'f00d' } });
  assert.equal(facts.pathUid, 'f00d');
});

void test('what is no pod is none, and odd members are left out', () => {
  for (const value of [null, 7, 'x', [], {}, { metadata: null }, { metadata: { uid: 1, name: 'x' } }]) {
    assert.equal(podFactsOf(value), undefined, JSON.stringify(value));
  }
  const facts = podFactsOf({
    metadata: { uid: 'u', name: 'n', namespace: 's', labels: { a: 1, b: 'x' }, ownerReferences: [null, 3] },
    spec: { containers: [null, {}, { name: 'c', image: 5 }] },
    status: { containerStatuses: [null, { name: 'c', restartCount: '1' }] },
  });
  assert.deepEqual(facts?.labels, { b: 'x' });
  assert.deepEqual(facts?.containers, [{ name: 'c', image: undefined, runs: [] }]);
});

void test('whatever JSON the API sends of a pod with a name, it is one', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.jsonValue(),
      fc.jsonValue(),
      (metadata, spec, status) => {
        const named = { uid: 'u', name: 'n', namespace: 's' };
        const facts = podFactsOf({ metadata: { ...metadata, ...named }, spec, status });
        assert.equal(facts?.uid, 'u');
        assert.ok(Object.values(facts.labels).every((value) => typeof value === 'string'));
      },
    ),
  );
});
