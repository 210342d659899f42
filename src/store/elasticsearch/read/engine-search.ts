/**
 * Pages of matches in the one order that records have: (time, file id, offset). The engine sorts by columns that the
 * store writes itself, so the order is the same in every index, and a page ends at a key that no other record has.
 */
import { AppError } from '../../../base/errors.ts';
import type { Query } from '../../../query/ast.ts';
import type { JsonObject, Matcher } from '../../../query/match.ts';
import { compileMatcher } from '../../../query/match.ts';
import type { SearchPage, SearchRequest, SortKey, SortOrder, TimeRange } from '../../store.ts';
import { compileQuery } from './compile-query.ts';
import type { Bounds, Dsl } from './dsl.ts';
import { ALL, allOf, atMost, timeRange } from './dsl.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';
import type { SearchAnswer } from './search-answer.ts';
import { readSearchAnswer, sortKeyOf } from './search-answer.ts';
import { timeWindows } from './time-windows.ts';

/** Where logs are: a comma-separated list of index names and patterns, as in a path. */
export interface LogIndices {
  readonly client: EngineClient;
  readonly indices: string;
}

/** A match, and where it stands in the order. */
export interface FoundDocument {
  readonly key: SortKey;
  readonly document: string;
}

/** What a scan asks for. */
export interface ScanRequest {
  readonly dsl: Dsl;
  readonly order: SortOrder;
  readonly after: SortKey | undefined;
  /** Matches that are wanted, if that is known: no page is larger than needed. */
  readonly wanted: number;
  /** Hits of the first page, where something is known of how long the documents are. */
  readonly firstHits?: number;
  /** Decides about what the engine finds; undefined when the engine's answer is exact. */
  readonly matches: Matcher | undefined;
  /** Sends a page's request: to the indices as they are, or as they were at one point in time. */
  readonly send: (body: string) => Promise<SearchAnswer>;
}

/** Engines refuse pages beyond 10,000 hits. */
const PAGE_HITS_MAX = 5_000;
/** Nothing is known of the documents' length yet: enough for the usual page, little enough for long ones. */
const PAGE_HITS_FIRST = 128;

/** Characters of a page that are aimed at: documents may have megabytes. */
const PAGE_CHARACTERS = 8 * 1024 * 1024;

/** A new index takes a fraction of it; a cluster that has lost shards is not waited for any longer. */
const SHARDS_WAIT = '5s';

/** Records that other programs wrote into these indices have no place in the order, and are not shown. */
const HAS_PLACE: Dsl = { exists: { field: `${PRIVATE_MEMBER}.file` } };

/** Returns one page of matches, each once. */
export async function searchEngine(
  logs: LogIndices,
  request: SearchRequest,
  signal: AbortSignal,
): Promise<SearchPage> {
  const { query, range, order, limit, after } = request;
  return withBounds(query, async (bounds) => {
    // One more than asked for tells whether there is a next page.
    const wanted = limit + 1;
    const found: FoundDocument[] = [];
    const scan = scanRange({
      dsl: bounds.atMost,
      range,
      order,
      after,
      wanted,
      matches: bounds.atMost === bounds.atLeast ? undefined : compileMatcher(query),
      send: (body) => sendSearch(logs, body, signal),
    });
    for await (const hits of scan) {
      found.push(...hits);
      if (found.length >= wanted) break;
    }
    const page = found.slice(0, limit);
    const next = found.length > limit ? page.at(-1)?.key : undefined;
    return { documents: page.map(({ document }) => document), next };
  });
}

/** The same, of records in a range of time. */
export interface RangeScanRequest extends ScanRequest {
  readonly range: TimeRange;
}

/**
 * Yields the matches in a range of time page by page, in order, until there are no more: window by window where that is
 * faster, and no earlier than where the last page ended.
 */
export async function* scanRange(request: RangeScanRequest): AsyncIterable<readonly FoundDocument[]> {
  const { dsl, order, send } = request;
  let { after, wanted, firstHits = PAGE_HITS_FIRST } = request;
  const range = behind(request.range, order, after);
  const isDense = dsl === ALL;
  const isSplit = isDense || (wanted < Number.POSITIVE_INFINITY && isQuick(dsl));
  if (!isSplit) return yield* scanEngine({ ...request, dsl: inRange(dsl, range) });
  for await (const window of timeWindows({ range, order, isDense, send })) {
    for await (const hits of scanEngine({
      ...request,
      dsl: inRange(dsl, window),
      after,
      wanted,
      firstHits,
    })) {
      wanted -= hits.length;
      after = hits.at(-1)?.key ?? after;
      firstHits = Math.max(1, Math.min(PAGE_HITS_MAX, hitsFor(hits)));
      yield hits;
    }
    if (wanted <= 0) return;
  }
}

/** Whether asking twice costs little: patterns are looked for among all the words of an index each time. */
function isQuick(dsl: Dsl): boolean {
  return !JSON.stringify(dsl).includes('{"wildcard":');
}

/** Returns the part of a range where records behind a key stand. */
function behind({ startNs, endNs }: TimeRange, order: SortOrder, after: SortKey | undefined): TimeRange {
  if (after === undefined) return { startNs, endNs };
  if (order === 'asc') return { startNs: after.timeNs > startNs ? after.timeNs : startNs, endNs };
  return { startNs, endNs: after.timeNs < endNs ? after.timeNs + 1n : endNs };
}

