import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { DROP_REASONS } from '../record/drop-reason.ts';
import { FLAWS } from '../record/flaw.ts';
import { type Heartbeat, UNREADABLE_TEXT_MAX } from '../record/heartbeat.ts';
import type { LedgerGap, LedgerRecord } from '../record/ledger.ts';

const count = z.number().int().min(0);
const name = z.string().max(4_096).optional();

const Gap = z.object({
  kind: z.enum(['gap', 'possible_loss']),
  startOffset: count,
  endOffset: count,
  reason: z.string().max(4_096),
  time: z.string().max(64).optional(),
  path: z.string().max(65_536).optional(),
});

const Agent = z.object({
  cluster: z.string().max(4_096),
  version: z.string().max(256),
  state: z.enum(['running', 'stopped', 'forgotten']),
  intervalMs: count,
  files: count,
  unreadBytes: count,
  unacknowledgedBytes: count,
  oldestUnread: z.string().max(64).optional(),
  unreadable: count.optional(),
  firstUnreadable: z.string().max(UNREADABLE_TEXT_MAX).optional(),
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
  flaws: z.partialRecord(z.enum(FLAWS), count).optional(),
  gaps: z.array(Gap).max(10_000),
  agent: Agent.optional(),
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
  const { namespace, pod, container, dropped, flaws = {}, gaps, agent, ...rest } = data;
  const names = { namespace, pod, container };
  const counts = { dropped: definedOf(dropped), flaws: definedOf(flaws) };
  const record = { ...rest, ...names, ...counts, gaps: gaps.map(gapOf) };
  return agent === undefined ? record : { ...record, agent: heartbeatOf(agent) };
}

function heartbeatOf(agent: z.infer<typeof Agent>): Heartbeat {
  const { oldestUnread, unreadable, firstUnreadable, ...words } = agent;
  return {
    ...words,
    ...(oldestUnread === undefined ? {} : { oldestUnread }),
    ...(unreadable === undefined ? {} : { unreadable }),
    ...(firstUnreadable === undefined ? {} : { firstUnreadable }),
  };
}

function definedOf(counts: Partial<Record<string, number>>): Record<string, number> {
  const defined: Record<string, number> = {};
  for (const [key, value] of Object.entries(counts)) if (value !== undefined) defined[key] = value;
  return defined;
}

function gapOf({ time, path, ...gap }: z.infer<typeof Gap>): LedgerGap {
  return { ...gap, ...(time === undefined ? {} : { time }), ...(path === undefined ? {} : { path }) };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
