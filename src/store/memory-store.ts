/**
 * A store in memory, for tests and scenarios: what every other store must answer, in the shortest form.
 *
 * Invariants: a record below the watermark of its lane is a duplicate (G4), whether it was stored or dropped by a
 * pipeline; `#records` is sorted by (time, file id, offset) whenever `#isSorted`.
 */
import { parseTimestamp } from '../record/timestamp.ts';
import { isHeartbeat, type HeartbeatRecord } from '../record/heartbeat.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import { LANE_COUNT } from '../record/lane.ts';
import type { DeadLetterError } from '../record/dead-letter.ts';
import { parseEventId } from '../record/identity.ts';
import { isInRanges, possibleLossRanges } from '../record/possible-loss.ts';
import type { DocumentBatch } from '../record/record-batch.ts';
import type { JsonObject } from '../query/match.ts';
import { compileMatcher, firstTextAt } from '../query/match.ts';
import type { Query } from '../query/ast.ts';
import type {
  AppendResult,
  ExportRequest,
  FileAudit,
  HistogramBucket,
  HistogramRequest,
  RejectedDocument,
  SearchPage,
  SearchRequest,
  SortKey,
  Store,
  StoreStats,
  TimeRange,
} from './store.ts';

interface StoredRecord extends SortKey {
  readonly text: string;
  readonly document: JsonObject;
}

interface RecordPlace {
  readonly fileId: string;
  readonly offset: number;
}

interface FileState {
  /** By lane: the offset that the next record has at least. */
  readonly watermarks: number[];
  readonly dropped: { readonly offset: number }[];
  ledger: LedgerRecord | undefined;
}

/** Values of a histogram's `by` that are counted by themselves. */
const VALUES_MAX = 20;

const TWO_TO_64 = 1n << 64n;

export class MemoryStore implements Store {
  #records: StoredRecord[] = [];
  #isSorted = true;
  readonly #files = new Map<string, FileState>();
  readonly #decoder = new TextDecoder();
  /** Set by tests: why the store takes no records. */
  problemText: string | undefined;

  /** Set by tests: documents that are refused, with why. Asked of a document each time that it is appended. */
  rejects: ((document: JsonObject) => DeadLetterError | undefined) | undefined;

  append(batches: readonly DocumentBatch[], _signal: AbortSignal): Promise<AppendResult> {
    let appended = 0;
    let duplicates = 0;
    const rejected: RejectedDocument[] = [];
    for (const [batchIndex, batch] of batches.entries()) {
      const before = rejected.length;
      const taken = this.#appendBatch(batch, batchIndex, rejected);
      appended += taken;
      duplicates += batch.count - taken - (rejected.length - before);
    }
    return Promise.resolve({ appended, duplicates, rejected });
  }

  appendLedger(records: readonly LedgerRecord[], _signal: AbortSignal): Promise<void> {
    for (const record of records) {
      const file = this.#file(record.fileId);
      if (file.ledger === undefined || file.ledger.sequence < record.sequence) file.ledger = record;
    }
    return Promise.resolve();
  }

  search({ query, range, order, limit, after }: SearchRequest, signal: AbortSignal): Promise<SearchPage> {
    signal.throwIfAborted();
    const direction = order === 'asc' ? 1 : -1;
    const found = this.#matches(query, range);
    if (order === 'desc') found.reverse();
    const rest =
      after === undefined ? found : found.filter((record) => compareKeys(record, after) * direction > 0);
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    const next = rest.length > page.length && last !== undefined ? keyOf(last) : undefined;
    return Promise.resolve({ documents: page.map(({ text }) => text), next });
  }

  async *export({ query, range }: ExportRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const encoder = new TextEncoder();
    for (const { text } of this.#matches(query, range)) {
      signal.throwIfAborted();
      yield await Promise.resolve(encoder.encode(`${text}\n`));
    }
  }

  histogram(
    { query, range, bucketCount, by }: HistogramRequest,
    _signal: AbortSignal,
  ): Promise<HistogramBucket[]> {
    const lengthNs = range.endNs - range.startNs;
    const widthNs = (lengthNs + BigInt(bucketCount) - 1n) / BigInt(bucketCount);
    const buckets = Array.from({ length: bucketCount }, (_, index) => ({
      startNs: range.startNs + BigInt(index) * widthNs,
      count: 0,
      by: by === undefined ? undefined : new Map<string, number>(),
    }));
    const records = this.#matches(query, range);
    const named = by === undefined ? undefined : frequentValues(records, by);
    for (const record of records) {
      const bucket = buckets[Number((record.timeNs - range.startNs) / widthNs)];
      if (bucket === undefined) continue;
      bucket.count += 1;
      const value = by === undefined ? undefined : firstTextAt(record.document, by);
      if (value === undefined) continue;
      const name = named?.has(value) === true ? value : 'other';
      bucket.by?.set(name, (bucket.by.get(name) ?? 0) + 1);
    }
    const inRange = buckets.filter(({ startNs }) => startNs < range.endNs);
    return Promise.resolve(
      inRange.map((bucket) => ({
        ...bucket,
        by: bucket.by === undefined ? undefined : Object.fromEntries(bucket.by),
      })),
    );
  }

  stats(_signal: AbortSignal): Promise<StoreStats> {
    const records = this.#sorted();
    const namespaces = new Map<string, number>();
    for (const { document } of records) {
      const namespace = firstTextAt(document, ['kubernetes.namespace']) ?? '';
      namespaces.set(namespace, (namespaces.get(namespace) ?? 0) + 1);
    }
    return Promise.resolve({
      records: records.length,
      bytesOnDisk: 0,
      oldestNs: records[0]?.timeNs,
      newestNs: records.at(-1)?.timeNs,
      namespaces: [...namespaces].map(([namespace, count]) => ({ namespace, records: count })),
      quarantined: [],
    });
  }

