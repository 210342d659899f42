/**
 * Turns batches of documents into the bytes of a journal: skips what is there already, and replaces what all
 * documents of a file have in common (`kubernetes`, `host`, …) by the number of a resource, which is told once per
 * journal in a commit line. That leaves a third of the bytes to be written, synced and parsed again.
 *
 * Three forms (docs/formats/journal.md): compact documents fit a template that one before them of the same file and
 * lane taught; others at least end with the bytes that one before them ended with; of all others the members are
 * found one by one.
 */
import type { Crc32 } from '../../base/crc32.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import { addFieldTypes, mergeFieldTypes } from '../../record/field-types.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { Commit, LaneOffsets } from './commit-line.ts';
import { LEVEL_KEY, OFFSET_KEY, addNewTypes, encodeCommit, encodeTypes } from './commit-line.ts';
import { emptyGroup } from './commit-group.ts';
import type { JournalRun } from './segment-engine.ts';
import type { CompactSpans } from '../compact-document.ts';
import { fitsTemplate } from '../compact-document.ts';
import { decodeText, parseJson, parseObject } from './document-json.ts';
import { scanMembers } from '../document-scan.ts';
import type { MemberSpan } from '../document-scan.ts';
import { DocumentTimes } from './document-times.ts';
import type { KnownFile, KnownResource, Place } from './known-resources.ts';
import { RESOURCE_KEYS } from '../../record/document-layout.ts';
import { KNOWN_KEYS, KnownResources, namespaceOf, resourceRun } from './known-resources.ts';
import { fromJournalKey, withJournalKeys } from './own-keys.ts';
import { IDENTITY_KEYS, withOwnIdentity } from './own-identity.ts';
import type { Watermarks } from './watermarks.ts';

const COMPACT_LEVEL = Buffer.from(`,"${LEVEL_KEY.slice(0, 1)}`);
const COMPACT_OFFSET = Buffer.from(`,"${OFFSET_KEY}":`);

export interface EncodedGroup {
  /** Documents and their commit line: borrowed until the next group begins. */
  readonly bytes: Uint8Array;
  readonly commit: Commit;
  /** Where its documents stand, counted from its beginning. */
  readonly runs: readonly JournalRun[];
}

export interface EncodedCounts {
  readonly appended: number;
  readonly duplicates: number;
}

/** What the journal that is being written has heard of already. */
interface Told {
  readonly types: FieldTypes;
  readonly resources: Set<number>;
}

export class BatchEncoder {
  readonly #watermarks: Watermarks;
  readonly #crc32: Crc32;
  readonly #buffer = new ByteBuffer();
  readonly #known: KnownResources;
  readonly #times = new DocumentTimes();
  #told: Told = { types: new Map(), resources: new Set() };
  #group = emptyGroup();
  readonly #spans: CompactSpans = { keptEnd: 0, levelStart: 0, levelEnd: 0, offsetStart: 0, offsetEnd: 0 };
  /** The resource that the last documents had, and how many they are. */
  readonly #counted: { known: KnownResource | undefined; rows: number } = { known: undefined, rows: 0 };

  constructor(watermarks: Watermarks, crc32: Crc32, nextResourceId: number) {
    this.#watermarks = watermarks;
    this.#crc32 = crc32;
    this.#known = new KnownResources(nextResourceId);
  }

  /** Bytes of the group so far. */
  get bytes(): number {
    return this.#buffer.length;
  }

  /** Begins a journal, which has heard of nothing. */
  beginJournal(): void {
    this.#told = { types: new Map(), resources: new Set() };
    this.#times.beginJournal();
    this.#known.beginJournal();
  }

  beginGroup(): void {
    this.#buffer.clear();
    this.#group = emptyGroup();
  }

