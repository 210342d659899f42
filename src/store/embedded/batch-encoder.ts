/**
 * Turns batches of documents into the bytes of a journal: skips what is there already, and replaces what all
 * documents of a file have in common (`kubernetes`, `host`, …) by the number of a resource, which is told once per
 * journal in a commit line. That halves the bytes that are written, synced and parsed again.
 *
 * Fast path: the document ends with exactly the bytes that the one before it of the same file ended with. Slow
 * path: its members are found one by one.
 */
import type { Crc32 } from '../../base/crc32.ts';
import { must } from '../../base/assert.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import { addFieldTypes, mergeFieldTypes } from '../../record/field-types.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import { daysFromCivil, formatTimestamp, hasValidDateTime, readDigits } from '../../record/timestamp.ts';
import { TIMESTAMP_START } from '../../record/document-layout.ts';
import { parseTime } from '../../query/time-range.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { Commit, LaneOffsets } from './commit-line.ts';
import { RESOURCE_KEY, addNewTypes, encodeCommit, encodeTypes } from './commit-line.ts';
import { emptyGroup } from './commit-group.ts';
import { scanMembers } from './document-scan.ts';
import type { MemberSpan } from './document-scan.ts';
import type { Resource } from './segment-engine.ts';
import type { Watermarks } from './watermarks.ts';

/** Members that describe where a record comes from, the same for all records of a file for long stretches. */
const RESOURCE_KEYS: ReadonlySet<string> = new Set([
  'agent',
  'cloud',
  'cluster',
  'container',
  'ecs',
  'host',
  'input',
  'kubernetes',
  'labels',
  'orchestrator',
  'service',
]);

/** Members whose types are told by the batch or known beforehand. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  '@timestamp',
  'message',
  'stream',
  'log',
  'event',
  'fields',
]);

/** Resources kept at hand; beyond it they are forgotten and told anew. */
const RESOURCES_MAX = 10_000;

/** Documents of one batch that may bring a new resource each: more means that they have nothing in common. */
const RESOURCES_PER_BATCH_MAX = 16;

const SECONDS_PER_HOUR = 3600;

export interface EncodedGroup {
  /** Documents and their commit line: borrowed until the next group begins. */
  readonly bytes: Uint8Array;
  readonly commit: Commit;
}

interface KnownResource {
  readonly id: number;
  readonly resource: Resource;
  /** What stands in documents: `,"kubernetes":{…},…` */
  readonly block: Uint8Array;
  /** What stands in journals instead: `,"$resource":7}` and a newline. */
  readonly mark: Uint8Array;
}

export interface EncodedCounts {
  readonly appended: number;
  readonly duplicates: number;
}

interface Place {
  readonly body: Buffer;
  readonly start: number;
  /** One past the newline. */
  readonly end: number;
}

/** What the journal that is being written has heard of already. */
interface Told {
  readonly types: FieldTypes;
  readonly resources: Set<number>;
  readonly hours: Set<string>;
}

export class BatchEncoder {
  readonly #watermarks: Watermarks;
  readonly #crc32: Crc32;
  readonly #buffer = new ByteBuffer();
  readonly #text = new TextEncoder();
  #resourceByFile = new Map<string, KnownResource>();
  #resourceByBlock = new Map<string, KnownResource>();
  #nextResourceId: number;
  #told: Told = { types: new Map(), resources: new Set(), hours: new Set() };
  #group = emptyGroup();
  /** The hour that the last document was in: its 13 characters and its first second. */
  #hourText = new Uint8Array(13);
  #hourSeconds = 0;
  #newResources = 0;

  constructor(watermarks: Watermarks, crc32: Crc32, nextResourceId: number) {
    this.#watermarks = watermarks;
    this.#crc32 = crc32;
    this.#nextResourceId = nextResourceId;
  }

  /** Bytes of the group so far. */
  get bytes(): number {
    return this.#buffer.length;
  }

  /** Begins a journal, which has heard of nothing. */
  beginJournal(): void {
    this.#told = { types: new Map(), resources: new Set(), hours: new Set() };
    this.#hourText = new Uint8Array(13);
  }

  beginGroup(): void {
    this.#buffer.clear();
    this.#group = emptyGroup();
  }

  /** Adds the records of a batch that are not there yet. */
  add(batch: DocumentBatch): EncodedCounts {
    const before = this.#watermarks.get(batch.fileId);
    const next: LaneOffsets = [before[0], before[1], before[2]];
    const body = Buffer.from(batch.body.buffer, batch.body.byteOffset, batch.body.length);
    let appended = 0;
    this.#newResources = 0;
    for (let index = 0; index < batch.count; index += 1) {
      const lane = batch.lanes[index] as 0 | 1 | 2;
      const offset = batch.offsets[index] as number;
      if (offset < next[lane]) continue;
      next[lane] = offset + 1;
      const start = index === 0 ? 0 : (batch.ends[index - 1] as number);
      this.#addDocument(batch.fileId, { body, start, end: batch.ends[index] as number });
      appended += 1;
    }
    const dropped = this.#addDropped(batch, before, next);
    if (appended > 0) this.#mergeTypes(batch.fieldTypes);
    if (appended + dropped > 0) {
      this.#watermarks.set(batch.fileId, next);
      this.#group.watermarks[batch.fileId] = next;
    }
    return { appended, duplicates: batch.count - appended };
  }

