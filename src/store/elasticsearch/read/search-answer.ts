/** Answers of the engine's search interface, with documents as they were sent. */
import { AppError } from '../../../base/errors.ts';
import type { SortKey } from '../../store.ts';
import { forEachElement, forEachMember } from '../engine/json-slices.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';

export interface SearchHit {
  /** What it is sorted by, each as JSON. */
  readonly sort: readonly string[];
  /** The document's JSON text, byte for byte as it was appended. */
  readonly document: string;
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  /** The matches, where they were to be counted. */
  readonly total: number;
  readonly aggregations: Readonly<Record<string, unknown>>;
  /** The point in time, which may change with every page. */
  readonly pointInTime: string | undefined;
  /** Shards that were asked: none when there is no index yet. */
  readonly shards: number;
}

const PRIVATE_HEAD = `,"${PRIVATE_MEMBER}":{`;

/**
 * Reads an answer. Throws an `AppError` when it is not whole: shards that failed or a time limit of the engine make it
 * shorter than the truth.
 */
export function readSearchAnswer(text: string, purpose: string): SearchAnswer {
  const hits: SearchHit[] = [];
  let total = 0;
  let members: Record<string, unknown> = {};
  forEachMember(text, text.indexOf('{'), (key, start, end) => {
    if (key !== 'hits') members = { ...members, [key]: JSON.parse(text.slice(start, end)) as unknown };
    else {
      forEachMember(text, start, (name, from, to) => {
        if (name === 'hits') forEachElement(text, from, (at) => hits.push(readHit(text, at)));
        else if (name === 'total') total = totalOf(JSON.parse(text.slice(from, to)));
      });
    }
  });
  const shards = members['_shards'] as ShardCounts | undefined;
  if (shards === undefined) throw notWhole(purpose, 'the answer does not come from the engine');
  if ((shards.failed ?? 0) > 0) throw notWhole(purpose, failureText(shards));
  if (members['timed_out'] === true) throw notWhole(purpose, 'the engine gave up before it had everything');
  const pointInTime = members['pit_id'];
  return {
    hits,
    total,
    aggregations: (members['aggregations'] ?? {}) as Readonly<Record<string, unknown>>,
    pointInTime: typeof pointInTime === 'string' ? pointInTime : undefined,
    shards: shards.total ?? 0,
  };
}

/** Returns a stored document without the private member, which is its last one. */
export function withoutPrivateMember(source: string): string {
  // No string in the member can contain its head: quotes are escaped there.
  const at = source.lastIndexOf(PRIVATE_HEAD);
  return at < 0 ? source : `${source.slice(0, at)}}`;
}

interface ShardCounts {
  readonly total?: number;
  readonly failed?: number;
  readonly failures?: readonly { readonly reason?: { readonly type?: string; readonly reason?: string } }[];
}

function readHit(text: string, at: number): SearchHit {
  let document = '{}';
  let sort: string[] = [];
  forEachMember(text, at, (key, start, end) => {
    if (key === '_source') document = withoutPrivateMember(text.slice(start, end));
    else if (key === 'sort') sort = elementsOf(text, start);
  });
  return { sort, document };
}

function elementsOf(text: string, at: number): string[] {
  const elements: string[] = [];
  forEachElement(text, at, (start, end) => elements.push(text.slice(start, end)));
  return elements;
}

/** Returns the key of a hit that is sorted by time in nanoseconds, file id, offset / 2^20 and offset % 2^20. */
export function sortKeyOf([time = '0', file = '""', high = '0', low = '0']: readonly string[]): SortKey {
  return {
    timeNs: BigInt(time),
    fileId: JSON.parse(file) as string,
    offset: Number(high) * OFFSET_UNIT + Number(low),
  };
}

function totalOf(total: unknown): number {
  return typeof total === 'number' ? total : ((total as { value?: number } | null)?.value ?? 0);
}

function failureText({ failed, total, failures = [] }: ShardCounts): string {
  const { type = '', reason = '' } = failures[0]?.reason ?? {};
  return `${failed} of ${total} shards failed: ${type} ${reason}`.trim().slice(0, 1_000);
}

function notWhole(purpose: string, reason: string): AppError {
  return new AppError('unreachable', `cannot ${purpose}`, {
    details: { reason },
    hint: 'Look at the health of the cluster; an answer that is not whole is never shown.',
  });
}
