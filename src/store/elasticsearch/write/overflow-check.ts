/**
 * Keeps a record from standing in two indices. Within the limits its index follows from its time alone; but which
 * events are too late or too early depends on now, so one that is delivered again may belong elsewhere the second time:
 *
 *   now too late, at first in the index of its day             that index is asked for its id
 *   now of its day, at first too far in the future             the index of future events is asked, if any there has
 *                                                              a time like it
 */
import type { BulkItem, BulkPayload, TimeSpanMs } from './bulk-payload.ts';
import { selectItems } from './bulk-payload.ts';
import type { EngineClient } from '../engine/engine-client.ts';

/** Ids of one request: about 100 KiB. */
const IDS_MAX = 1_000;

/** Times of future events that another process stored are noticed after this long. */
const RANGE_MS_MAX = 60_000;

export interface OverflowCheckOptions {
  readonly client: EngineClient;
  /** The index of future events. */
  readonly futureIndex: string;
  readonly monotonicMs: () => number;
}

export class OverflowCheck {
  readonly #options: OverflowCheckOptions;
  #future: TimeSpanMs | undefined;
  #askedMs = -Infinity;

  constructor(options: OverflowCheckOptions) {
    this.#options = options;
  }

  /** Returns the payload without the documents that stand in another index already, and how many these are. */
  async withoutStored(
    payload: BulkPayload,
    signal: AbortSignal,
  ): Promise<{ readonly payload: BulkPayload; readonly duplicates: number }> {
    await this.#refreshFuture(signal);
    if (!payload.hasOverflow && !this.#mayHaveBeenFuture(payload.timesMs)) return { payload, duplicates: 0 };
    const questions: { readonly item: BulkItem; readonly index: string }[] = [];
    for (const item of payload.items) {
      const elsewhere = this.#elsewhere(item);
      if (elsewhere !== undefined) questions.push({ item, index: elsewhere });
    }
    if (questions.length === 0) return { payload, duplicates: 0 };
    const stored = new Set<BulkItem>();
    for (let from = 0; from < questions.length; from += IDS_MAX) {
      const asked = questions.slice(from, from + IDS_MAX);
      const found = await this.#find(asked, signal);
      for (const [at, { item }] of asked.entries()) if (found[at] === true) stored.add(item);
    }
    const rest = payload.items.filter((item) => !stored.has(item));
    return { payload: selectItems(payload, rest), duplicates: stored.size };
  }

  /** Takes notice of an event that goes to the index of future events. */
  addFuture(timeMs: number): void {
    const { minMs, maxMs } = this.#future ?? { minMs: timeMs, maxMs: timeMs };
    this.#future = { minMs: Math.min(minMs, timeMs), maxMs: Math.max(maxMs, timeMs) };
  }

  #mayHaveBeenFuture({ minMs, maxMs }: TimeSpanMs): boolean {
    return this.#future !== undefined && maxMs >= this.#future.minMs && minMs <= this.#future.maxMs;
  }

  /** The other index in which the document may stand. */
  #elsewhere({ usualIndex, index, timeMs }: BulkItem): string | undefined {
    if (usualIndex !== undefined) return usualIndex;
    if (this.#future === undefined || index === this.#options.futureIndex) return undefined;
    const { minMs, maxMs } = this.#future;
    return timeMs >= minMs && timeMs <= maxMs ? this.#options.futureIndex : undefined;
  }

  /** Tells of each document whether it stands there; read by id, so also what no search finds yet. */
  async #find(
    asked: readonly { readonly item: BulkItem; readonly index: string }[],
    signal: AbortSignal,
  ): Promise<boolean[]> {
    const docs = asked.map(({ item, index }) => ({ _index: index, _id: item.id, _source: false }));
    const answer = (await this.#options.client.json({
      method: 'POST',
      path: '/_mget',
      query: { filter_path: 'docs.found,docs._id' },
      body: JSON.stringify({ docs }),
      signal,
      purpose: 'look for late events that are stored already',
    })) as { docs?: readonly { found?: boolean }[] };
    return asked.map((_, at) => answer.docs?.[at]?.found === true);
  }

  async #refreshFuture(signal: AbortSignal): Promise<void> {
    const nowMs = this.#options.monotonicMs();
    if (nowMs - this.#askedMs < RANGE_MS_MAX) return;
    const times = { min: { min: { field: '@timestamp' } }, max: { max: { field: '@timestamp' } } };
    const answer = (await this.#options.client.json({
      method: 'POST',
      path: `/${encodeURIComponent(this.#options.futureIndex)}/_search`,
      query: { ignore_unavailable: true, allow_no_indices: true, filter_path: 'aggregations' },
      body: JSON.stringify({ size: 0, aggs: times }),
      signal,
      purpose: 'look for events of the future',
    })) as { aggregations?: Readonly<Record<'min' | 'max', { value: number | null }>> };
    this.#askedMs = nowMs;
    const { min, max } = answer.aggregations ?? {};
    // Aggregations count in whole milliseconds, rounded.
    if (typeof min?.value === 'number') this.addFuture(min.value - 1);
    if (typeof max?.value === 'number') this.addFuture(max.value + 1);
  }
}