  /** Ends the group with its commit line. */
  finish(sequence: number): EncodedGroup {
    const group = this.#group;
    const commit: Commit = {
      sequence,
      rows: group.rows,
      bytes: this.#buffer.length,
      watermarks: group.watermarks,
      dropped: group.dropped,
      namespaces: Object.fromEntries(group.namespaces),
      resources: group.resources,
      types: encodeTypes(group.types),
      seconds: group.rows === 0 ? undefined : [group.minSeconds, group.maxSeconds],
      hours: group.hours,
      documentBytesMax: group.documentBytesMax,
      hasWholeDocuments: group.hasWholeDocuments,
      hasOddTimes: group.hasOddTimes,
    };
    this.#buffer.append(encodeCommit(commit, this.#buffer.bytes, this.#crc32));
    return { bytes: this.#buffer.bytes, commit };
  }

  #addDropped(batch: DocumentBatch, before: LaneOffsets, next: LaneOffsets): number {
    let count = 0;
    for (const { lane, offset } of batch.dropped) {
      if (offset < before[lane]) continue;
      next[lane] = Math.max(next[lane], offset + 1);
      (this.#group.dropped[batch.fileId] ??= []).push(offset);
      count += 1;
    }
    return count;
  }

  #addDocument(fileId: string, place: Place): void {
    const { body, start, end } = place;
    const group = this.#group;
    const length = end - start;
    if (length > group.documentBytesMax) group.documentBytesMax = length;
    group.rows += 1;
    this.#addTime(place);
    const known = this.#resourceByFile.get(fileId);
    if (known === undefined || !endsWithBlock(place, known.block)) return this.#addSlowly(fileId, place);
    this.#buffer.appendRange(body, start, end - 2 - known.block.length);
    this.#buffer.append(known.mark);
    this.#countResource(known);
  }

  #countResource(known: KnownResource): void {
    const namespace = namespaceOf(known.resource.members);
    const { namespaces } = this.#group;
    if (namespace !== undefined) namespaces.set(namespace, (namespaces.get(namespace) ?? 0) + 1);
    if (this.#told.resources.has(known.id)) return;
    this.#told.resources.add(known.id);
    this.#group.resources[String(known.id)] = known.resource;
  }

