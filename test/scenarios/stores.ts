import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';

export interface ScenarioStore {
  readonly name: string;
  /** Opens an empty store; the runner closes it. */
  open(): Promise<Store>;
}

/** Every store that must give the answers of the scenarios. */
export const SCENARIO_STORES: readonly ScenarioStore[] = [
  { name: 'memory', open: () => Promise.resolve(new MemoryStore()) },
];
