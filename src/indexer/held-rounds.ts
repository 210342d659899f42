/**
 * The rounds between their poll and their commit: a pure state, driven by `indexer.ts`.
 *
 * Invariants
 *   - rounds are committed in the order in which they were polled, so that the positions of every partition are
 *     committed contiguously;
 *   - where the store keeps watermarks, a round begins to be appended only when no round before it that has records
 *     of the same file is still being appended: were the earlier one to fail and be tried again, the store would take
 *     its records for duplicates, because the later ones had moved the watermark past them;
 *   - at most `roundsMax` rounds are being appended;
 *   - what was delivered of a partition before it was revoked is never committed after that.
 */
import type { Delivery } from '../transport/transport.ts';

export interface HeldRoundsOptions {
  /** Rounds that are being appended at the same time. */
  readonly roundsMax: number;
  /** Whether rounds with records of the same file are appended one after the other. */
  readonly isOrderedByFile: boolean;
}

/** For a store on this machine: one round is being synced while the next one is parsed and written. */
export const LOCAL_ROUNDS: HeldRoundsOptions = { roundsMax: 2, isOrderedByFile: true };

/** For a store behind a network that knows documents by their ids: enough to fill the time of a round trip. */
export const REMOTE_ROUNDS: HeldRoundsOptions = { roundsMax: 6, isOrderedByFile: false };

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
  readonly #options: HeldRoundsOptions;
  readonly #rounds: Round[] = [];
  /** Partitions that were taken away while these rounds were held: their positions are not committed. */
  readonly #revoked = new Map<HeldRound, Set<number>>();

  constructor(options: HeldRoundsOptions = LOCAL_ROUNDS) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#rounds.length === 0;
  }

  /** Rounds that are being appended. */
  get inFlightCount(): number {
    return this.#rounds.filter(({ isStored }) => !isStored).length;
  }

  /** Whether the round may be appended now. */
  canBegin(round: HeldRound): boolean {
    const inFlight = this.#rounds.filter(({ isStored }) => !isStored);
    if (inFlight.length >= this.#options.roundsMax) return false;
    return (
      !this.#options.isOrderedByFile || inFlight.every((held) => held.fileIds.isDisjointFrom(round.fileIds))
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

  /** Takes partitions away from every round that is held, and from `others`, which are about to begin. */
  revoke(partitions: readonly number[], others: Iterable<HeldRound> = []): void {
    for (const round of [...this.#rounds, ...others]) {
      const revoked = this.#revoked.get(round) ?? new Set();
      for (const partition of partitions) revoked.add(partition);
      this.#revoked.set(round, revoked);
    }
  }

  /** Returns what is to be committed of a round that is settled, and forgets it. */
  takeCommits(round: Round): readonly PositionCommit[] {
    const revoked = this.#revoked.get(round);
    if (revoked === undefined) return round.commits;
    this.#revoked.delete(round);
    return round.commits.filter(({ partition }) => !revoked.has(partition));
  }

  /** Forgets a round that will not be stored by this process, and every one behind it. */
  abandon(round: Round): void {
    const index = this.#rounds.indexOf(round);
    if (index < 0) return;
    for (const abandoned of this.#rounds.splice(index)) this.#revoked.delete(abandoned);
  }
}

/** Returns the position behind the last delivery of each partition. */
export function commitsOf(deliveries: readonly Delivery[]): PositionCommit[] {
  const next = new Map<number, bigint>();
  for (const { partition, nextPosition } of deliveries) next.set(partition, nextPosition);
  return [...next].map(([partition, nextPosition]) => ({ partition, nextPosition }));
}
