/**
 * The lines that make what stands before them in a journal count: see docs/formats/journal.md.
 *
 *   {"commit":{…},"crc":"xxxxxxxx"}\n
 *
 * The checksum covers the documents since the commit line before and this line up to `,"crc"`. What the engine must
 * know of the documents (types, resources, hours) and what must become durable with them (watermarks, what
 * pipelines dropped) stands in the same line, so that one write and one sync make one transaction.
 */
import type { Crc32 } from '../../base/crc32.ts';
import { parseKeepingDigits } from '../../base/exact-json.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import type { Resource } from './segment-engine.ts';

/** The member of a journal's documents that stands for what `resources` of a commit line tell once. */
export const RESOURCE_KEY = '$resource';

/** Members of compact documents: `log.level` and `log.offset`, from which and the resource follows `event.id`. */
export const LEVEL_KEY = '$level';
export const OFFSET_KEY = '$offset';

/** Next offset of each lane of a file. */
export type LaneOffsets = [number, number, number];

export interface Commit {
  /** Counts commits of the store, over all its journals. */
  readonly sequence: number;
  /** Documents since the commit before. */
  readonly rows: number;
  /** Their bytes. */
  readonly bytes: number;
  readonly watermarks: Readonly<Record<string, LaneOffsets>>;
  /** Offsets of records that pipelines dropped, by file id. */
  readonly dropped: Readonly<Record<string, readonly number[]>>;
  /** Documents by namespace. */
  readonly namespaces: Readonly<Record<string, number>>;
  /** Resources that this journal did not have before, by id. */
  readonly resources: Readonly<Record<string, Resource>>;
  /** Types that this journal did not have before. */
  readonly types: EncodedTypes;
  /** First and last second of the documents' times; undefined without documents. */
  readonly seconds: readonly [number, number] | undefined;
  /** `YYYY-MM-DDTHH` that this journal did not have before. */
  readonly hours: readonly string[];
  readonly documentBytesMax: number;
  readonly hasWholeDocuments: boolean;
  readonly hasOddTimes: boolean;
  /** Whether all documents are compact. */
  readonly isCompact: boolean;
}

/** Field types as JSON: bits, and the members where there were some. */
export interface EncodedTypes {
  readonly [key: string]: readonly [number] | readonly [number, EncodedTypes];
}

const HEAD = '{"commit":';
const CRC_KEY = ',"crc":"';
/** `,"crc":"xxxxxxxx"}` and the newline. */
const CRC_BYTES = CRC_KEY.length + 8 + 3;
const encoder = new TextEncoder();
const HEAD_BYTES = encoder.encode(HEAD);

/** Returns the line that commits the documents in `data`. */
export function encodeCommit(commit: Commit, data: Uint8Array, crc32: Crc32): Uint8Array {
  const body = encoder.encode(HEAD + JSON.stringify(commit));
  const checksum = crc32(body, crc32(data)).toString(16).padStart(8, '0');
  const tail = encoder.encode(`${CRC_KEY}${checksum}"}\n`);
  const line = new Uint8Array(body.length + tail.length);
  line.set(body, 0);
  line.set(tail, body.length);
  return line;
}

export interface JournalContent {
  readonly commits: readonly Commit[];
  /** Everything below is committed. */
  readonly soundBytes: number;
  /** Whether commit lines follow behind what is sound: damage, where a torn write would only leave documents. */
  readonly isDamaged: boolean;
}

/** Reads the commits of a journal, up to the first that does not hold. */
export function readCommits(bytes: Uint8Array, crc32: Crc32): JournalContent {
  const commits: Commit[] = [];
  let soundBytes = 0;
  let isDamaged = false;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (startsWithHead(bytes, start)) {
      const commit = newline < 0 ? undefined : readCommit(bytes, { soundBytes, start, end }, crc32);
      if (commit !== undefined && !isDamaged) {
        commits.push(commit);
        soundBytes = end;
      } else if (newline >= 0 && looksLikeCommit(bytes, start, end)) isDamaged = true;
    }
    start = end;
  }
  return { commits, soundBytes, isDamaged };
}

function readCommit(
  bytes: Uint8Array,
  { soundBytes, start, end }: { soundBytes: number; start: number; end: number },
  crc32: Crc32,
): Commit | undefined {
  const bodyEnd = end - CRC_BYTES;
  if (bodyEnd <= start) return undefined;
  const stated = decode(bytes, bodyEnd + CRC_KEY.length, bodyEnd + CRC_KEY.length + 8);
  const actual = crc32(bytes.subarray(soundBytes, bodyEnd)).toString(16).padStart(8, '0');
  if (stated !== actual) return undefined;
  return parseKeepingDigits(decode(bytes, start + HEAD.length, bodyEnd)) as Commit;
}

function startsWithHead(bytes: Uint8Array, start: number): boolean {
  return HEAD_BYTES.every((byte, index) => bytes[start + index] === byte);
}

/** A document of another shipper may begin like a commit line; only a commit ends like one. */
function looksLikeCommit(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - CRC_BYTES <= start) return false;
  return decode(bytes, end - CRC_BYTES, end - CRC_BYTES + CRC_KEY.length) === CRC_KEY;
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}

/** Returns types as JSON. */
export function encodeTypes(types: FieldTypes): EncodedTypes {
  const encoded: Record<string, readonly [number] | readonly [number, EncodedTypes]> = {};
  for (const [key, node] of types) {
    defineMember(
      encoded,
      key,
      node.children === undefined ? [node.types] : [node.types, encodeTypes(node.children)],
    );
  }
  return encoded;
}

/** Returns types from JSON. */
export function decodeTypes(encoded: EncodedTypes): FieldTypes {
  const types: FieldTypes = new Map();
  for (const key of Object.keys(encoded)) {
    const [bits, children] = encoded[key] ?? [0];
    types.set(key, { types: bits, children: children === undefined ? undefined : decodeTypes(children) });
  }
  return types;
}

/** Adds `from` to `into`, and returns what was new to it. */
export function addNewTypes(into: FieldTypes, from: FieldTypes): FieldTypes {
  const added: FieldTypes = new Map();
  for (const [key, node] of from) {
    let target = into.get(key);
    const isNew = target === undefined;
    target ??= { types: 0, children: undefined };
    if (isNew) into.set(key, target);
    const bits = node.types & ~target.types;
    target.types |= node.types;
    const children =
      node.children === undefined ? undefined : addNewTypes((target.children ??= new Map()), node.children);
    const hasChildren = children !== undefined && (children.size > 0 || isNew);
    if (isNew || bits !== 0 || hasChildren)
      added.set(key, { types: bits, children: hasChildren ? children : undefined });
  }
  return added;
}

/** A key such as `__proto__` must become a member like any other. */
function defineMember<T>(target: Record<string, T>, key: string, value: T): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}
