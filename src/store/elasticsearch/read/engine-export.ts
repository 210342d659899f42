/**
 * Every match, oldest first, in constant memory: page by page, of the indices as they were when the export began. When
 * the engine has forgotten that point in time, because the reader was slow, the export goes on behind its last record.
 */
import { AppError } from '../../../base/errors.ts';
import { compileMatcher } from '../../../query/match.ts';
import type { ExportRequest, SortKey } from '../../store.ts';
import type { Capabilities } from '../engine/capabilities.ts';
import type { LogIndices } from './engine-search.ts';
import { scanRange, sendSearch } from './engine-search.ts';
import { compileQuery } from './compile-query.ts';
import type { Bounds } from './dsl.ts';
import { ALL, atMost } from './dsl.ts';
import type { SearchAnswer } from './search-answer.ts';
import { readSearchAnswer } from './search-answer.ts';

/** How long the engine keeps a point in time between two pages. */
const KEEP_ALIVE = '5m';

/** Longer than that nobody waits for an export to end. */
const CLOSE_MS_MAX = 5_000;

const PURPOSE = 'export logs';

export interface EngineExport extends LogIndices {
  readonly pointInTime: Capabilities['pointInTime'];
}

/** Yields blocks of NDJSON. */
export async function* exportEngine(
  engine: EngineExport,
  request: ExportRequest,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  let after: SortKey | undefined;
  let bounds = compileQuery(request.query);
  for (;;) {
    const point = await openPoint(engine, signal);
    try {
      for await (const hits of scanPoint(engine, { ...request, point, after, bounds }, signal)) {
        yield encoder.encode(hits.map(({ document }) => `${document}\n`).join(''));
        after = hits.at(-1)?.key ?? after;
      }
      return;
    } catch (error) {
      if (isRefused(error) && bounds.atMost !== ALL) bounds = atMost(ALL);
      else if (!isForgotten(error) || point === undefined) throw error;
    } finally {
      await closePoint(engine, point);
    }
  }
}

interface PointScan extends ExportRequest {
  readonly point: Point | undefined;
  readonly after: SortKey | undefined;
  readonly bounds: Bounds;
}

/** A point in time; the engine may rename it with every page. */
interface Point {
  id: string;
}

function scanPoint(engine: EngineExport, scan: PointScan, signal: AbortSignal): ReturnType<typeof scanRange> {
  const { query, range, point, after, bounds } = scan;
  return scanRange({
    dsl: bounds.atMost,
    range,
    order: 'asc',
    after,
    wanted: Number.POSITIVE_INFINITY,
    matches: bounds.atMost === bounds.atLeast ? undefined : compileMatcher(query),
    send: (body) =>
      point === undefined ? sendSearch(engine, body, signal) : sendToPoint(engine, point, body, signal),
  });
}

async function sendToPoint(
  { client }: EngineExport,
  point: Point,
  body: string,
  signal: AbortSignal,
): Promise<SearchAnswer> {
  const pit = JSON.stringify({ id: point.id, keep_alive: KEEP_ALIVE });
  const { text } = await client.request({
    method: 'POST',
    path: '/_search',
    query: { allow_partial_search_results: false },
    body: `${body.slice(0, -1)},"pit":${pit}}`,
    signal,
    purpose: PURPOSE,
  });
  const answer = readSearchAnswer(text, PURPOSE);
  point.id = answer.pointInTime ?? point.id;
  return answer;
}

/** Undefined where there is no index yet, or the engine has no points in time. */
async function openPoint(engine: EngineExport, signal: AbortSignal): Promise<Point | undefined> {
  const { client, indices, pointInTime } = engine;
  if (pointInTime === 'none') return undefined;
  const { shards } = await sendSearch(engine, '{"size":0,"track_total_hits":false}', signal);
  if (shards === 0) return undefined;
  const answer = (await client.json({
    method: 'POST',
    path: `/${indices}/${pointInTime}`,
    query: { keep_alive: KEEP_ALIVE, ignore_unavailable: true },
    signal,
    purpose: PURPOSE,
  })) as { readonly id?: string; readonly pit_id?: string };
  const id = answer.id ?? answer.pit_id;
  return id === undefined ? undefined : { id };
}

/** The engine forgets it by itself after `KEEP_ALIVE`, so a failure here is none of the reader's. */
async function closePoint({ client, pointInTime }: EngineExport, point: Point | undefined): Promise<void> {
  if (point === undefined) return;
  const body = JSON.stringify(pointInTime === '_pit' ? { id: point.id } : { pit_id: [point.id] });
  try {
    await client.request({
      method: 'DELETE',
      path: `/${pointInTime}`,
      body,
      // The export's own signal may be aborted already.
      signal: new AbortController().signal,
      timeoutMs: CLOSE_MS_MAX,
      purpose: PURPOSE,
      accepts: [404],
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof AppError && error.code === 'not_found';
}

function isRefused(error: unknown): boolean {
  return error instanceof AppError && error.code === 'bad_request';
}