/** Yields the matches page by page, in order, until there are no more. */
export async function* scanEngine(request: ScanRequest): AsyncIterable<readonly FoundDocument[]> {
  const { dsl, order, matches, send, firstHits = PAGE_HITS_FIRST } = request;
  let { after, wanted } = request;
  let size = Math.min(firstHits, wanted);
  for (;;) {
    const answer = await send(pageBody({ dsl, order, size, after }));
    const hits = answer.hits.map(({ sort, document }) => ({ key: sortKeyOf(sort), document }));
    const shown = withoutRepeats(hits, after).filter(
      ({ document }) => matches === undefined || matches(parseDocument(document)),
    );
    wanted -= shown.length;
    if (shown.length > 0) yield shown;
    const last = hits.at(-1);
    if (last === undefined || hits.length < size || wanted <= 0) return;
    after = last.key;
    const needed = matches === undefined ? wanted : PAGE_HITS_MAX;
    size = Math.max(1, Math.min(needed, PAGE_HITS_MAX, hitsFor(hits)));
  }
}

/**
 * Runs a task with the bounds of a query. Where the engine refuses them (each has limits of its own for the size of
 * automata and the number of clauses), everything is read instead.
 */
export async function withBounds<T>(query: Query, task: (bounds: Bounds) => Promise<T>): Promise<T> {
  try {
    return await task(compileQuery(query));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'bad_request') throw error;
    return task(atMost(ALL));
  }
}

/** Returns a query for records in a range of time. */
export function inRange(query: Dsl, range: TimeRange): Dsl {
  return allOf([timeRange(range), query, HAS_PLACE]);
}

/**
 * Sends a search to the indices as they are. No index is an empty answer; one that is not whole is an `AppError`. An
 * index that was created a moment ago cannot be searched until its shards are there: that is waited for.
 */
export async function sendSearch(logs: LogIndices, body: string, signal: AbortSignal): Promise<SearchAnswer> {
  try {
    return await askSearch(logs, body, signal);
  } catch (error) {
    if (!(await haveShardsStarted(logs, error, signal))) throw error;
    return askSearch(logs, body, signal);
  }
}

async function askSearch(
  { client, indices }: LogIndices,
  body: string,
  signal: AbortSignal,
): Promise<SearchAnswer> {
  const purpose = 'search logs';
  const { text } = await client.request({
    method: 'POST',
    path: `/${indices}/_search`,
    query: { ignore_unavailable: true, allow_no_indices: true, allow_partial_search_results: false },
    body,
    signal,
    purpose,
  });
  return readSearchAnswer(text, purpose);
}

/** Waits after a search that lacked shards until there is one of each; false when there still is not. */
async function haveShardsStarted(
  { client, indices }: LogIndices,
  failure: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(failure instanceof AppError) || failure.details['status'] !== 503) return false;
  try {
    const { status } = await client.request({
      method: 'GET',
      path: `/_cluster/health/${indices}`,
      query: { wait_for_status: 'yellow', timeout: SHARDS_WAIT, filter_path: 'status' },
      signal,
      purpose: 'wait for new indices',
      accepts: [403, 408],
    });
    return status === 200;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** Returns a parsed document; an empty one for what is no JSON object. */
export function parseDocument(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}

function pageBody(page: {
  readonly dsl: Dsl;
  readonly order: SortOrder;
  readonly size: number;
  readonly after: SortKey | undefined;
}): string {
  const { dsl, order, size, after } = page;
  const column = (name: string, type: string): Dsl => ({ [name]: { order, unmapped_type: type } });
  const sort = [
    { '@timestamp': { order, numeric_type: 'date_nanos', unmapped_type: 'date_nanos' } },
    column(`${PRIVATE_MEMBER}.file`, 'keyword'),
    column(`${PRIVATE_MEMBER}.high`, 'long'),
    column(`${PRIVATE_MEMBER}.low`, 'long'),
  ];
  const body = JSON.stringify({ query: dsl, size, sort, track_total_hits: false });
  // Nanoseconds have more digits than numbers of JavaScript.
  return after === undefined ? body : `${body.slice(0, -1)},"search_after":${keyText(after)}}`;
}

function keyText({ timeNs, fileId, offset }: SortKey): string {
  const high = Math.floor(offset / OFFSET_UNIT);
  return `[${timeNs},${JSON.stringify(fileId)},${high},${offset % OFFSET_UNIT}]`;
}

/** A record that stands in two indices comes twice, one behind the other. */
function withoutRepeats(hits: readonly FoundDocument[], after: SortKey | undefined): FoundDocument[] {
  return hits.filter(({ key }, index) => {
    const before = index === 0 ? after : hits[index - 1]?.key;
    return before === undefined || !isSame(before, key);
  });
}

function isSame(one: SortKey, other: SortKey): boolean {
  return one.offset === other.offset && one.timeNs === other.timeNs && one.fileId === other.fileId;
}

function hitsFor(hits: readonly FoundDocument[]): number {
  const characters = hits.reduce((sum, { document }) => sum + document.length, 0);
  return Math.floor((PAGE_CHARACTERS * hits.length) / Math.max(1, characters));
}
