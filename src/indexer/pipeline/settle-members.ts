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

/** Values in all of those together, and in each of Logboom's own objects; what would be more goes below `fields`. */
const VALUES_MAX = 500;

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
  let members = 0;
  let values = 0;
  for (const key of Object.keys(document)) {
    const value = document[key];
    const isMisplaced = isObjectName(key) && !canBeObject(value);
    if (isOwnName(key)) {
      if (isMisplaced) moveToFields(document, key);
      else if (key !== 'fields' && isObject(value)) moveSurplus(document, key, value);
      continue;
    }
    members += 1;
    const count = countValues(value, VALUES_MAX + 1);
    if (isMisplaced || !canBeName(key) || members > MEMBERS_MAX || values + count > VALUES_MAX)
      moveToFields(document, key);
    else values += count;
  }
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

/** Leaves so many values of one of Logboom's own objects in their place; the others go below `fields`, under its name. */
function moveSurplus(document: JsonObject, key: string, object: JsonObject): void {
  if (countValues(object, VALUES_MAX + 1) <= VALUES_MAX) return;
  const surplus = ownObject(ownObject(document, 'fields'), key);
  let values = 0;
  for (const name of Object.keys(object)) {
    const count = countValues(object[name], VALUES_MAX + 1);
    const isKept = count === 1 && isIdentityPath(`${key}.${name}`);
    if (isKept || values + count <= VALUES_MAX) values += count;
    else {
      setField(surplus, name, object[name]);
      delete object[name];
    }
  }
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