  /** Adds the records of a batch that are not there yet. */
  add(given: DocumentBatch): EncodedCounts {
    const batch = withJournalKeys(given);
    const before = this.#watermarks.get(batch.fileId);
    const next: LaneOffsets = [before[0], before[1], before[2]];
    const body = Buffer.from(batch.body.buffer, batch.body.byteOffset, batch.body.length);
    let appended = 0;
    const runStart = this.#buffer.length;
    this.#known.beginBatch();
    const file = this.#known.fileOf(batch.fileId);
    for (let index = 0; index < batch.count; index += 1) {
      const lane = batch.lanes[index] as 0 | 1 | 2;
      const offset = batch.offsets[index] as number;
      if (offset < next[lane]) continue;
      next[lane] = offset + 1;
      const start = index === 0 ? 0 : (batch.ends[index - 1] as number);
      this.#addDocument(batch.fileId, file, { body, start, end: batch.ends[index] as number, lane, offset });
      appended += 1;
    }
    const dropped = this.#addDropped(batch, before, next);
    if (appended > 0) {
      this.#mergeTypes(batch.fieldTypes);
      const bytes = this.#buffer.length - runStart;
      this.#group.runs.push({ fileId: batch.fileId, rows: appended, start: runStart, bytes });
    }
    if (appended + dropped > 0) {
      this.#watermarks.set(batch.fileId, next);
      this.#group.watermarks[batch.fileId] = next;
    }
    return { appended, duplicates: batch.count - appended };
  }

  /** Ends the group with its commit line. */
  finish(sequence: number): EncodedGroup {
    this.#flushCount();
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
      isCompact: group.isCompact,
    };
    this.#buffer.append(encodeCommit(commit, this.#buffer.bytes, this.#crc32));
    return { bytes: this.#buffer.bytes, commit, runs: group.runs };
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

  #addDocument(fileId: string, file: KnownFile, place: Place): void {
    const { body, start, end } = place;
    const group = this.#group;
    const length = end - start;
    if (length > group.documentBytesMax) group.documentBytesMax = length;
    group.rows += 1;
    this.#times.add(group, place);
    if (file.isForeign === true && this.#addForeign(fileId, place)) return;
    if (this.#addCompactly(file, place)) return;
    const { run } = file;
    if (run === undefined || file.lessonsLeft > 0 || !endsWithBlock(place, run.block)) {
      file.lessonsLeft -= 1;
      return this.#addSlowly(fileId, file, place);
    }
    group.isCompact = false;
    this.#buffer.appendRange(body, start, end - 2 - run.block.length);
    this.#buffer.append(run.mark);
    this.#countResource(run);
  }

  /** Returns false when the document fits no template. */
  #addCompactly({ templates }: KnownFile, place: Place): boolean {
    const spans = this.#spans;
    for (const { template, known } of templates[place.lane]) {
      if (!fitsTemplate(template, place, place.offset, spans)) continue;
      const { body, start } = place;
      this.#buffer.appendRange(body, start, spans.keptEnd);
      if (spans.levelEnd > 0) {
        this.#buffer.append(COMPACT_LEVEL);
        this.#buffer.appendRange(body, spans.levelStart, spans.levelEnd);
      }
      this.#buffer.append(COMPACT_OFFSET);
      this.#buffer.appendRange(body, spans.offsetStart, spans.offsetEnd);
      this.#buffer.append(known.mark);
      this.#countResource(known);
      return true;
    }
    return false;
  }

  #countResource(known: KnownResource): void {
    const counted = this.#counted;
    if (counted.known !== known) {
      this.#flushCount();
      counted.known = known;
    }
    counted.rows += 1;
  }

  /** Counts the documents of one resource at once. */
  #flushCount(): void {
    const { known, rows } = this.#counted;
    if (known === undefined) return;
    this.#counted.known = undefined;
    this.#counted.rows = 0;
    if (known.namespace !== undefined) this.#countNamespace(known.namespace, rows);
    if (this.#told.resources.has(known.id)) return;
    this.#told.resources.add(known.id);
    this.#group.resources[String(known.id)] = known.resource;
  }

