/** Requests to the Kubernetes API over Node's own HTTP: two kinds of GET need no client library (ADR 12). */
import type { RequestOptions } from 'node:http';
import type { RequestOptions as SecureRequestOptions } from 'node:https';
import { AppError, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { ApiAccess } from './api-access.ts';

// An `import` reads every name that the module has, and one of them loads the client of WebSockets: 6 MiB.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

export interface ApiAnswer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** To be read to its end, or left by aborting the request. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface KubernetesApi {
  /** Asks for a path with its query; rejects with an AppError when no answer comes. */
  get(path: string, signal: AbortSignal): Promise<ApiAnswer>;
}

/** Between two machines a connection may break without either noticing: the system asks after this time. */
const KEEP_ALIVE_MS = 30_000;

/** Makes a client; `readAccess` is asked for every request. */
export function createKubernetesApi(readAccess: () => ApiAccess): KubernetesApi {
  return { get: (path, signal) => sendGet(readAccess, path, signal) };
}

function sendGet(readAccess: () => ApiAccess, path: string, signal: AbortSignal): Promise<ApiAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
  let server = 'the Kubernetes API';
  const fail = (error: unknown): void => reject(unreachable(server, error));
  try {
    const access = readAccess();
    ({ server } = access);
    const request = access.server.startsWith('https:')
      ? https.request(`${server}${path}`, { ...optionsOf(access), ...tlsOf(access), signal })
      : http.request(`${server}${path}`, { ...optionsOf(access), signal });
    request.on('error', fail);
    request.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    request.on('response', (response) => {
      // Whoever reads the body is told; an answer that nobody reads may end as it likes.
      response.on('error', () => undefined);
      const seconds = Number(response.headers['retry-after']);
      resolve({
        status: response.statusCode ?? 0,
        retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
        body: response,
      });
    });
    request.end();
  } catch (error) {
    fail(error);
  }
  return promise;
}

function optionsOf({ token }: ApiAccess): RequestOptions {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'logboom' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  // A connection of its own: what was replaced on disk counts from the next request on.
  return { agent: false, headers };
}

function tlsOf({ ca, certificate, key, isVerified, serverName }: ApiAccess): SecureRequestOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: isVerified,
  };
}

function unreachable(server: string, error: unknown): AppError {
  const code = systemCodeOf(error) ?? '';
  const isCertificate = code.startsWith('CERT_') || /CERT|ALTNAME|SIGNATURE/.test(code);
  return new AppError('unreachable', `cannot reach ${server} (${messageOf(error)})`, {
    cause: error,
    hint: isCertificate
      ? 'Is the authority (ca.crt, certificate-authority) that of this API server?'
      : undefined,
  });
}
