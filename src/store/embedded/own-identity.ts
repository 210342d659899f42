/**
 * Who a document is, for those that do not say: documents of other programs, which a broker brought. Journals and
 * segments find a record's file and offset in the document, as agents write them; others get them here, from where the
 * record stands in its batch. A replayed record keeps what its document says (`replayed-records.test.ts`).
 */
import { eventIdOf, parseEventId } from '../../record/identity.ts';
import type { DocumentPlace } from '../compact-document.ts';
import { parseObject } from './document-json.ts';

type Members = Readonly<Record<string, unknown>>;

/** Top-level members that say who a document is. */
export const IDENTITY_KEYS = ['log', 'event'] as const;

/** Where members stay whose place is taken. */
const ORIGINAL = 'original_';

/** A document that says who it is. */
export interface IdentifiedDocument {
  /** With the newline. */
  readonly bytes: Buffer;
  /** By object, members of it that moved aside, under their new names. */
  readonly moved: Readonly<Record<string, Members>>;
}

/**
 * Returns the document at a place with the identity of its record, its newline included; undefined when it says itself
 * who it is, or is no JSON object.
 */
export function withOwnIdentity(
  { body, start, end }: DocumentPlace,
  record: { readonly fileId: string; readonly offset: number },
): IdentifiedDocument | undefined {
  const given = parseObject(body, start, end);
  if (given === undefined || hasIdentity(given)) return undefined;
  const { fileId, offset } = record;
  const moved: Record<string, Members> = {};
  const withLog = withMember(given, 'log', { offset }, moved);
  const document = withMember(withLog, 'event', { id: eventIdOf(fileId, offset) }, moved);
  return { bytes: Buffer.from(`${JSON.stringify(document)}\n`), moved };
}

function hasIdentity({ event, log }: Members): boolean {
  if (!isObject(event) || !isObject(log)) return false;
  return (
    typeof event['id'] === 'string' && parseEventId(event['id']) !== undefined && isOffset(log['offset'])
  );
}

/** Puts members into an object of the document; what stood in their place moves aside, and is noted in `moved`. */
function withMember(document: Members, key: string, own: Members, moved: Record<string, Members>): Members {
  const { [key]: value, ...others } = document;
  if (value === undefined) return { ...document, [key]: own };
  if (!isObject(value)) return { ...others, [`${ORIGINAL}${key}`]: value, [key]: own };
  const aside: Record<string, unknown> = {};
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (Object.hasOwn(own, name)) aside[`${ORIGINAL}${name}`] = member;
    else kept[name] = member;
  }
  moved[key] = aside;
  return { ...document, [key]: { ...own, ...kept, ...aside } };
}

function isOffset(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
