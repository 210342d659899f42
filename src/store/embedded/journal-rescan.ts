import { parseKeepingDigits } from '../../base/exact-json.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import { FIELD_TYPE, addFieldTypes } from '../../record/field-types.ts';
import { fromJournalKey } from './own-keys.ts';
import { LEVEL_KEY, OFFSET_KEY, RESOURCE_KEY } from './commit-line.ts';
import type { JournalSource } from './segment-engine.ts';

/**
 * Learns the types of journals from their documents, for when those that came with them do not fit. With
 * `isAllJson`, every field becomes JSON text, which always fits.
 */
export function rescanJournals(
  fileSystem: FileSystem,
  journals: readonly JournalSource[],
  { isAllJson }: { isAllJson: boolean },
): JournalSource[] {
  return journals.map((journal) => {
    const types = scanTypes(fileSystem.readFile(journal.path));
    if (isAllJson) for (const key of types.keys()) if (!OWN_KEYS.has(key)) types.set(key, jsonNode());
    return { ...journal, types, hasWholeDocuments: true, hasOddTimes: true, isCompact: false };
  });
}

/** Objects with members that have columns of their own. */
const OWN_KEYS: ReadonlySet<string> = new Set(['@timestamp', 'log', 'event', 'message', 'stream']);

/** What stands in journals besides members of documents. */
const NO_MEMBERS: ReadonlySet<string> = new Set([LEVEL_KEY, OFFSET_KEY, RESOURCE_KEY]);

function jsonNode(): { types: number; children: undefined } {
  return { types: FIELD_TYPE.other, children: undefined };
}

function scanTypes(bytes: Uint8Array): FieldTypes {
  const types: FieldTypes = new Map();
  const decoder = new TextDecoder();
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const document = parse(decoder.decode(bytes.subarray(start, end)));
    for (const key in isCommitLine(document) ? {} : document) {
      if (!NO_MEMBERS.has(key)) addFieldTypes(types, fromJournalKey(key), document?.[key]);
    }
    start = end + 1;
  }
  return types;
}

/** Documents have a time, whatever else they have. */
function isCommitLine(document: Record<string, unknown> | undefined): boolean {
  return document !== undefined && 'commit' in document && !('@timestamp' in document);
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return parseKeepingDigits(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
