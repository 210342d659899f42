/** What an audit has to know of dead letters: where the records stood that the store refused. */
import { isDiscarded, type DeadLetter } from '../record/dead-letter.ts';

/** Letters whose offsets are held in memory, 8 bytes each; an audit of more cannot tell. */
const LETTERS_MAX = 2_000_000;

export interface LetterTally {
  readonly refused: number;
  /** Discarded by a person, or dropped by a pipeline in a replay. */
  readonly discarded: number;
  /** Sum of the offsets of both. */
  readonly offsetSum: bigint;
}

interface Offsets {
  readonly refused: number[];
  readonly discarded: number[];
}

const NONE: LetterTally = { refused: 0, discarded: 0, offsetSum: 0n };

/** Letters of records that no ledger tells of. */
export interface OtherLetters {
  readonly fileIds: readonly string[];
  readonly refused: number;
  readonly discarded: number;
}

export class AuditLetters {
  readonly #byFile = new Map<string, Offsets>();
  #count = 0;

  /** Notes where a letter's record stood; false when there are too many. */
  add(letter: DeadLetter): boolean {
    const offsets = this.#byFile.get(letter.fileId) ?? { refused: [], discarded: [] };
    this.#byFile.set(letter.fileId, offsets);
    (isDiscarded(letter) ? offsets.discarded : offsets.refused).push(letter.offset);
    this.#count++;
    return this.#count <= LETTERS_MAX;
  }

  /** Returns the letters of a file below an offset. */
  below(fileId: string, endOffset: number): LetterTally {
    const offsets = this.#byFile.get(fileId);
    if (offsets === undefined) return NONE;
    const refused = offsets.refused.filter((offset) => offset < endOffset);
    const discarded = offsets.discarded.filter((offset) => offset < endOffset);
    const offsetSum = [...refused, ...discarded].reduce((sum, offset) => sum + BigInt(offset), 0n);
    return { refused: refused.length, discarded: discarded.length, offsetSum };
  }

  has(fileId: string): boolean {
    return this.#byFile.has(fileId);
  }

  /** Returns the letters of all files but these. */
  except(fileIds: ReadonlySet<string>): OtherLetters {
    const others = [...this.#byFile].filter(([fileId]) => !fileIds.has(fileId));
    return {
      fileIds: others.map(([fileId]) => fileId),
      refused: others.reduce((sum, [, { refused }]) => sum + refused.length, 0),
      discarded: others.reduce((sum, [, { discarded }]) => sum + discarded.length, 0),
    };
  }
}
