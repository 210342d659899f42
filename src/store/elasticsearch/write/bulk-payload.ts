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

/** Part of a buffer. */
export interface DocumentText {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

type MutableItem = { -readonly [Key in keyof BulkItem]: BulkItem[Key] };

const NEWLINE = 10;

const ACTION_END = Buffer.from('"}}\n');

/** Of one unit of a string. */
const UTF8_BYTES_MAX = 3;

/** Collects documents until a request is full. */
export class PayloadBuilder {
  #bytes: Buffer;
  #length = 0;
  #items: BulkItem[] = [];
  /** The index of the last document, and the beginning of its action line. */
  #index = '';
  #actionHead = Buffer.alloc(0);

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Adds a document, `text` and behind it `ending`, which closes it; where it stands is noted in `item`. The names of
   * indices and the ids of documents are ASCII without quotes.
   */
  add(item: MutableItem, { bytes: source, start: from, end: to }: DocumentText, ending: string): void {
    const { index, id } = item;
    if (index !== this.#index) {
      this.#index = index;
      this.#actionHead = Buffer.from(`{"create":{"_index":"${index}","_id":"`);
    }
    const head = this.#actionHead;
    const actionBytes = head.length + id.length + ACTION_END.length;
    this.#reserve(actionBytes + (to - from) + ending.length * UTF8_BYTES_MAX + 1);
    const bytes = this.#bytes;
    item.start = this.#length;
    bytes.set(head, this.#length);
    let at = this.#length + head.length;
    at += bytes.write(id, at, 'latin1');
    bytes.set(ACTION_END, at);
    at += ACTION_END.length;
    at += source.copy(bytes, at, from, to);
    at += bytes.write(ending, at);
    bytes[at] = NEWLINE;
    this.#length = at + 1;
    item.end = at + 1;
    this.#items.push(item);
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