  async *audit(_signal: AbortSignal): AsyncIterable<FileAudit> {
    for (const [fileId, { ledger, dropped }] of this.#files) {
      const end = ledger?.acknowledgedOffset ?? Infinity;
      const stored = this.#records.filter((record) => record.fileId === fileId);
      const offsets = [...stored, ...dropped].map(({ offset }) => offset).filter((offset) => offset < end);
      const distinct = new Set(offsets);
      const sum = sumOf([...distinct]);
      const ranges = ledger === undefined ? [] : possibleLossRanges(ledger);
      const unsure = [...distinct].filter((offset) => isInRanges(ranges, offset));
      yield await Promise.resolve({
        fileId,
        ledger,
        found: offsets.length,
        twice: offsets.length - distinct.size,
        offsetSum: sum,
        droppedByPipeline: dropped.filter(({ offset }) => offset < end).length,
        expired: 0,
        ...(unsure.length === 0
          ? {}
          : { inPossibleLoss: { count: unsure.length, offsetSum: sumOf(unsure) } }),
      });
    }
  }

  agents(_signal: AbortSignal): Promise<readonly HeartbeatRecord[]> {
    const records = [...this.#files.values()].flatMap(({ ledger }) => ledger ?? []);
    return Promise.resolve(records.filter(isHeartbeat));
  }

  problem(): string | undefined {
    return this.problemText;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Removes records as a bug would, for tests of the audit. */
  lose(isLost: (key: SortKey) => boolean): void {
    this.#records = this.#records.filter((record) => !isLost(record));
  }

  /** Stores records a second time as a bug would, for tests of the audit. */
  duplicate(isTwice: (key: SortKey) => boolean): void {
    this.#records.push(...this.#records.filter(isTwice));
    this.#isSorted = false;
  }

  #appendBatch(batch: DocumentBatch, batchIndex: number, rejected: RejectedDocument[]): number {
    const { watermarks, dropped } = this.#file(batch.fileId);
    const before = [...watermarks];
    const isNew = (lane: number, offset: number): boolean => offset >= (before[lane] ?? 0);
    const advance = (lane: number, offset: number): void => {
      watermarks[lane] = Math.max(watermarks[lane] ?? 0, offset + 1);
    };
    let appended = 0;
    for (let index = 0, start = 0; index < batch.count; index += 1) {
      const end = batch.ends[index] ?? start;
      const lane = batch.lanes[index] ?? 0;
      const offset = batch.offsets[index] ?? 0;
      const text = this.#decoder.decode(batch.body.subarray(start, end - 1));
      const error = this.rejects?.(JSON.parse(text) as JsonObject);
      if (error !== undefined) {
        rejected.push({ batchIndex, documentIndex: index, index: 'memory', error });
      } else if (isNew(lane, offset)) {
        this.#insert({ fileId: batch.fileId, offset }, text);
        appended += 1;
      }
      advance(lane, offset);
      start = end;
    }
    for (const { lane, offset } of batch.dropped) {
      if (isNew(lane, offset)) dropped.push({ offset });
      advance(lane, offset);
    }
    return appended;
  }

  /** A replayed record comes in a batch of its own, and is known by the id in its document. */
  #insert(batch: RecordPlace, text: string): void {
    const document = JSON.parse(text) as JsonObject;
    const timeNs = parseTimestamp(String(document['@timestamp'])) ?? 0n;
    const { fileId, offset } = parseEventId(firstTextAt(document, ['event.id']) ?? '') ?? batch;
    this.#records.push({ timeNs, fileId, offset, text, document });
    this.#isSorted = false;
  }

  #file(fileId: string): FileState {
    let file = this.#files.get(fileId);
    if (file === undefined) {
      file = { watermarks: Array.from({ length: LANE_COUNT }, () => 0), dropped: [], ledger: undefined };
      this.#files.set(fileId, file);
    }
    return file;
  }

  #sorted(): readonly StoredRecord[] {
    if (!this.#isSorted) this.#records.sort(compareKeys);
    this.#isSorted = true;
    return this.#records;
  }

  #matches(query: Query, { startNs, endNs }: TimeRange): StoredRecord[] {
    const matches = compileMatcher(query);
    return this.#sorted().filter(
      ({ timeNs, document }) => timeNs >= startNs && timeNs < endNs && matches(document),
    );
  }
}

function keyOf({ timeNs, fileId, offset }: SortKey): SortKey {
  return { timeNs, fileId, offset };
}

function sumOf(offsets: readonly number[]): string {
  return (offsets.reduce((total, offset) => total + BigInt(offset), 0n) % TWO_TO_64).toString();
}

function compareKeys(left: SortKey, right: SortKey): number {
  if (left.timeNs !== right.timeNs) return left.timeNs < right.timeNs ? -1 : 1;
  if (left.fileId !== right.fileId) return left.fileId < right.fileId ? -1 : 1;
  return left.offset - right.offset;
}

function frequentValues(records: readonly StoredRecord[], paths: readonly string[]): Set<string> {
  const counts = new Map<string, number>();
  for (const { document } of records) {
    const value = firstTextAt(document, paths);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const ranked = [...counts].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
  return new Set(ranked.slice(0, VALUES_MAX).map(([value]) => value));
}