  #addSlowly(fileId: string, place: Place): void {
    const { body, start, end } = place;
    const members = scanMembers(body, start, end - 1);
    if (members === undefined) return this.#addWhole(place, undefined);
    this.#addUnknownTypes(body, members);
    const run = resourceRun(members);
    const known = run === undefined ? undefined : this.#learn(fileId, body, run);
    if (run === undefined || known === undefined) return this.#addWhole(place, members);
    this.#buffer.appendRange(body, start, run.start);
    this.#buffer.appendRange(body, run.end, end - 2);
    this.#buffer.append(known.mark);
    this.#countResource(known);
  }

  /** Keeps a document as it is. */
  #addWhole({ body, start, end }: Place, members: readonly MemberSpan[] | undefined): void {
    this.#group.hasWholeDocuments = true;
    const document = parseObject(body, start, end);
    const namespace = document === undefined ? undefined : namespaceOf(document);
    const { namespaces, types } = this.#group;
    if (namespace !== undefined) namespaces.set(namespace, (namespaces.get(namespace) ?? 0) + 1);
    for (const key of Object.keys(document ?? {})) {
      if (RESOURCE_KEYS.has(key) || (members === undefined && !KNOWN_KEYS.has(key))) {
        addFieldTypes(types, key, document?.[key]);
      }
    }
    this.#buffer.appendRange(body, start, end);
  }

  /** Members that neither the agent nor a pipeline is known to write. */
  #addUnknownTypes(body: Uint8Array, members: readonly MemberSpan[]): void {
    for (const { key, valueStart, end } of members) {
      if (KNOWN_KEYS.has(key) || RESOURCE_KEYS.has(key)) continue;
      addFieldTypes(this.#group.types, key, parseJson(decode(body, valueStart, end)));
    }
  }

  #learn(fileId: string, body: Buffer, run: { start: number; end: number }): KnownResource | undefined {
    const text = decode(body, run.start, run.end);
    const key = `${fileId}${text}`;
    let known = this.#resourceByBlock.get(key);
    if (known === undefined) {
      if (this.#newResources >= RESOURCES_PER_BATCH_MAX) return undefined;
      if (this.#resourceByBlock.size >= RESOURCES_MAX) this.#forget();
      this.#newResources += 1;
      const id = this.#nextResourceId++;
      const members = parseJson(`{${text.slice(1)}}`) as Record<string, unknown> | undefined;
      if (members === undefined) return undefined;
      const mark = this.#text.encode(`,"${RESOURCE_KEY}":${id}}\n`);
      known = { id, resource: { fileId, members }, block: this.#text.encode(text), mark };
      this.#resourceByBlock.set(key, known);
    }
    this.#resourceByFile.set(fileId, known);
    return known;
  }

  #forget(): void {
    this.#resourceByFile = new Map();
    this.#resourceByBlock = new Map();
  }

  #mergeTypes(types: FieldTypes): void {
    mergeFieldTypes(this.#group.types, addNewTypes(this.#told.types, types));
  }

  #addTime(place: Place): void {
    const seconds = this.#secondsOf(place);
    const group = this.#group;
    if (seconds < group.minSeconds) group.minSeconds = seconds;
    if (seconds > group.maxSeconds) group.maxSeconds = seconds;
  }

  #secondsOf({ body, start, end }: Place): number {
    const at = start + TIMESTAMP_START;
    if (body[start + 2] !== 64 || body[at + 29] !== 90 || body[at + 30] !== 34)
      return this.#oddSeconds(body, start, end);
    if (!isSameHour(body, at, this.#hourText)) {
      if (!hasValidDateTime(body, at)) return this.#oddSeconds(body, start, end);
      const days = daysFromCivil(
        readDigits(body, at, 4),
        readDigits(body, at + 5, 2),
        readDigits(body, at + 8, 2),
      );
      this.#hourSeconds = days * 86_400 + readDigits(body, at + 11, 2) * SECONDS_PER_HOUR;
      this.#hourText = body.slice(at, at + 13);
      this.#addHour(this.#hourSeconds);
    }
    return this.#hourSeconds + readDigits(body, at + 14, 2) * 60 + readDigits(body, at + 17, 2);
  }

  #oddSeconds(body: Uint8Array, start: number, end: number): number {
    this.#group.hasOddTimes = true;
    const text = parseObject(body, start, end)?.['@timestamp'];
    const timeNs = typeof text === 'string' ? parseTime(text, 0n) : undefined;
    const seconds = Number((timeNs ?? 0n) / 1_000_000_000n);
    this.#addHour(Math.floor(seconds / SECONDS_PER_HOUR) * SECONDS_PER_HOUR);
    return seconds;
  }

  #addHour(hourSeconds: number): void {
    const hour = hourName(hourSeconds);
    if (this.#told.hours.has(hour)) return;
    this.#told.hours.add(hour);
    this.#group.hours.push(hour);
  }
}

/** Returns `YYYY-MM-DDTHH` of an hour's first second. */
export function hourName(hourSeconds: number): string {
  return formatTimestamp(BigInt(hourSeconds) * 1_000_000_000n).slice(0, 13);
}

/**
 * The longest run of members that describe a resource, with the comma before it. Undefined when there is none, or
 * when nothing stands before it.
 */
function resourceRun(members: readonly MemberSpan[]): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined;
  for (let first = 1; first < members.length; first += 1) {
    let last = first;
    while (last < members.length && RESOURCE_KEYS.has(must(members[last], 'member').key)) last += 1;
    if (last === first) continue;
    const run = {
      start: must(members[first], 'member').start - 1,
      end: must(members[last - 1], 'member').end,
    };
    if (best === undefined || run.end - run.start > best.end - best.start) best = run;
    first = last;
  }
  return best;
}

/**
 * Whether the document ends with the block and its closing brace. Blocks are whole members, so equal bytes at the
 * end can only be the same members of the document itself, never of an object in it.
 */
function endsWithBlock({ body, start, end }: Place, block: Uint8Array): boolean {
  const from = end - 2 - block.length;
  return from > start && body.compare(block, 0, block.length, from, end - 2) === 0;
}

function isSameHour(body: Uint8Array, at: number, hour: Uint8Array): boolean {
  for (let index = 12; index >= 0; index -= 1) if (body[at + index] !== hour[index]) return false;
  return true;
}

function namespaceOf(members: Readonly<Record<string, unknown>>): string | undefined {
  const kubernetes = members['kubernetes'];
  if (typeof kubernetes !== 'object' || kubernetes === null) return undefined;
  const { namespace } = kubernetes as { namespace?: unknown };
  return typeof namespace === 'string' ? namespace : undefined;
}

function parseObject(body: Uint8Array, start: number, end: number): Record<string, unknown> | undefined {
  const value = parseJson(decode(body, start, end));
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

/** Undefined for what is no JSON: sealing finds such documents and sets them aside. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}
