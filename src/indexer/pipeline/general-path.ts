/** The path that any document can take: parsed whole, changed as an object, written again. */
import { messageOf } from '../../base/errors.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import { runPipeline, selectPipeline, type CompiledPipeline } from './compile-pipelines.ts';
import { RESOURCE_KEYS } from '../../record/document-layout.ts';
import { isObject, ownObject, setOwn, type JsonObject } from './document.ts';
import { parseExact } from '../../base/exact-json.ts';
import { JsonScanner, SCAN_FLAG } from './json-scanner.ts';
import { collectFieldTypes } from './field-type-collection.ts';
import { originOf } from './pipeline-selection.ts';
import { settleMembers } from './settle-members.ts';

/** What became of a document: `failed` ones are kept as they were, with what went wrong in `error.message`. */
export type GeneralOutcome = 'keep' | 'drop' | 'failed';

/** Why a document is kept as it was. */
export interface DocumentFailure {
  /** Name of the pipeline that threw; undefined where the document was none. */
  readonly pipeline: string | undefined;
  readonly reason: string;
}

export interface GeneralResult {
  readonly outcome: GeneralOutcome;
  /** The document's text without a newline; empty for one that is dropped. */
  readonly text: string;
  /** Of `failed` ones. */
  readonly failure?: DocumentFailure;
}

const scanner = new JsonScanner();

/**
 * Runs the pipeline that fits on a document, without its newline. A document on which it throws is kept (G7): a poison line must
 * not stop the lines behind it.
 */
export function processDocument(
  bytes: Buffer,
  pipelines: readonly CompiledPipeline[],
  types: FieldTypes,
): GeneralResult {
  let pipeline: CompiledPipeline | undefined;
  let reason: string;
  try {
    const document = parseDocument(bytes);
    pipeline = selectPipeline(pipelines, originOf(document));
    const outcome = runPipeline(pipeline, document);
    if (outcome === 'drop') return { outcome, text: '' };
    settleMembers(document);
    collectFieldTypes(types, document);
    return { outcome, text: JSON.stringify(inLayoutOrder(document)) };
  } catch (error) {
    reason = messageOf(error);
  }
  return keepAsItWas(bytes, { pipeline: pipeline?.name, reason }, types);
}

/** Notes the fields of a document that no pipeline may change or drop, such as that of a gap. */
export function keepDocument(bytes: Buffer, types: FieldTypes): GeneralResult {
  try {
    collectFieldTypes(types, parseDocument(bytes));
    return { outcome: 'keep', text: bytes.toString() };
  } catch (error) {
    return keepAsItWas(bytes, { pipeline: undefined, reason: messageOf(error) }, types);
  }
}

/** Returns the document that `bytes[start, end)` is, numbers with their digits; throws when it is none. */
export function parseDocument(bytes: Buffer, start = 0, end = bytes.length): JsonObject {
  const text = bytes.toString('utf8', start, end);
  const isPlain = scanner.scan(bytes, start, end) && (scanner.flags & SCAN_FLAG.suspectNumber) === 0;
  const value: unknown = isPlain ? JSON.parse(text) : parseExact(text).value;
  if (!isObject(value)) throw new TypeError('a document is a JSON object');
  return value;
}

/**
 * Returns the members in the order of the layout: what is no part of it stands before the members that say where the
 * record comes from, so that those are the same bytes at the end of all documents of a file.
 */
export function inLayoutOrder(document: JsonObject): JsonObject {
  const { '@timestamp': time, message, fields, stream, log, event, ...rest } = document;
  const ordered: JsonObject = { '@timestamp': time, message, fields, stream, log, event };
  for (const key of Object.keys(rest)) if (!RESOURCE_KEYS.has(key)) setOwn(ordered, key, rest[key]);
  for (const key of Object.keys(rest)) if (RESOURCE_KEYS.has(key)) ordered[key] = rest[key];
  return ordered;
}

function keepAsItWas(bytes: Buffer, failure: DocumentFailure, types: FieldTypes): GeneralResult {
  const { pipeline, reason } = failure;
  const who = pipeline === undefined ? 'the pipeline' : `the pipeline ${pipeline}`;
  try {
    const document = parseDocument(bytes);
    settleMembers(document);
    ownObject(document, 'error')['message'] = `${who} failed: ${reason}`;
    collectFieldTypes(types, document);
    return { outcome: 'failed', text: JSON.stringify(inLayoutOrder(document)), failure };
  } catch {
    // Not even a document: the store decides about it.
    return { outcome: 'failed', text: bytes.toString(), failure };
  }
}
