/**
 * Requests to an Elasticsearch or OpenSearch cluster over several nodes. Everything that is sent may be sent twice:
 * documents have ids of their own, so a request whose answer was lost goes to the next node.
 */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { AppError } from '../../../base/errors.ts';
import type { ElasticsearchConfig } from '../../../config/config.ts';
import { answerError, networkError } from './engine-error.ts';
import { HostRingState } from './host-ring-state.ts';
import type { HttpAnswer, HttpConnection, HttpRequest } from './http-connection.ts';

const compress = promisify(gzip);

const REQUEST_MS_MAX = 60_000;

/** Smaller bodies are sent as they are: compressing them costs more than it saves. */
const COMPRESSED_BYTES_MIN = 2_048;

/** Answers of a node that is starting, leaving, or behind a proxy that lost it: another node may do better. */
const NODE_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

export interface EngineRequest {
  readonly method: HttpRequest['method'];
  /** Begins with `/`; names in it are encoded by the caller. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** JSON text or NDJSON bytes. */
  readonly body?: string | Uint8Array;
  readonly contentType?: 'application/json' | 'application/x-ndjson';
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  /** What fails when it fails, behind “cannot”: `search logs`. */
  readonly purpose: string;
  /** Statuses besides 2xx that are returned instead of thrown; `any` still asks another node after 502 to 504. */
  readonly accepts?: readonly number[] | 'any';
}

export interface EngineAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: HttpAnswer['headers'];
  /** The body, parsed. Throws `unreachable` when it is no JSON: what answered is not the engine. */
  json(): unknown;
}

export interface EngineClientOptions {
  readonly config: Pick<ElasticsearchConfig, 'urls' | 'auth' | 'bulk'>;
  readonly connect: (url: string) => HttpConnection;
  readonly nowMs: () => number;
}

export class EngineClient {
  readonly #ring: HostRingState;
  readonly #connections = new Map<string, HttpConnection>();
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: EngineClientOptions;
  readonly #prefixes = new Map<string, string>();

  constructor(options: EngineClientOptions) {
    const { urls, auth } = options.config;
    this.#options = options;
    this.#ring = new HostRingState(urls);
    const authorization = authorizationOf(auth);
    this.#headers = authorization === undefined ? {} : { authorization };
    for (const url of urls) this.#prefixes.set(url, new URL(url).pathname.replace(/\/+$/, ''));
  }

  /**
   * Sends a request to the first node that answers. Throws an `AppError` when none does, or when the answer's status is
   * neither 2xx nor one of `accepts`; `aborted` when the signal is.
   */
  async request(request: EngineRequest): Promise<EngineAnswer> {
    const sent = await this.#encode(request);
    const { purpose, signal } = request;
    let failure: AppError | undefined;
    for (const url of this.#ring.candidates(this.#options.nowMs())) {
      if (signal.aborted) throw new AppError('aborted', `cannot ${purpose}`, { cause: signal.reason });
      const outcome = await this.#try(url, request, sent);
      if (!(outcome instanceof AppError)) return outcome;
      if (!outcome.retryable || outcome.code === 'timed_out') throw outcome;
      failure = outcome;
    }
    throw failure ?? new AppError('unreachable', `cannot ${purpose}`);
  }

  /** The same, with the body parsed. */
  async json(request: EngineRequest): Promise<unknown> {
    return (await this.request(request)).json();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
    this.#connections.clear();
  }

  /** Asks one node. Returns the error when another node may be asked, throws it when none need be. */
  async #try(url: string, request: EngineRequest, sent: EncodedBody): Promise<EngineAnswer | AppError> {
    const { method, purpose, signal, accepts = [] } = request;
    let answer: HttpAnswer;
    try {
      answer = await this.#connection(url).send({
        method,
        path: `${this.#prefixes.get(url) ?? ''}${request.path}${queryText(request.query)}`,
        headers: { ...this.#headers, ...sent.headers },
        body: sent.body,
        timeoutMs: request.timeoutMs ?? REQUEST_MS_MAX,
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw new AppError('aborted', `cannot ${purpose}`, { cause });
      this.#ring.failed(url, this.#options.nowMs());
      return networkError(purpose, url, cause);
    }
    const { status, text, headers } = answer;
    const isAccepted = accepts === 'any' || accepts.includes(status);
    if (NODE_STATUSES.has(status) && (accepts === 'any' || !isAccepted)) {
      this.#ring.failed(url, this.#options.nowMs());
      return answerError(purpose, url, answer);
    }
    this.#ring.succeeded(url);
    if ((status < 200 || status > 299) && !isAccepted) throw answerError(purpose, url, answer);
    return { status, text, headers, json: () => parseBody(purpose, url, answer) };
  }

  #connection(url: string): HttpConnection {
    let connection = this.#connections.get(url);
    if (connection === undefined) {
      connection = this.#options.connect(new URL(url).origin);
      this.#connections.set(url, connection);
    }
    return connection;
  }

  async #encode({ body, contentType = 'application/json' }: EngineRequest): Promise<EncodedBody> {
    if (body === undefined) return { headers: {}, body: undefined };
    const isCompressed =
      this.#options.config.bulk.compression === 'gzip' && body.length >= COMPRESSED_BYTES_MIN;
    if (!isCompressed) return { headers: { 'content-type': contentType }, body };
    return {
      headers: { 'content-type': contentType, 'content-encoding': 'gzip' },
      body: await compress(body, { level: constants.Z_BEST_SPEED }),
    };
  }
}

interface EncodedBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

function authorizationOf(auth: ElasticsearchConfig['auth']): string | undefined {
  switch (auth.kind) {
    case 'basic':
      return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
    case 'api_key':
      // The engine shows keys both ways; `id:key` has to be encoded.
      return `ApiKey ${auth.apiKey.includes(':') ? Buffer.from(auth.apiKey).toString('base64') : auth.apiKey}`;
    default:
      return undefined;
  }
}

function queryText(query: EngineRequest['query']): string {
  if (query === undefined) return '';
  const pairs = Object.entries(query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function parseBody(purpose: string, url: string, { text, status }: HttpAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('unreachable', `cannot ${purpose}`, {
      cause,
      details: { url, status, reason: 'the answer is no JSON' },
      hint: `Look whether ${url} is the engine itself, and not another service or a proxy (store.urls).`,
    });
  }
}
