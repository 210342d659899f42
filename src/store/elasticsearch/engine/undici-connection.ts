import { Pool } from 'undici';
import type { HttpAnswer, HttpConnection, HttpRequest } from './http-connection.ts';

/** Certificates and keys in PEM, as text. */
export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** False turns the check of the server's certificate off. */
  readonly isVerified: boolean;
}

export interface UndiciOptions {
  readonly tls: TlsMaterial | undefined;
  /** Requests beyond wait for a connection. */
  readonly connectionsMax: number;
}

const CONNECT_MS_MAX = 10_000;

/** Idle connections are closed before the usual load balancer (60 s) does it in the middle of a request. */
const KEEP_ALIVE_MS = 30_000;

/** Opens connections to one node, `http://` or `https://`, on demand; nothing is sent before the first request. */
export function openUndiciConnection(origin: string, options: UndiciOptions): HttpConnection {
  const { tls } = options;
  const pool = new Pool(origin, {
    connections: options.connectionsMax,
    keepAliveTimeout: KEEP_ALIVE_MS,
    pipelining: 1,
    connect: {
      timeout: CONNECT_MS_MAX,
      ...(tls === undefined ? {} : { rejectUnauthorized: tls.isVerified }),
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.certificate === undefined ? {} : { cert: tls.certificate }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
    },
  });
  return {
    send: (request) => send(pool, request),
    close: () => pool.destroy(),
  };
}

async function send(pool: Pool, request: HttpRequest): Promise<HttpAnswer> {
  const { method, path, headers, body, timeoutMs, signal } = request;
  const answer = await pool.request({
    method,
    path,
    headers: { ...headers },
    body: body ?? null,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    signal,
  });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}
