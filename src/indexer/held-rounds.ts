/**
 * The rounds between their poll and their commit: a pure state, driven by `indexer.ts`.
 *
 * Invariants
 *   - rounds are committed in the order in which they were polled, so that the positions of every partition are
 *     committed contiguously;
 *   - a round begins to be appended only when no round before it that has records of the same file is still being
 *     appended: were the earlier one to fail and be tried again, the store would take its records for duplicates,
 *     because the later ones had moved the watermark past them;
 *   - at most `ROUNDS_IN_FLIGHT_MAX` rounds are being appended.
 */
import type { Delivery } from '../transport/transport.ts';

/** One is being synced while the next one is parsed and written. */
export const ROUNDS_IN_FLIGHT_MAX = 2;

export interface PositionCommit {
  readonly partition: number;
  readonly nextPosition: bigint;
}

export interface HeldRound {
  readonly fileIds: ReadonlySet<string>;
  readonly commits: readonly PositionCommit[];
  isStored: boolean;
}

export class HeldRounds<Round extends HeldRound> {
  readonly #rounds: Round[] = [];

  get isEmpty(): boolean {
    return this.#rounds.length === 0;
  }

  /** Whether the round may be appended now. */
  canBegin(round: HeldRound): boolean {
    const inFlight = this.#rounds.filter(({ isStored }) => !isStored);
    return (
      inFlight.length < ROUNDS_IN_FLIGHT_MAX &&
      inFlight.every(({ fileIds }) => fileIds.isDisjointFrom(round.fileIds))
    );
  }

  begin(round: Round): void {
    this.#rounds.push(round);
  }

  /** Notes that a round is durable; returns the rounds that can be committed now, in order. */
  settle(round: Round): Round[] {
    round.isStored = true;
    const unsettled = this.#rounds.findIndex(({ isStored }) => !isStored);
    return this.#rounds.splice(0, unsettled < 0 ? this.#rounds.length : unsettled);
  }

  /** Forgets a round that will not be stored by this process. */
  abandon(round: Round): void {
    const index = this.#rounds.indexOf(round);
    if (index >= 0) this.#rounds.splice(index);
  }
}

/** Returns the position behind the last delivery of each partition. */
export function commitsOf(deliveries: readonly Delivery[]): PositionCommit[] {
  const next = new Map<number, bigint>();
  for (const { partition, nextPosition } of deliveries) next.set(partition, nextPosition);
  return [...next].map(([partition, nextPosition]) => ({ partition, nextPosition }));
}
