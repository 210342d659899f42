import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { DROP_REASONS } from '../record/drop-reason.ts';
import type { LedgerRecord } from '../record/ledger.ts';

const count = z.number().int().min(0);
const name = z.string().max(4_096).optional();

const Gap = z.object({
  kind: z.enum(['gap', 'possible_loss']),
  startOffset: count,
  endOffset: count,
  reason: z.string().max(4_096),
});

const Ledger = z.object({
  fileId: z.string().regex(/^[0-9a-f]{20}$/),
  sequence: count,
  time: z.string().max(64),
  node: z.string().max(4_096),
  path: z.string().max(65_536),
  namespace: name,
  pod: name,
  container: name,
  state: z.enum(['active', 'gone', 'complete']),
  bytesWritten: count,
  bytesRead: count,
  acknowledgedOffset: count,
  records: count,
  offsetSum: z.string().regex(/^\d{1,20}$/),
  dropped: z.partialRecord(z.enum(DROP_REASONS), count),
  gaps: z.array(Gap).max(10_000),
});

/** Reads NDJSON of ledger records. Throws `bad_request`, naming the line. */
export function readLedgerRecords(body: Uint8Array): LedgerRecord[] {
  const lines = new TextDecoder().decode(body).split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [readLedgerRecord(line, index + 1)]));
}

function readLedgerRecord(line: string, lineNumber: number): LedgerRecord {
  const { data } = Ledger.safeParse(parseJson(line));
  if (data === undefined)
    throw new AppError('bad_request', `cannot read line ${lineNumber} as a ledger record`);
  const { namespace, pod, container, dropped, ...rest } = data;
  return { ...rest, namespace, pod, container, dropped: definedOf(dropped) };
}

function definedOf(dropped: Partial<Record<string, number>>): LedgerRecord['dropped'] {
  return Object.fromEntries(Object.entries(dropped).filter(([, bytes]) => bytes !== undefined));
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
