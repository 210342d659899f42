import type { FileAudit } from '../store/store.ts';
import type { WithoutAgentFigures } from './api-types.ts';
import type { AuditLetters } from './audit-letters.ts';

/** Adds up what stands beside the files of agents. Of files it remembers those that have letters, which are few. */
export class WithoutAgent {
  readonly #letters: AuditLetters | undefined;
  /** Stored files with letters, and files of agents with letters, which are told with their rows. */
  readonly #stored = new Set<string>();
  readonly #followed = new Set<string>();
  readonly #sum = { files: 0, records: 0, droppedByPipeline: 0, expired: 0 };

  constructor(letters: AuditLetters | undefined) {
    this.#letters = letters;
  }

  /** Takes in a stored file of which no ledger tells. */
  add({ fileId, found, twice, droppedByPipeline, expired }: FileAudit): void {
    if (this.#letters?.has(fileId) === true) this.#stored.add(fileId);
    this.#sum.files += 1;
    this.#sum.records += found - twice;
    this.#sum.droppedByPipeline += droppedByPipeline;
    this.#sum.expired += expired;
  }

  /** Takes out a file that an agent follows. */
  leave(fileId: string): void {
    if (this.#letters?.has(fileId) === true) this.#followed.add(fileId);
  }

  figures(): WithoutAgentFigures {
    const { fileIds = [], refused = 0, discarded = 0 } = this.#letters?.except(this.#followed) ?? {};
    return {
      ...this.#sum,
      files: this.#sum.files + fileIds.filter((fileId) => !this.#stored.has(fileId)).length,
      droppedByPipeline: this.#sum.droppedByPipeline + discarded,
      deadLettered: refused,
    };
  }
}
