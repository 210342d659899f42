/**
 * Decides what becomes of an object (a template, a policy) that the engine keeps for Logboom, from what stands there.
 *
 * `_meta` remembers two hashes: of what Logboom wanted, and of what the engine made of it, which it returns in a form of
 * its own. As long as the second one still fits what stands there, nobody has changed it since, and Logboom may.
 */
import { createHash } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

export interface ManagedMeta {
  readonly managed_by: 'logboom';
  /** Grows when Logboom itself changes what it wants. */
  readonly version: number;
  readonly wanted: string;
  readonly stored?: string;
}

export const MANAGED_VERSION = 1;

/** Why an object is left alone where nobody has changed it. */
export const NEWER = 'it is from a newer Logboom';

export type ForeignReason = typeof NEWER | 'it is not from Logboom' | 'it was changed since Logboom wrote it';

export type ManagedDecision =
  /** Create or update it, then seal it: write down what the engine made of it. */
  | { readonly kind: 'write' }
  /** It stands as wanted; only what the engine made of it is not written down yet. */
  | { readonly kind: 'seal' }
  | { readonly kind: 'keep' }
  /** Somebody else's, or changed by a person: it is left alone and reported. */
  | { readonly kind: 'foreign'; readonly reason: ForeignReason };

/** Decides about an object as the engine returns it; undefined when it is missing. */
export function decideManaged(stored: Json | undefined, wanted: Json): ManagedDecision {
  if (stored === undefined) return { kind: 'write' };
  const meta = stored['_meta'] as Partial<ManagedMeta> | undefined;
  if (meta?.managed_by !== 'logboom') return { kind: 'foreign', reason: 'it is not from Logboom' };
  if (meta.stored !== undefined && meta.stored !== contentHash(stored))
    return { kind: 'foreign', reason: 'it was changed since Logboom wrote it' };
  if (Number(meta.version ?? 0) > MANAGED_VERSION) return { kind: 'foreign', reason: NEWER };
  if (meta.wanted !== contentHash(wanted)) return { kind: 'write' };
  return meta.stored === undefined ? { kind: 'seal' } : { kind: 'keep' };
}

/** Returns the `_meta` of an object, with what the engine made of it once that is known. */
export function metaOf(wanted: Json, stored?: Json): ManagedMeta {
  return {
    managed_by: 'logboom',
    version: MANAGED_VERSION,
    wanted: contentHash(wanted),
    ...(stored === undefined ? {} : { stored: contentHash(stored) }),
  };
}

/** A hash that does not depend on the order of members, nor on `_meta` and other things that engines add. */
function contentHash(body: Json): string {
  const { _meta: _, version: __, created_date: ___, modified_date: ____, ...content } = body;
  return createHash('sha256').update(canonical(content)).digest('hex').slice(0, 16);
}

/** Engines return dates of their own beside what was written. */
const DATES: ReadonlySet<string> = new Set([
  'created_date',
  'modified_date',
  'created_date_millis',
  'modified_date_millis',
]);

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(String(value));
  const members = Object.entries(value)
    .filter(([key]) => !DATES.has(key))
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}
