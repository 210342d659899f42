/** Calls of the server's API. Every failure is an `ApiFailure` that says in words what went wrong. */
import type {
  ApiErrorBody,
  DeadLetterSelection,
  DiscardAnswer,
  HistogramAnswer,
  ReadinessAnswer,
  ReplayProgress,
  SearchAnswer,
} from '../api/api-types.ts';
import { API_PREFIX } from '../api/api-types.ts';
import { monotonicMs } from './browser.ts';
import type { Bucket } from './model/histogram-layout.ts';
import { timestampMs } from './model/timestamp.ts';

export type FailureKind = 'unreachable' | 'unauthorized' | 'rejected' | 'unavailable';

/** Why a call failed; `hint` says what the reader can do. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly kind: FailureKind;
  readonly hint: string | undefined;

  constructor(kind: FailureKind, message: string, hint?: string) {
    super(message);
    this.kind = kind;
    this.hint = hint;
  }

  /** Whether the same call can succeed later without the reader changing anything. */
  get isRetryable(): boolean {
    return this.kind === 'unreachable' || this.kind === 'unavailable';
  }
}

export interface SearchParams {
  readonly query: string;
  readonly start: string;
  readonly end: string;
}

export interface SearchPageResult extends SearchAnswer {
  /** From asking to having read the answer. */
  readonly tookMs: number;
}

/** Records that one page of the list holds. */
export const PAGE_RECORDS = 200;

/** Reads one page of records, newest first. */
export async function fetchSearch(
  params: SearchParams,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<SearchPageResult> {
  const startedMs = monotonicMs();
  const options = {
    ...params,
    limit: String(PAGE_RECORDS),
    order: 'desc',
    ...(cursor === undefined ? {} : { cursor }),
  };
  const page = await getJson<SearchAnswer>('/search', options, signal);
  return { ...page, tookMs: monotonicMs() - startedMs };
}

/** Reads the counts of a range in buckets, split by the values of `by`. */
export async function fetchHistogram(
  params: SearchParams & { buckets: number; by: string },
  signal: AbortSignal,
): Promise<Bucket[]> {
  const query = { ...params, buckets: String(params.buckets) };
  const answer = await getJson<HistogramAnswer>('/histogram', query, signal);
  return answer.buckets.map(({ time, count, by }) => ({ timeMs: timestampMs(time) ?? 0, count, by }));
}

/** Reads any other resource by its path within the API. */
export async function fetchResource<T>(
  path: string,
  signal: AbortSignal,
  params: Readonly<Record<string, string>> = {},
): Promise<T> {
  return getJson<T>(path, params, signal);
}

/** Reads what keeps the server from collecting; a 503 here is an answer, not a failure. */
export async function fetchReadiness(signal: AbortSignal): Promise<ReadinessAnswer> {
  const response = await request('/readyz', { signal });
  if (response.status !== 200 && response.status !== 503) throw await failureOf(response);
  const body = (await response.json()) as Partial<ReadinessAnswer>;
  return { ready: body.ready ?? response.ok, problems: body.problems ?? [], warnings: body.warnings ?? [] };
}

/** Sends dead letters to the store once more; `onProgress` is told how far it is. */
export async function replayDeadLetters(
  selection: DeadLetterSelection,
  onProgress: (progress: ReplayProgress) => void,
): Promise<ReplayProgress> {
  const response = await postJson('/dead-letters/replay', selection);
  let last: ReplayProgress | undefined;
  let text = '';
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) break;
    text += decoder.decode(chunk.value, { stream: true });
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) last = JSON.parse(line) as ReplayProgress;
    if (last !== undefined) onProgress(last);
  }
  if (last?.error !== undefined) throw new ApiFailure('unavailable', last.error.message, last.error.hint);
  if (last?.isDone === true) return last;
  throw new ApiFailure(
    'unreachable',
    'The server closed the connection.',
    'Replay again: nothing is stored twice.',
  );
}

/** Gives dead letters up for good. */
export async function discardDeadLetters(selection: DeadLetterSelection): Promise<DiscardAnswer> {
  const response = await postJson('/dead-letters/discard', selection);
  return (await response.json()) as DiscardAnswer;
}

/** Exchanges the server's token for a cookie. */
export async function login(token: string): Promise<void> {
  await postJson('/login', { token });
}

async function postJson(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const response = await request(`${API_PREFIX}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await failureOf(response);
  return response;
}

/** Returns the address under which the browser downloads every match. */
export function exportUrl(params: SearchParams): string {
  return `${API_PREFIX}/export?${new URLSearchParams({ ...params, format: 'ndjson' }).toString()}`;
}

async function getJson<T>(
  path: string,
  params: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<T> {
  const search = new URLSearchParams(params).toString();
  const response = await request(`${API_PREFIX}${path}${search === '' ? '' : `?${search}`}`, { signal });
  if (!response.ok) throw await failureOf(response);
  return (await response.json()) as T;
}

async function request(url: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...options, credentials: 'same-origin' });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new ApiFailure(
      'unreachable',
      `The server at ${location.host} does not answer.`,
      'Is `logboom up` running?',
    );
  }
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const { message, hint } = await errorBody(response);
  if (response.status === 401)
    return new ApiFailure('unauthorized', message ?? 'This server asks for a token.', hint);
  if (response.status >= 500)
    return new ApiFailure('unavailable', message ?? 'The server cannot answer now.', hint);
  return new ApiFailure('rejected', message ?? `The server answered ${response.status}.`, hint);
}

async function errorBody(response: Response): Promise<Partial<ApiErrorBody['error']>> {
  try {
    const body = (await response.json()) as Partial<ApiErrorBody>;
    return body.error ?? {};
  } catch {
    return {};
  }
}

/** Returns the address of the stream of new records. */
export function tailUrl(query: string): string {
  return `${API_PREFIX}/tail?${new URLSearchParams({ query }).toString()}`;
}
