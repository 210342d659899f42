/**
 * Brings the members of a document that others wrote where every store can keep them:
 *
 *   {"host":"web-7"}                     a text where the Elastic Common Schema has an object: engines refuse the document
 *   {"_id":"7","":"x",".env":"y"}        names that engines keep for themselves, or cannot take apart
 *   {"k1":…,"k2":…, … 10,000 of them}    each would be a column of a segment
 *
 * They go below `fields`, where any name may have any type and what is too much for columns is kept as JSON. Queries look
 * for names at the top level there, too.
 */
import { isObjectName, isOwnName } from '../../query/fields.ts';
import { isIdentityPath, isObject, moveToFields, ownObject, setField, type JsonObject } from './document.ts';

/** Top-level members beside those of Logboom's own documents; what comes later goes below `fields`. */
const MEMBERS_MAX = 200;

/**
 * Values in all members but `fields`; what would be more goes below `fields`. Fewer than a segment may have columns
 * (`store/embedded/columns.ts`): only what stands below `fields` shares one when there are too many.
 */
const VALUES_MAX = 400;

/** A name with an empty step at its beginning or between dots: engines refuse it, and take one with a dot at its end. */
const EMPTY_STEP = /^\s*(?:\.|$)|\.\s*\.|\.\s+$/;

/** What Elasticsearch refuses as a name at the top level, or as its first step; tried on 7.17, 8 and 9. */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  '_data_stream_timestamp',
  '_doc_count',
  '_feature',
  '_field_names',
  '_id',
  '_ignored',
  '_ignored_source',
  '_index',
  '_nested_path',
  '_routing',
  '_seq_no',
  '_source',
  '_type',
  '_version',
]);

/** Moves what cannot stay at the top level of a document, and changes nothing of any other. */
export function settleMembers(document: JsonObject): void {
  const keys = Object.keys(document);
  const values = settleOwn(document, keys.filter(isOwnName));
  settleOthers(
    document,
    keys.filter((key) => !isOwnName(key)),
    VALUES_MAX - values,
  );
}

/** Settles the members that Logboom writes itself; returns the number of values that stay in them. */
function settleOwn(document: JsonObject, keys: readonly string[]): number {
  let values = 0;
  for (const key of keys) {
    const value = document[key];
    if (isMisplaced(key, value)) moveToFields(document, key);
    else if (key !== 'fields' && isObject(value))
      values += moveSurplus(document, key, { object: value, valuesMax: VALUES_MAX - values });
  }
  return values;
}

function settleOthers(document: JsonObject, keys: readonly string[], valuesMax: number): void {
  let values = 0;
  for (const [index, key] of keys.entries()) {
    const value = document[key];
    const count = countValues(value, VALUES_MAX + 1);
    const isTooMuch = index >= MEMBERS_MAX || values + count > valuesMax;
    if (isTooMuch || isMisplaced(key, value) || !canBeName(key)) moveToFields(document, key);
    else values += count;
  }
}

function isMisplaced(key: string, value: unknown): boolean {
  return isObjectName(key) && !canBeObject(value);
}

function canBeName(key: string): boolean {
  const [first = ''] = key.split('.', 1);
  return !METADATA_NAMES.has(first) && !EMPTY_STEP.test(key);
}

/** Null counts as absent, and of a list each element is for itself. */
function canBeObject(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((element) => element === null || isObject(element));
  return value === null || value === undefined || isObject(value);
}

interface OwnObject {
  readonly object: JsonObject;
  readonly valuesMax: number;
}

/**
 * Leaves so many values of one of Logboom's own objects in their place, and moves the others below `fields`, under its
 * name; returns how many stay. Those that say which record it is stay in any case.
 */
function moveSurplus(document: JsonObject, key: string, { object, valuesMax }: OwnObject): number {
  const whole = countValues(object, VALUES_MAX + 1);
  if (whole <= valuesMax) return whole;
  const surplus = ownObject(ownObject(document, 'fields'), key);
  let values = 0;
  for (const name of Object.keys(object)) {
    const count = countValues(object[name], VALUES_MAX + 1);
    const isKept = count === 1 && isIdentityPath(`${key}.${name}`);
    if (isKept || values + count <= valuesMax) values += count;
    else {
      setField(surplus, name, object[name]);
      delete object[name];
    }
  }
  return values;
}

/** Counts the values at the ends of nested objects, up to `countMax`. */
function countValues(value: unknown, countMax: number): number {
  if (!isObject(value)) return 1;
  let count = 0;
  for (const key in value) {
    count += countValues(value[key], countMax - count);
    if (count >= countMax) break;
  }
  return count;
}
