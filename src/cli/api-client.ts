/** Talks to a Logboom server's HTTP API, and says in words what went wrong. */
import { parseKeepingDigits } from '../base/exact-json.ts';
import { AppError, ConfigError, messageOf } from '../base/errors.ts';
import { API_PREFIX } from '../api/api-types.ts';
import type { ApiErrorBody } from '../api/api-types.ts';
import { REQUEST_OPTION } from './report-error.ts';

export interface ApiClientOptions {
  /** Without a slash at the end. */
  readonly serverUrl: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
}

export type QueryParameters = Readonly<Record<string, string | number | undefined>>;

export class ApiClient {
  readonly serverUrl: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;

  constructor(options: ApiClientOptions) {
    this.serverUrl = options.serverUrl;
    this.#token = options.token;
    this.#fetch = options.fetch;
  }

  /** Returns the answer's body as `T`, numbers with all their digits (base/exact-json.ts); throws ConfigError for what the person got wrong, AppError otherwise. */
  async getJson<T>(path: string, parameters: QueryParameters = {}, signal?: AbortSignal): Promise<T> {
    const response = await this.open(path, parameters, signal);
    return parseKeepingDigits(await response.text()) as T;
  }

  /** Opens a streaming answer. */
  async open(path: string, parameters: QueryParameters = {}, signal?: AbortSignal): Promise<Response> {
    const url = new URL(`${this.serverUrl}${API_PREFIX}${path}`);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return this.#request(url, {}, signal);
  }

  /** Sends a body as JSON, and opens the answer. */
  async post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return this.#request(new URL(`${this.serverUrl}${API_PREFIX}${path}`), init, signal);
  }

  async #request(url: URL, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await this.#fetch(url, { ...init, headers, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      throw this.#unreachable(error);
    }
    if (!response.ok) throw await this.#toError(response);
    return response;
  }

  #unreachable(error: unknown): AppError {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return new AppError('unreachable', `cannot reach a Logboom server at ${this.serverUrl}`, {
      cause: new Error(messageOf(cause) || 'no connection'),
      hint: 'Start one with `logboom up`, or name another with --server URL or LOGBOOM_SERVER.',
    });
  }

  async #toError(response: Response): Promise<Error> {
    const text = await response.text();
    const body = parseErrorBody(text);
    if (response.status === 401 || response.status === 403) {
      return new AppError('unauthorized', `cannot use the server at ${this.serverUrl}: it wants a token`, {
        hint: 'Give its server.token with --token or LOGBOOM_TOKEN.',
      });
    }
    if (body === undefined) {
      return new AppError(
        'unreachable',
        `cannot understand the answer of ${this.serverUrl}: HTTP ${response.status}`,
        {
          hint: 'Is a Logboom server listening there?',
        },
      );
    }
    const { message, hint } = body.error;
    if (response.status === 400 || response.status === 422)
      return new ConfigError(REQUEST_OPTION, message, hint);
    return new AppError('unreachable', `cannot get an answer of ${this.serverUrl}: ${message}`, { hint });
  }
}

function parseErrorBody(text: string): ApiErrorBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<ApiErrorBody> | null;
    return typeof body?.error?.message === 'string' ? { error: body.error } : undefined;
  } catch {
    return undefined;
  }
}
