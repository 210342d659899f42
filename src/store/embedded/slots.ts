import { AppError } from '../../base/errors.ts';

export interface Slots {
  /** Resolves with the function that gives the slot back. Rejects with `aborted` when `signal` is first. */
  take(signal?: AbortSignal): Promise<() => void>;
  /** Like `take`, but takes every slot: nobody else has one meanwhile. */
  takeAll(signal?: AbortSignal): Promise<() => void>;
}

/** Callers that wait for a slot; more are turned away. */
const WAITING_MAX = 1000;

interface Waiting {
  readonly size: number;
  go(): void;
}

/** Lets `count` callers in at a time, the others in the order they came. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: Waiting[] = [];
  const letIn = (): void => {
    for (let first = waiting[0]; first !== undefined && free >= first.size; first = waiting[0]) {
      waiting.shift();
      first.go();
    }
  };
  const grant = (size: number): (() => void) => {
    free -= size;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      free += size;
      letIn();
    };
  };
  const take = async (size: number, signal: AbortSignal | undefined): Promise<() => void> => {
    if (signal?.aborted === true) throw new AppError('aborted', 'cannot wait for a slot');
    if (free >= size && waiting.length === 0) return grant(size);
    if (waiting.length >= WAITING_MAX) throw new AppError('too_busy', 'cannot take another query');
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve(grant(size));
      };
      const entry: Waiting = { size, go };
      const abort = (): void => {
        const index = waiting.indexOf(entry);
        if (index >= 0) waiting.splice(index, 1);
        reject(new AppError('aborted', 'cannot wait for a slot'));
        // Whoever waited behind it may need less.
        letIn();
      };
      signal?.addEventListener('abort', abort, { once: true });
      waiting.push(entry);
    });
  };
  return {
    take: (signal) => take(1, signal),
    takeAll: (signal) => take(count, signal),
  };
}
