/**
 * Members of documents whose names begin with a dollar: in journals they get another one in front, so that
 * `$resource`, `$level` and `$offset` are the journal's alone (docs/formats/journal.md). Only top-level members are
 * concerned. Whoever reads a journal takes the dollar away again.
 */
import type { DocumentBatch } from '../../record/record-batch.ts';
import { decodeText, parseObject } from './document-json.ts';
import { scanMembers } from '../document-scan.ts';

const DOLLAR = 36;
const DOLLAR_TEXT = '$';

/** A dollar as JSON may write it, too. */
const ESCAPED_DOLLAR = Buffer.from(String.raw`\u0024`);

const NEWLINE = Buffer.from('\n');

/** Returns the key that a journal has for a top-level member. */
export function toJournalKey(key: string): string {
  return key.startsWith(DOLLAR_TEXT) ? `${DOLLAR_TEXT}${key}` : key;
}

/** Returns the key that the document had. */
export function fromJournalKey(key: string): string {
  return key.startsWith(`${DOLLAR_TEXT}${DOLLAR_TEXT}`) ? key.slice(1) : key;
}

/**
 * Returns the batch as it stands in a journal. Most batches have no dollar at all and are returned as they are; of
 * the others only documents with such members are changed.
 */
export function withJournalKeys(batch: DocumentBatch): DocumentBatch {
  const body = Buffer.from(batch.body.buffer, batch.body.byteOffset, batch.body.length);
  if (!body.includes(DOLLAR) && !body.includes(ESCAPED_DOLLAR)) return batch;
  const parts: Uint8Array[] = [];
  const ends = new Uint32Array(batch.count);
  let isChanged = false;
  let length = 0;
  for (let index = 0, start = 0; index < batch.count; index += 1) {
    const end = batch.ends[index] ?? start;
    const changed = withJournalKeysOf(body, start, end);
    isChanged ||= changed !== undefined;
    const document = changed ?? body.subarray(start, end);
    parts.push(document);
    length += document.length;
    ends[index] = length;
    start = end;
  }
  return isChanged ? { ...batch, body: Buffer.concat(parts), ends } : batch;
}

/** Returns the document with the keys that journals have; undefined when they are the same. */
function withJournalKeysOf(body: Buffer, start: number, end: number): Buffer | undefined {
  const bytes = body.subarray(start, end);
  if (!bytes.includes(DOLLAR) && !bytes.includes(ESCAPED_DOLLAR)) return undefined;
  const members = scanMembers(bytes, 0, bytes.length - 1);
  if (members === undefined) return rewritten(body, start, end);
  if (!members.some(({ key }) => key.startsWith(DOLLAR_TEXT))) return undefined;
  const texts = members.map(
    ({ key, valueStart, end: valueEnd }) =>
      `${JSON.stringify(toJournalKey(key))}:${decodeText(bytes, valueStart, valueEnd)}`,
  );
  return Buffer.from(`{${texts.join(',')}}\n`);
}

/** The slow form, for documents with blanks between their parts. What is no JSON stays as it is. */
function rewritten(body: Buffer, start: number, end: number): Buffer | undefined {
  const document = parseObject(body, start, end);
  if (document === undefined || !Object.keys(document).some((key) => key.startsWith(DOLLAR_TEXT)))
    return undefined;
  const renamed = Object.entries(document).map(([key, value]) => [toJournalKey(key), value] as const);
  return Buffer.concat([Buffer.from(JSON.stringify(Object.fromEntries(renamed))), NEWLINE]);
}
