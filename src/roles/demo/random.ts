import { must } from '../../base/assert.ts';
import { createRandom } from '../../base/prng.ts';

/** Seeded choices for the demo. */
export interface Random {
  /** From `min` to `max`, both included. */
  integer(min: number, max: number): number;
  pick<T>(values: readonly T[]): T;
  /** Picks by weight. */
  weighted<const T>(values: readonly (readonly [T, number])[]): T;
}

/** Returns choices that follow from the seed alone. */
export function seededRandom(seed: number): Random {
  const next = createRandom(seed);
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    integer,
    pick: (values) => must(values[integer(0, values.length - 1)], 'value to pick'),
    weighted(values) {
      let rest = next() * values.reduce((total, [, weight]) => total + weight, 0);
      for (const [value, weight] of values) {
        rest -= weight;
        if (rest < 0) return value;
      }
      return must(values[0], 'value to pick')[0];
    },
  };
}
