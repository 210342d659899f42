import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EmbeddedStore } from './embedded-store.ts';
import { StoreWorld } from './testing/store-world.ts';
import { testBatch, testFileId } from './testing/test-documents.ts';

/** A file's records, by lane: record `n` of lane `l` stands at offset `3 n + l`. */
const offsetOf = (lane: number, index: number): number => index * 3 + lane;

const delivery = fc.record({
  kind: fc.constant('deliver' as const),
  file: fc.integer({ min: 1, max: 3 }),
  lane: fc.integer({ min: 0, max: 2 }),
  /** How far back a redelivery begins, and how many records it brings. */
  back: fc.integer({ min: 0, max: 6 }),
  count: fc.integer({ min: 1, max: 6 }),
});

const step = fc.oneof(
  { weight: 6, arbitrary: delivery },
  { weight: 1, arbitrary: fc.constant({ kind: 'seal' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'powerLoss' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'hours' as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the store must hold: every record that was delivered, once, but those that a pipeline drops. */
class Model {
  readonly stored = new Map<string, string>();
  readonly dropped = new Set<string>();
  readonly next = new Map<string, number>();
}

test('whatever is delivered again, and whenever the process ends, every record is there once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer(), async (steps, seed) => {
      const world = new StoreWorld({ seed });
      const model = new Model();
      let store = await world.open();
      for (const one of steps) store = await perform(one, { world, store, model });
      const messages = await world.messages(store);
      assert.deepEqual(messages.toSorted(), [...model.stored.values()].toSorted());
      let found = 0;
      for (const audit of await world.audits(store)) {
        assert.equal(audit.twice, 0);
        found += audit.found;
      }
      assert.equal(found, model.stored.size + model.dropped.size);
    }),
    { numRuns: 150 },
  );
});

interface Acting {
  readonly world: StoreWorld;
  readonly store: EmbeddedStore;
  readonly model: Model;
}

async function perform(one: Step, acting: Acting): Promise<EmbeddedStore> {
  const { world, store } = acting;
  switch (one.kind) {
    case 'deliver':
      await deliver(one, acting);
      return store;
    case 'seal':
      await store.seal();
      return store;
    case 'hours':
      await world.passHours(2);
      return store;
    case 'restart':
      await store.close();
      return world.open();
    case 'powerLoss':
      world.losePower();
      return world.open();
  }
}

async function deliver(
  one: Extract<Step, { kind: 'deliver' }>,
  { world, store, model }: Acting,
): Promise<void> {
  const fileId = testFileId(one.file);
  const lane = one.lane as 0 | 1 | 2;
  const key = `${one.file}/${lane}`;
  const next = model.next.get(key) ?? 0;
  const first = Math.max(0, next - one.back);
  const kept: { offset: number; message: string; lane: 0 | 1 | 2; timeNs: number }[] = [];
  const dropped: { reason: 'pipeline'; lane: 0 | 1 | 2; offset: number }[] = [];
  for (let index = first; index < first + one.count; index += 1) {
    const offset = offsetOf(lane, index);
    const message = `${one.file}:${offset}`;
    if (index % 5 === 4) {
      dropped.push({ reason: 'pipeline', lane, offset });
      model.dropped.add(message);
    } else {
      kept.push({ offset, message, lane, timeNs: index % 7 === 0 ? 3_600_000_000_000 : offset });
      model.stored.set(message, message);
    }
  }
  model.next.set(key, Math.max(next, first + one.count));
  await world.append(store, [testBatch(fileId, kept, dropped)]);
}
