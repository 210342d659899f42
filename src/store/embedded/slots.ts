import { AppError } from '../../base/errors.ts';

export interface Slots {
  /** Resolves with the function that gives the slot back. Rejects with `aborted` when `signal` is first. */
  take(signal?: AbortSignal): Promise<() => void>;
}

/** Callers that wait for a slot; more are turned away. */
const WAITING_MAX = 1000;

/** Lets `count` callers in at a time, the others in the order they came. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    free += 1;
    waiting.shift()?.();
  };
  const grant = (): (() => void) => {
    free -= 1;
    let isHeld = true;
    return () => {
      if (isHeld) release();
      isHeld = false;
    };
  };
  return {
    async take(signal) {
      if (signal?.aborted === true) throw new AppError('aborted', 'cannot wait for a slot');
      if (free > 0 && waiting.length === 0) return grant();
      if (waiting.length >= WAITING_MAX) throw new AppError('too_busy', 'cannot take another query');
      return new Promise((resolve, reject) => {
        const go = (): void => {
          signal?.removeEventListener('abort', abort);
          resolve(grant());
        };
        const abort = (): void => {
          const index = waiting.indexOf(go);
          if (index >= 0) waiting.splice(index, 1);
          reject(new AppError('aborted', 'cannot wait for a slot'));
        };
        signal?.addEventListener('abort', abort, { once: true });
        waiting.push(go);
      });
    },
  };
}
