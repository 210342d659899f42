import assert from 'node:assert/strict';
import { createRandom } from '../../base/prng.ts';
import { type Flavour, FLAVOURS } from './tailer-flavours.ts';
import { deliveredLines, Model } from './tailer-model.ts';

const STEPS_MAX = 14;

/** Runs one case of one of the flavours; throws with the seed and the steps when an invariant does not hold. */
export async function runCase(seed: number, flavours: readonly Flavour[] = FLAVOURS): Promise<void> {
  const random = createRandom(seed);
  const flavour = flavours[Math.floor(random() * flavours.length)] ?? (FLAVOURS[0] as Flavour);
  const model = new Model(flavour, random);
  const trail: string[] = [flavour.name];
  try {
    await model.start();
    const steps = 3 + Math.floor(random() * STEPS_MAX);
    for (let index = 0; index < steps; index++) {
      const step = model.pick(flavour.steps);
      trail.push(step);
      await (model[step] as () => Promise<void>).call(model);
    }
    await model.finish();
    check(model);
  } catch (error) {
    const files = JSON.stringify(model.world.agent?.files(), undefined, 1);
    throw new Error(`seed ${seed}: ${trail.join(' ')}\n${files}`, { cause: error });
  }
}

function check(model: Model): void {
  const { producer, telemetry } = model.world;
  const shown = deliveredLines(producer.records);
  const counts = new Map<string, number>();
  for (const line of shown) counts.set(line, (counts.get(line) ?? 0) + 1);
  const twice = [...counts].filter(([, count]) => count > 1).map(([line]) => line);
  const lost = [...model.maybeLost];
  // What was read of a line whose end was cut away is given out as it is.
  const isCut = (line: string): boolean => line !== '' && lost.some((whole) => whole.startsWith(line));
  const unknown = shown.filter((line) => !model.written.has(line) && !isCut(line));
  const missing = [...model.written].filter((line) => !counts.has(line) && !model.maybeLost.has(line));
  const warnings = telemetry.lines.filter((line) => line.level !== 'info').map((line) => line.text);
  assert.deepEqual(
    { twice, unknown, missing, changed: producer.changed },
    { twice: [], unknown: [], missing: [], changed: [] },
    warnings.join('\n'),
  );
  for (const ledger of producer.ledger.values()) {
    const below = producer.records.filter(
      ({ fileId, offset }) => fileId === ledger.fileId && offset < ledger.acknowledgedOffset,
    );
    const sum = below.reduce((total, record) => total + BigInt(record.offset), 0n);
    const about = JSON.stringify(ledger);
    assert.deepEqual([ledger.records, ledger.offsetSum], [below.length, sum.toString()], about);
  }
}
