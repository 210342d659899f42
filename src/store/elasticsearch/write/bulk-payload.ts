/** Bodies of bulk requests: which document stands where in them. */

/** One document of a request: its action line and itself, a newline behind each. */
export interface BulkItem {
  readonly batchIndex: number;
  readonly documentIndex: number;
  readonly index: string;
  readonly id: string;
  /** Milliseconds since the epoch of the event. */
  readonly timeMs: number;
  /** The index that it would have if it were not too late; it may stand there already. */
  readonly usualIndex: string | undefined;
  readonly start: number;
  readonly end: number;
}

export interface BulkPayload {
  readonly bytes: Uint8Array;
  /** How many documents there are. */
  readonly count: number;
  /** Of each document; made when they are asked for, which only trouble needs. */
  readonly items: readonly BulkItem[];
  /** Milliseconds since the epoch of the earliest and the latest event. */
  readonly timesMs: TimeSpanMs;
  /** Whether any document is too late or too early for the index of its day. */
  readonly hasOverflow: boolean;
}

export interface TimeSpanMs {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Returns a request whose documents are known one by one. `hasOverflow` says whether any is late or of the future. */
export function payloadOf(
  bytes: Uint8Array,
  items: readonly BulkItem[],
  hasOverflow: boolean = false,
): BulkPayload {
  let minMs = Infinity;
  let maxMs = -Infinity;
  for (const { timeMs } of items) {
    minMs = Math.min(minMs, timeMs);
    maxMs = Math.max(maxMs, timeMs);
  }
  return { bytes, count: items.length, items, timesMs: { minMs, maxMs }, hasOverflow };
}

/** Returns a request of some of the documents of another one. */
export function selectItems(payload: BulkPayload, items: readonly BulkItem[]): BulkPayload {
  if (items.length === payload.count) return payload;
  const length = items.reduce((sum, item) => sum + item.end - item.start, 0);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  const selected = items.map((item) => {
    const start = at;
    bytes.set(payload.bytes.subarray(item.start, item.end), at);
    at += item.end - item.start;
    return { ...item, start, end: at };
  });
  return payloadOf(bytes, selected, payload.hasOverflow);
}

/** Returns the two halves of a request of at least two documents. */
export function halves(payload: BulkPayload): readonly [BulkPayload, BulkPayload] {
  const middle = payload.count >> 1;
  return [
    selectItems(payload, payload.items.slice(0, middle)),
    selectItems(payload, payload.items.slice(middle)),
  ];
}
