/**
 * Brings the members of a document that others wrote where every store can keep them:
 *
 *   {"host":"web-7"}                     a text where the Elastic Common Schema has an object: engines refuse the document
 *   {"k1":…,"k2":…, … 10,000 of them}    each would be a column of a segment
 *
 * Both go below `fields`, where any name may have any type and what is too much for columns is kept as JSON. Queries look
 * for such names there, too.
 */
import { isObjectName, isOwnName } from '../../query/fields.ts';
import { isObject, moveToFields, type JsonObject } from './document.ts';

/** Top-level members beside those of Logboom's own documents; what comes later goes below `fields`. */
const MEMBERS_MAX = 200;

/** Values below a top-level object that is none of Logboom's own; one with more goes below `fields` as a whole. */
const VALUES_MAX = 500;

/** Moves what cannot stay at the top level of a document, and changes nothing of any other. */
export function settleMembers(document: JsonObject): void {
  let members = 0;
  for (const key of Object.keys(document)) {
    const value = document[key];
    if (isOwnName(key)) {
      if (isObjectName(key) && !canBeObject(value)) moveToFields(document, key);
      continue;
    }
    members += 1;
    const isMisplaced = isObjectName(key) && !canBeObject(value);
    if (isMisplaced || members > MEMBERS_MAX || countValues(value, VALUES_MAX + 1) > VALUES_MAX)
      moveToFields(document, key);
  }
}

/** Null counts as absent, and of a list each element is for itself. */
function canBeObject(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((element) => element === null || isObject(element));
  return value === null || value === undefined || isObject(value);
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
