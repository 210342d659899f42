/**
 * Cursors: where a page ended, as base64url of `[version, now, time, file id, offset, digest]`.
 *
 * `now` is the moment that relative times meant on the first page: the pages after it search the same range. The
 * digest binds the cursor to query, range and order, so that one that is used elsewhere is refused instead of
 * skipping records in silence.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../base/errors.ts';
import type { SortKey } from '../store/store.ts';

export interface Cursor {
  readonly nowNs: bigint;
  readonly after: SortKey;
}

const VERSION = 1;
const CURSOR_LENGTH_MAX = 1_000;

/** Writes a cursor that is only good for the same `parameters`. */
export function encodeCursor({ nowNs, after }: Cursor, parameters: readonly string[]): string {
  const { timeNs, fileId, offset } = after;
  const fields = [VERSION, nowNs.toString(), timeNs.toString(), fileId, offset, digestOf(parameters)];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Reads a cursor. Throws `bad_request` when it is none, or was made for other parameters. */
export function decodeCursor(text: string, parameters: readonly string[]): Cursor {
  const [version, nowNs, timeNs, fileId, offset, digest] = readFields(text);
  if (version !== VERSION || typeof fileId !== 'string' || !isOffset(offset)) throw invalidCursor();
  if (!isInteger(nowNs) || !isInteger(timeNs)) throw invalidCursor();
  if (digest !== digestOf(parameters)) {
    throw new AppError('bad_request', 'cannot continue this search: the cursor belongs to another one', {
      hint: 'Send the cursor with the query, start, end and order that it came from.',
    });
  }
  return { nowNs: BigInt(nowNs), after: { timeNs: BigInt(timeNs), fileId, offset } };
}

function readFields(text: string): readonly unknown[] {
  if (text.length > CURSOR_LENGTH_MAX) throw invalidCursor();
  try {
    const fields: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(fields) ? (fields as unknown[]) : [];
  } catch {
    throw invalidCursor();
  }
}

function isInteger(value: unknown): value is string {
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value);
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function invalidCursor(): AppError {
  return new AppError('bad_request', 'cannot read the cursor', {
    hint: 'Leave it out to start at the first page.',
  });
}

function digestOf(parameters: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parameters)).digest('base64url').slice(0, 16);
}
