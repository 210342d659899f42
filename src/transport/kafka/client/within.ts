import type { Scheduler } from '../../../base/scheduler.ts';

/** Resolves when `promise` has settled, or after `msMax`; it never rejects, and leaves no timer behind. */
export async function within(scheduler: Scheduler, msMax: number, promise: Promise<unknown>): Promise<void> {
  const settled = new AbortController();
  const settling = promise.then(
    () => settled.abort(),
    () => settled.abort(),
  );
  await Promise.race([settling, scheduler.sleep(msMax, settled.signal)]);
}
