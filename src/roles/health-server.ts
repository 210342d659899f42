import type { ServerResponse } from 'node:http';
import { AppError, messageOf, systemCodeOf } from '../base/errors.ts';
import type { Service } from '../base/service.ts';

// An `import` reads every name that the module has, and one of them loads the client of WebSockets: 6 MiB.
const { createServer } = process.getBuiltinModule('node:http');

export interface HealthServerOptions {
  /** `HOST:PORT`. */
  readonly listen: string;
  readonly problems: () => readonly { readonly part: string; readonly reason: string }[];
  readonly metricsText: () => Promise<string>;
}

export interface HealthServer extends Service {
  /** Listens; resolves with the address. Rejects with `port_in_use`. */
  start(): Promise<string>;
}

/** Serves `/healthz`, `/readyz` and `/metrics` of a role without an API. */
export function createHealthServer(options: HealthServerOptions): HealthServer {
  const stopped = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    void answer(options, request.url ?? '/', response);
  });
  return {
    name: 'health',
    start: () =>
      new Promise((resolve, reject) => {
        const colon = options.listen.lastIndexOf(':');
        const host = options.listen.slice(0, colon).replace(/^\[|\]$/g, '');
        server.once('error', (error) => reject(toAppError(options.listen, error)));
        server.listen(
          { port: Number(options.listen.slice(colon + 1)), ...(host === '' ? {} : { host }) },
          () => {
            const address = server.address();
            const port = typeof address === 'object' && address !== null ? address.port : 0;
            resolve(`http://${options.listen.slice(0, colon)}:${port}`);
          },
        );
      }),
    run: () => stopped.promise,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      stopped.resolve();
    },
    problem: () => undefined,
  };
}

async function answer(options: HealthServerOptions, url: string, response: ServerResponse): Promise<void> {
  const [path] = url.split('?', 1);
  if (path === '/healthz') return sendJson(response, 200, { healthy: true });
  if (path === '/readyz') {
    const problems = options.problems();
    const readiness = { ready: problems.length === 0, problems, warnings: [] };
    return sendJson(response, readiness.ready ? 200 : 503, readiness);
  }
  if (path === '/metrics') {
    response
      .setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8')
      .end(await options.metricsText());
    return;
  }
  sendJson(response, 404, { error: { code: 'not_found', message: `cannot find ${path}` } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8').end(JSON.stringify(body));
}

function toAppError(listen: string, cause: unknown): AppError {
  if (systemCodeOf(cause) === 'EADDRINUSE') {
    return new AppError('port_in_use', `cannot listen on ${listen}: another program does`, {
      cause,
      hint: 'Choose another address with --listen HOST:PORT, or stop the other program.',
    });
  }
  return new AppError('io_failed', `cannot listen on ${listen}: ${messageOf(cause)}`, {
    cause,
    hint: 'Choose another address with --listen HOST:PORT.',
  });
}
