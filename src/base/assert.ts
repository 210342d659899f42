/** Stops the process with a `BUG:` message when an invariant does not hold (exit code 101). */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BugError(message);
}

/** Marks the end of an exhaustive switch: the compiler rejects the call when a case is missing. */
export function unreachable(value: never): never {
  throw new BugError(`unreachable value ${JSON.stringify(value)}`);
}

/** Returns `value`, which the caller knows to be there; a missing one is a bug. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new BugError(`missing ${what}`);
  return value;
}

/** A broken invariant. Never caught to go on: the process exits with 101 and restarts from its checkpoints. */
export class BugError extends Error {
  override readonly name = 'BugError';
  constructor(message: string) {
    super(`BUG: ${message}`);
  }
}