  #countNamespace(namespace: string, rows: number): void {
    const { namespaces } = this.#group;
    namespaces.set(namespace, (namespaces.get(namespace) ?? 0) + rows);
  }

  /** Adds a document that does not say who it is; false when it does. */
  #addForeign(fileId: string, place: Place): boolean {
    const own = withOwnIdentity(place, { fileId, offset: place.offset });
    if (own === undefined) return false;
    const { bytes, moved } = own;
    const group = this.#group;
    group.documentBytesMax = Math.max(group.documentBytesMax, bytes.length);
    const members = scanMembers(bytes, 0, bytes.length - 1);
    if (members !== undefined) this.#addUnknownTypes(bytes, members);
    for (const [key, value] of Object.entries(moved)) addFieldTypes(group.types, key, value);
    this.#addWhole({ ...place, body: bytes, start: 0, end: bytes.length }, members);
    return true;
  }

  #addSlowly(fileId: string, file: KnownFile, place: Place): void {
    // All documents of a file are of one kind: the first one tells.
    file.isForeign ??= withOwnIdentity(place, { fileId, offset: place.offset }) !== undefined;
    if (file.isForeign && this.#addForeign(fileId, place)) return;
    const { body, start, end } = place;
    const members = scanMembers(body, start, end - 1);
    if (members === undefined) return this.#addWhole(place, undefined);
    this.#addUnknownTypes(body, members);
    if (this.#known.learnTemplate(fileId, file, place, members) && this.#addCompactly(file, place)) return;
    this.#group.isCompact = false;
    const run = resourceRun(members);
    const known = run === undefined ? undefined : this.#known.learnRun(fileId, file, body, run);
    if (run === undefined || known === undefined) return this.#addWhole(place, members);
    this.#buffer.appendRange(body, start, run.start);
    this.#buffer.appendRange(body, run.end, end - 2);
    this.#buffer.append(known.mark);
    this.#countResource(known);
  }

  /** Keeps a document as it is. */
  #addWhole({ body, start, end }: Place, members: readonly MemberSpan[] | undefined): void {
    this.#group.hasWholeDocuments = true;
    this.#group.isCompact = false;
    const document = parseObject(body, start, end);
    const namespace = document === undefined ? undefined : namespaceOf(document);
    const { types } = this.#group;
    if (namespace !== undefined) this.#countNamespace(namespace, 1);
    for (const key of Object.keys(document ?? {})) {
      if (RESOURCE_KEYS.has(key) || (members === undefined && !KNOWN_KEYS.has(key))) {
        addFieldTypes(types, fromJournalKey(key), document?.[key]);
      }
    }
    this.#buffer.appendRange(body, start, end);
  }

  /** Members that neither the agent nor a pipeline is known to write. */
  #addUnknownTypes(body: Uint8Array, members: readonly MemberSpan[]): void {
    for (const { key, valueStart, end } of members) {
      if (KNOWN_KEYS.has(key) || RESOURCE_KEYS.has(key)) continue;
      const value = parseJson(decodeText(body, valueStart, end));
      addFieldTypes(this.#group.types, fromJournalKey(key), value);
    }
  }

  #mergeTypes(types: FieldTypes): void {
    mergeFieldTypes(this.#group.types, addNewTypes(this.#told.types, withObjects(types)));
  }
}

/** Returns types in which members that are objects in every stored document are nothing else (`own-identity.ts`). */
function withObjects(types: FieldTypes): FieldTypes {
  if (IDENTITY_KEYS.every((key) => (types.get(key)?.types ?? 0) === 0)) return types;
  const changed = new Map(types);
  for (const key of IDENTITY_KEYS) {
    const children = types.get(key)?.children;
    if (children === undefined) changed.delete(key);
    else changed.set(key, { types: 0, children });
  }
  return changed;
}

/**
 * Whether the document ends with the block and its closing brace. Blocks are whole members, so equal bytes at the
 * end can only be the same members of the document itself, never of an object in it.
 */
function endsWithBlock({ body, start, end }: Place, block: Uint8Array): boolean {
  const from = end - 2 - block.length;
  return from > start && body.compare(block, 0, block.length, from, end - 2) === 0;
}
