/**
 * What makes reading the same bytes twice give the same records: lines without a stamp get the time of their first
 * reading again, and a record that patience cut is cut at the same place again (G4).
 *
 * `times` is sorted by `endOffset`: a range begins where the one before it ends. New ranges and cuts are fresh until
 * `settleFresh` notes that they stand in the journal, which happens before the records leave.
 */
import type { Cut, ReadTime } from '../ship/checkpoint-store.ts';

/** Ranges kept; beyond it neighbours share the earlier one's time. Bounded by what can be unacknowledged at once. */
const RANGES_MAX = 65_536;

/** One call of `Decoder.push`, and what follows it. */
export interface ReplayStep {
  /** Bytes to push. */
  readonly length: number;
  readonly timeNs: bigint;
  /** To be flushed after the push. */
  readonly cut: Cut['cause'] | undefined;
}

export class ReplayState {
  #times: ReadTime[];
  #cuts: Cut[];
  #freshTimes: ReadTime[] = [];
  #freshCuts: Cut[] = [];
  /** Whether reading times matter: the lines carry no stamp. */
  isStampless: boolean;

  constructor(times: readonly ReadTime[], cuts: readonly Cut[], isStampless: boolean) {
    this.#times = [...times].sort((left, right) => left.endOffset - right.endOffset);
    this.#cuts = [...cuts].sort((left, right) => left.offset - right.offset);
    this.isStampless = isStampless;
  }

  get times(): readonly ReadTime[] {
    return this.#times;
  }

  get cuts(): readonly Cut[] {
    return this.#cuts;
  }

  get hasFresh(): boolean {
    return this.#freshTimes.length > 0 || this.#freshCuts.length > 0;
  }

  get freshTimes(): readonly ReadTime[] {
    return this.#freshTimes;
  }

  get freshCuts(): readonly Cut[] {
    return this.#freshCuts;
  }

  /** Notes that what was fresh stands in the journal. */
  settleFresh(): void {
    this.#freshTimes = [];
    this.#freshCuts = [];
  }

  /** Divides `length` bytes read at `offset` as they were divided when they were read first; the rest is new. */
  plan(offset: number, length: number, nowNs: bigint): ReplayStep[] {
    const steps: ReplayStep[] = [];
    let at = offset;
    const end = offset + length;
    while (at < end) {
      const known = this.#times.find((range) => range.endOffset > at);
      const cut = this.#cuts.find((candidate) => candidate.offset > at);
      const stop = Math.min(end, known?.endOffset ?? end, cut?.offset ?? end);
      const timeNs = known === undefined ? nowNs : BigInt(known.timeNs);
      steps.push({ length: stop - at, timeNs, cut: cut?.offset === stop ? cut.cause : undefined });
      if (known === undefined && this.isStampless) this.#addTime(stop, nowNs);
      at = stop;
    }
    return steps;
  }

  addCut(cut: Cut): void {
    this.#cuts.push(cut);
    this.#freshCuts.push(cut);
  }

  /** Forgets what lies below the acknowledged offset. */
  prune(acknowledgedOffset: number): void {
    const firstTime = this.#times.findIndex((range) => range.endOffset > acknowledgedOffset);
    if (firstTime !== 0) this.#times = firstTime < 0 ? [] : this.#times.slice(firstTime);
    const firstCut = this.#cuts.findIndex((cut) => cut.offset > acknowledgedOffset);
    if (firstCut !== 0) this.#cuts = firstCut < 0 ? [] : this.#cuts.slice(firstCut);
  }

  #addTime(endOffset: number, timeNs: bigint): void {
    const last = this.#times.at(-1);
    const time = this.#times.length >= RANGES_MAX && last !== undefined ? last.timeNs : timeNs.toString();
    const range = { endOffset, timeNs: time };
    this.#times.push(range);
    this.#freshTimes.push(range);
  }
}
