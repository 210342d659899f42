import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PodFacts, podFactsOf } from './pod-facts.ts';
import { GONE_MAX, GONE_MS_MIN, PodsState } from './pods-state.ts';
import { podObject } from './testing/pod-objects.ts';

interface Pod {
  readonly uid: string;
  readonly name: string;
  readonly color: string;
}

type Step =
  | { readonly kind: 'put' | 'delete'; readonly pod: Pod }
  | { readonly kind: 'list'; readonly pods: readonly Pod[] }
  | { readonly kind: 'forget'; readonly followed: readonly string[] };

const anyPod: fc.Arbitrary<Pod> = fc
  .record({ number: fc.nat(5), color: fc.constantFrom('red', 'blue') })
  // Several uids share a name, as those of a StatefulSet do one after the other.
  .map(({ number, color }) => ({ uid: `u${number}`, name: `web-${number % 2}`, color }));

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('put' as const, 'delete' as const), pod: anyPod }),
  fc.record({
    kind: fc.constant('list' as const),
    pods: fc.uniqueArray(anyPod, { selector: ({ uid }) => uid }),
  }),
  fc.record({
    kind: fc.constant('forget' as const),
    followed: fc.subarray(['u0', 'u1', 'u2', 'u3', 'u4', 'u5']),
  }),
);

function factsOf({ uid, name, color }: Pod): PodFacts {
  const facts = podFactsOf(podObject({ uid, name, labels: { color } }));
  assert.ok(facts !== undefined);
  return facts;
}

/** The same rules in the plainest words: what is there, and what is gone since when. */
class Model {
  readonly pods = new Map<string, { pod: Pod; goneMs: number | undefined }>();

  apply(step: Step, nowMs: number): void {
    if (step.kind === 'put') this.pods.set(step.pod.uid, { pod: step.pod, goneMs: undefined });
    if (step.kind === 'delete') this.pods.set(step.pod.uid, { pod: step.pod, goneMs: nowMs });
    if (step.kind === 'list') {
      for (const known of this.pods.values()) known.goneMs ??= nowMs;
      for (const pod of step.pods) this.pods.set(pod.uid, { pod, goneMs: undefined });
    }
    if (step.kind !== 'forget') return;
    for (const [uid, { goneMs }] of this.pods) {
      const isOld = goneMs !== undefined && nowMs - goneMs >= GONE_MS_MIN;
      if (isOld && !step.followed.includes(uid)) this.pods.delete(uid);
    }
  }
}

function applyTo(state: PodsState, step: Step, nowMs: number): void {
  if (step.kind === 'put') state.put(factsOf(step.pod));
  if (step.kind === 'delete') state.putGone(factsOf(step.pod), nowMs);
  if (step.kind === 'list') state.replace(step.pods.map(factsOf), nowMs);
  if (step.kind === 'forget') {
    const names = step.followed.map((podUid) => ({ namespace: 'shop', pod: 'any', podUid }));
    state.forgetGone(names, nowMs);
  }
}

void test('whatever is listed, told and deleted, each pod is found with its latest labels until nobody needs it', () => {
  const run = (steps: readonly Step[]): void => {
    const state = new PodsState();
    const model = new Model();
    let nowMs = 0;
    for (const step of steps) {
      nowMs += GONE_MS_MIN / 2;
      const before = new Map([...model.pods.keys()].map((podUid) => [podUid, state.find({ podUid })]));
      const version = state.version;
      model.apply(step, nowMs);
      applyTo(state, step, nowMs);
      for (const uid of ['u0', 'u1', 'u2', 'u3', 'u4', 'u5']) {
        const expected = model.pods.get(uid)?.pod.color;
        const found = state.find({ namespace: 'shop', pod: 'any', podUid: uid });
        assert.equal(found?.labels['color'], expected, uid);
        if (found !== before.get(uid)) assert.notEqual(state.version, version, 'a change has a new version');
      }
      for (const name of ['web-0', 'web-1']) {
        const present = [...model.pods.values()].filter(
          ({ pod, goneMs }) => pod.name === name && goneMs === undefined,
        );
        const found = state.find({ namespace: 'shop', pod: name });
        if (present.length > 0) assert.ok(found !== undefined, `${name} is found by its name`);
      }
      const gone = [...model.pods.values()].filter(({ goneMs }) => goneMs !== undefined).length;
      assert.equal(state.counts.gone, gone);
      assert.equal(state.counts.present, model.pods.size - gone);
      const again = new PodsState();
      assert.ok(again.restore(state.save(), nowMs));
      for (const uid of model.pods.keys()) {
        const [restored, saved] = [again, state].map((one) => JSON.stringify(one.find({ podUid: uid })));
        assert.equal(restored, saved, 'what is saved is restored');
      }
    }
  };
  fc.assert(fc.property(fc.array(anyStep, { maxLength: 20 }), run));
});

