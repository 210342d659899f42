/** What becomes of documents that are larger than a topic takes. */
import { LOG_FLAG_NAMES } from '../../../record/document-layout.ts';

type Json = Record<string, unknown>;

/** A document whose message was cut says so. */
const TRUNCATED = LOG_FLAG_NAMES[1];

const encoder = new TextEncoder();

/**
 * Returns the document with its message cut so that it has at most `bytesMax` bytes, its original length noted in
 * `log.original_length`. What cannot be made small enough that way, because it is no JSON object or other members are
 * too large, becomes a document of which only the beginning is kept as text.
 */
export function truncateDocument(document: Uint8Array, bytesMax: number): Buffer {
  const text = new TextDecoder().decode(document);
  const parsed = parseObject(text);
  if (parsed !== undefined && typeof parsed['message'] === 'string') {
    const cut = cutMessage(parsed, parsed['message'], bytesMax);
    if (cut !== undefined) return cut;
  }
  const kept: Json = {
    ...(typeof parsed?.['@timestamp'] === 'string' ? { '@timestamp': parsed['@timestamp'] } : {}),
    message: '',
    ...keptIdentity(parsed),
  };
  return (
    cutMessage(kept, typeof parsed?.['message'] === 'string' ? parsed['message'] : text, bytesMax) ??
    Buffer.from('{}')
  );
}

/** Returns undefined when not even an empty message makes the document small enough. */
function cutMessage(document: Json, message: string, bytesMax: number): Buffer | undefined {
  const log = asObject(document['log']);
  const flags = Array.isArray(log['flags']) ? (log['flags'] as unknown[]) : [];
  const originalLength = log['original_length'] ?? encoder.encode(message).length;
  const marked = {
    ...document,
    log: {
      ...log,
      flags: [...flags.filter((flag) => flag !== TRUNCATED), TRUNCATED],
      original_length: originalLength,
    },
  };
  const sizeOf = (length: number): Buffer =>
    Buffer.from(JSON.stringify({ ...marked, message: message.slice(0, length).toWellFormed() }));
  if (sizeOf(0).length > bytesMax) return undefined;
  // Escapes make the size uneven, so the length is searched for: 32 steps are enough for any text.
  let low = 0;
  let high = Math.min(message.length, bytesMax);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sizeOf(middle).length <= bytesMax) low = middle;
    else high = middle - 1;
  }
  return sizeOf(low);
}

/** Members that say which record it is; they are small. */
function keptIdentity(document: Json | undefined): Json {
  const kept: Json = {};
  for (const key of ['stream', 'event', 'kubernetes', 'container', 'service', 'host']) {
    const value = document?.[key];
    if (value !== undefined && JSON.stringify(value).length < 4_096) kept[key] = value;
  }
  const log = asObject(document?.['log']);
  if (log['offset'] !== undefined) kept['log'] = { offset: log['offset'], file: log['file'] };
  return kept;
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
