import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Scheduler } from '../scheduler.ts';

const startedNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** Real time. */
export const nodeScheduler: Scheduler = {
  nowMs: () => Date.now(),
  // The wall clock in milliseconds, with the monotonic clock's digits below: two calls seldom get the same time.
  nowNs() {
    const precise = startedNs + process.hrtime.bigint();
    const coarse = BigInt(Date.now()) * 1_000_000n;
    const drift = precise - coarse;
    return drift >= 0n && drift < 1_000_000n ? precise : coarse;
  },
  monotonicMs: () => performance.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  sleep(delayMs, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = setTimeout(done, delayMs);
      signal?.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      }
    });
  },
  yield: () => nextTurn(),
};