void test('the same pod told again is no change', () => {
  const state = new PodsState();
  state.put(factsOf({ uid: 'u1', name: 'web-1', color: 'red' }));
  const { version } = state;
  const facts = state.find({ podUid: 'u1' });
  state.put(factsOf({ uid: 'u1', name: 'web-1', color: 'red' }));
  state.replace([factsOf({ uid: 'u1', name: 'web-1', color: 'red' })], 0);
  assert.equal(state.version, version);
  assert.equal(state.find({ podUid: 'u1' }), facts);
});

void test('by its name the pod is found that is there, by its uid each one', () => {
  const state = new PodsState();
  state.put(factsOf({ uid: 'u1', name: 'web-1', color: 'red' }));
  state.putGone(factsOf({ uid: 'u1', name: 'web-1', color: 'red' }), 1);
  state.put(factsOf({ uid: 'u2', name: 'web-1', color: 'blue' }));
  assert.equal(state.find({ namespace: 'shop', pod: 'web-1' })?.uid, 'u2');
  assert.equal(state.find({ namespace: 'shop', pod: 'web-1', podUid: 'u1' })?.uid, 'u1');
  assert.equal(state.find({ namespace: 'shop', pod: 'web-1', podUid: 'u9' }), undefined, 'never another one');
});

void test('of deleted pods only so many are kept, the oldest give way and are counted', () => {
  const state = new PodsState();
  for (let number = 0; number < GONE_MAX + 10; number += 1) {
    state.putGone(factsOf({ uid: `u${number}`, name: `job-${number}`, color: 'red' }), number);
  }
  assert.deepEqual(state.counts, { present: 0, gone: GONE_MAX, forgotten: 10 });
  assert.equal(state.find({ podUid: 'u9' }), undefined);
  assert.notEqual(state.find({ podUid: 'u10' }), undefined);
});

void test('runs of a container that the API no longer tells of are remembered', () => {
  const state = new PodsState();
  for (const restartCount of [0, 1, 2, 3, 4, 5]) {
    const facts = podFactsOf(podObject({ uid: 'u1', restartCount }));
    assert.ok(facts !== undefined);
    state.put(facts);
  }
  const runs = state.find({ podUid: 'u1' })?.containers[0]?.runs.map(({ restart }) => restart);
  assert.deepEqual(runs, [5, 4, 3, 2]);
});

void test('a file that holds something else is ignored', () => {
  const state = new PodsState();
  for (const text of ['', 'x', '[]', 'null', '{"version":2,"pods":[]}', '{"version":1,"pods":7}']) {
    assert.equal(state.restore(text, 0), false, text);
  }
  const odd = [null, {}, { uid: 'u', namespace: 's', name: 'n', labels: { a: 1 } }];
  const [good] = [factsOf({ uid: 'u1', name: 'web-1', color: 'red' })];
  assert.ok(state.restore(JSON.stringify({ version: 1, pods: [...odd, good] }), 0));
  assert.deepEqual(state.counts, { present: 0, gone: 1, forgotten: 0 });
});
