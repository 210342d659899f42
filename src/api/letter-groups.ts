/**
 * Which dead letters are one error: those of one type and index whose reasons have the same shape. The shape of a
 * reason is what is left of it without what is different in each document: ids, numbers, values. Names of fields
 * stay, because they are what a person has to mend.
 */
import { createHash } from 'node:crypto';
import type { DeadLetter } from '../record/dead-letter.ts';

/** What the letters of a group have in common. */
export interface LetterKind {
  /** Hexadecimal digits; the same in every process. */
  readonly id: string;
  readonly type: string;
  /** Null where a document was given up before its index was known. */
  readonly index: string | null;
  /** Shape of the reason. */
  readonly reason: string;
}

/** Digits of a group's id; a letter's id is longer and has a dash in it. */
const GROUP_ID_LENGTH = 10;

/** Characters of a reason that are looked at, and of its shape: what comes later is the document's. */
const REASON_LENGTH_MAX = 1_000;
const SHAPE_LENGTH_MAX = 300;

/**
 * What is replaced, in this order. Quotes open after and close before what is no letter, because of apostrophes; one
 * that was cut off reaches to the end. What follows an equals sign in quotes is a field's name.
 */
const VARIABLE_PARTS: readonly (readonly [RegExp, string])[] = [
  [/\s+/g, ' '],
  [/\b(date field|value|input|string|prefix):? \[[^\]]*\]/gi, '$1 […]'],
  [/(?<!\w)'.*?(?:'(?!\w)|$)/g, '…'],
  [/(?<![\w=])".*?(?:"(?!\w)|$)/g, '…'],
  [/\b(?=[a-z-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]+)*\b/gi, '…'],
  [/(?<![\p{L}\p{N}_])\d+(?:[.,:T-]\d+)*Z?(?![\p{L}_])/gu, '#'],
];

/** Returns the shape of what a store said of a document. */
export function shapeOfReason(reason: string): string {
  let shape = reason.slice(0, REASON_LENGTH_MAX);
  for (const [pattern, replacement] of VARIABLE_PARTS) shape = shape.replaceAll(pattern, replacement);
  return shape.trim().slice(0, SHAPE_LENGTH_MAX);
}

/** Returns the group that a letter belongs to. */
export function kindOfLetter(letter: Pick<DeadLetter, 'error' | 'index'>): LetterKind {
  const { type } = letter.error;
  const index = letter.index ?? null;
  const reason = shapeOfReason(letter.error.reason);
  const text = JSON.stringify([type, index, reason]);
  const id = createHash('sha256').update(text).digest('hex').slice(0, GROUP_ID_LENGTH);
  return { id, type, index, reason };
}
