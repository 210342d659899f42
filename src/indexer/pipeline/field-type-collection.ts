/** Which fields a document of the general path has, beyond those that every document has. */
import { addFieldTypes, type FieldTypes } from '../../record/field-types.ts';
import { RESOURCE_KEYS } from '../../record/document-layout.ts';
import { isObject, type JsonObject } from './document.ts';

/** Values of every document, whose types are the same everywhere. */
const OWN_KEYS: ReadonlySet<string> = new Set(['@timestamp', 'message', 'stream']);

/** Members that agents and the indexer write into objects that a line may add to. */
const OWN_MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  log: new Set(['offset', 'file', 'level', 'flags', 'original_length', 'parse_error', 'sequence']),
  event: new Set(['id']),
};

/** Adds the types of everything in the document that agents do not write themselves; resources are told by them. */
export function collectFieldTypes(types: FieldTypes, document: JsonObject): void {
  for (const key in document) {
    if (OWN_KEYS.has(key) || RESOURCE_KEYS.has(key)) continue;
    const value = document[key];
    const own = Object.hasOwn(OWN_MEMBERS, key) ? OWN_MEMBERS[key] : undefined;
    if (own === undefined || !isObject(value)) {
      addFieldTypes(types, key, value);
      continue;
    }
    for (const member in value) {
      if (!own.has(member)) addFieldTypes(types, key, { [member]: value[member] });
    }
  }
}
