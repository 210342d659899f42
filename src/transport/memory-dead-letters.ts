import type { DeadLetter } from '../record/dead-letter.ts';
import type { DeadLetterQueue } from './transport.ts';

/** Dead letters of a process that keeps nothing: for tests, and where the store refuses no document. */
export class MemoryDeadLetters implements DeadLetterQueue {
  readonly #letters = new Map<string, DeadLetter>();

  async send(letters: readonly DeadLetter[]): Promise<void> {
    for (const letter of letters) this.#letters.set(letter.id, letter);
  }

  async *read(): AsyncIterable<DeadLetter> {
    yield* [...this.#letters.values()];
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#letters.delete(id);
  }
}
