/** Actions that could not be done are not tried again at once. */
import type { RotateAction } from './rotate-types.ts';

const RETRY_MS = { later: 5000, failed: 30_000 } as const;

/** Actions remembered; beyond it they are tried again early. */
const POSTPONED_MAX = 10_000;

export class Postponed {
  readonly #untilMs = new Map<string, number>();

  isDue(action: RotateAction, nowMs: number): boolean {
    const key = keyOf(action);
    const untilMs = this.#untilMs.get(key);
    if (untilMs === undefined) return true;
    if (nowMs < untilMs) return false;
    this.#untilMs.delete(key);
    return true;
  }

  note(action: RotateAction, outcome: keyof typeof RETRY_MS, nowMs: number): void {
    if (this.#untilMs.size >= POSTPONED_MAX) this.#untilMs.clear();
    this.#untilMs.set(keyOf(action), nowMs + RETRY_MS[outcome]);
  }
}

function keyOf({ kind, file }: RotateAction): string {
  return `${kind} ${file.inode} ${file.name}`;
}
