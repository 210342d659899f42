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
  readonly items: readonly BulkItem[];
}

const NEWLINE = 10;

/** Collects documents until a request is full. */
export class PayloadBuilder {
  #bytes: Buffer;
  #length = 0;
  #items: BulkItem[] = [];

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a document: `text` up to its closing brace, and `ending`, which closes it. */
  add(
    item: Omit<BulkItem, 'start' | 'end'>,
    action: string,
    text: Uint8Array,
    ending: string | Uint8Array,
  ): void {
    const start = this.#length;
    const endingBytes = typeof ending === 'string' ? Buffer.byteLength(ending) : ending.length;
    this.#reserve(action.length * 3 + text.length + endingBytes + 2);
    const bytes = this.#bytes;
    let at = start + bytes.write(action, start);
    bytes[at] = NEWLINE;
    at += 1;
    bytes.set(text, at);
    at += text.length;
    if (typeof ending === 'string') at += bytes.write(ending, at);
    else {
      bytes.set(ending, at);
      at += ending.length;
    }
    bytes[at] = NEWLINE;
    this.#length = at + 1;
    this.#items.push({ ...item, start, end: at + 1 });
  }

  /** Returns what was collected; the builder begins anew. */
  take(): BulkPayload {
    const payload = { bytes: this.#bytes.subarray(0, this.#length), items: this.#items };
    this.#bytes = Buffer.allocUnsafe(0);
    this.#length = 0;
    this.#items = [];
    return payload;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Returns a request of some of the documents of another one. */
export function selectItems(payload: BulkPayload, items: readonly BulkItem[]): BulkPayload {
  if (items.length === payload.items.length) return payload;
  const length = items.reduce((sum, item) => sum + item.end - item.start, 0);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  const selected = items.map((item) => {
    const start = at;
    bytes.set(payload.bytes.subarray(item.start, item.end), at);
    at += item.end - item.start;
    return { ...item, start, end: at };
  });
  return { bytes, items: selected };
}

/** Returns the two halves of a request of at least two documents. */
export function halves(payload: BulkPayload): readonly [BulkPayload, BulkPayload] {
  const middle = payload.items.length >> 1;
  return [
    selectItems(payload, payload.items.slice(0, middle)),
    selectItems(payload, payload.items.slice(middle)),
  ];
}
