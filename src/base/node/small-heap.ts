import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Keeps V8's young generation at 1 MiB instead of the 16 MiB that it grows to. An agent's hot path makes no objects,
 * so the larger one saves it nothing and costs every node 10 MiB (`bench/agent.bench.ts --only steady`).
 * Call it before the work begins; it does not shrink what has grown.
 */
export function keepHeapSmall(): void {
  v8.setFlagsFromString('--max-semi-space-size=1');
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Collects all garbage and gives its memory back to the system, once: call it when the modules are loaded and have
 * run, because that leaves a heap half again as large as what lives in it. It takes some hundred milliseconds, and saves a
 * process that makes little garbage afterwards 10 to 20 MiB (`bench/agent-kafka.bench.ts --only steady`).
 */
export function shrinkHeap(): void {
  // The function is defined in contexts that are made while the flag is set (https://nodejs.org/api/v8.html).
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as (options: CollectOptions) => void;
  v8.setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', flavor: 'last-resort', execution: 'sync' });
}

/** As V8's `src/extensions/gc-extension.cc` has it: `last-resort` compacts, and empties what caches it has. */
interface CollectOptions {
  readonly type: 'major';
  readonly flavor: 'last-resort';
  readonly execution: 'sync';
}
