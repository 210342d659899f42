/** Judges the answer to a bulk request document by document, without performing anything. */
import { AppError } from '../../../base/errors.ts';
import type { DeadLetterError } from '../../../record/dead-letter.ts';
import type { BulkItem, BulkPayload } from './bulk-payload.ts';
import { faultFrom } from '../engine/engine-error.ts';
import type { Verdict, WaitCause } from './item-verdict.ts';
import { verdictOf } from './item-verdict.ts';

/** Parts of the answer that are needed; everything else would be three times as long. */
export const BULK_FILTER =
  'errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by';

export interface JudgedItems {
  readonly created: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly item: BulkItem; readonly error: DeadLetterError }[];
  /** To be sent again, with the cause of each. */
  readonly waiting: readonly {
    readonly item: BulkItem;
    readonly cause: WaitCause;
    readonly reason: string;
  }[];
  /** To be sent again with fewer others. */
  readonly oversized: readonly { readonly item: BulkItem; readonly error: DeadLetterError }[];
  /** To be sent again once their index is there. */
  readonly missing: readonly BulkItem[];
}

/** Returns what became of each document. Throws `unreachable` when the answer does not fit the request. */
export function judgeAnswer(payload: BulkPayload, text: string): JudgedItems {
  if (isAllCreated(text)) return { ...NOTHING, created: payload.count };
  const { items } = payload;
  const statuses = parseItems(text);
  if (statuses?.length !== items.length) {
    throw new AppError('unreachable', 'cannot understand the answer to a bulk request', {
      details: { sent: items.length, answered: statuses?.length ?? 0 },
      hint: 'Look whether something between Logboom and the engine changes answers (store.urls).',
    });
  }
  const verdicts = statuses.map(({ status, error }) => verdictOf(status, faultFrom(error)));
  return collect(items, verdicts);
}

/** The usual case costs no parsing: `errors` stands in front of the items. */
function isAllCreated(text: string): boolean {
  return text.startsWith('{"errors":false');
}

const NOTHING: JudgedItems = {
  created: 0,
  duplicates: 0,
  rejected: [],
  waiting: [],
  oversized: [],
  missing: [],
};

interface ItemStatus {
  readonly status: number;
  readonly error: Readonly<Record<string, unknown>>;
}

function parseItems(text: string): ItemStatus[] | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  const items = (body as { items?: unknown } | null)?.items;
  if (!Array.isArray(items)) return undefined;
  return items.map((item: unknown) => {
    const [result] = Object.values((item ?? {}) as Record<string, { status?: unknown; error?: unknown }>);
    const error = result?.error;
    return {
      status: Number(result?.status ?? 0),
      error: typeof error === 'object' && error !== null ? (error as ItemStatus['error']) : {},
    };
  });
}

function collect(items: readonly BulkItem[], verdicts: readonly Verdict[]): JudgedItems {
  let created = 0;
  let duplicates = 0;
  const rejected: JudgedItems['rejected'][number][] = [];
  const waiting: JudgedItems['waiting'][number][] = [];
  const oversized: JudgedItems['oversized'][number][] = [];
  const missing: BulkItem[] = [];
  for (const [index, item] of items.entries()) {
    const verdict = verdicts[index];
    if (verdict === undefined || verdict.kind === 'created') created += 1;
    else if (verdict.kind === 'duplicate') duplicates += 1;
    else if (verdict.kind === 'rejected') rejected.push({ item, error: verdict.error });
    else if (verdict.kind === 'oversized') oversized.push({ item, error: verdict.error });
    else if (verdict.kind === 'missing_index') missing.push(item);
    else waiting.push({ item, cause: verdict.cause, reason: verdict.fault.reason });
  }
  return { created, duplicates, rejected, waiting, oversized, missing };
}
