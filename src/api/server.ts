import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod';
import { AppError, ConfigError, messageOf, systemCodeOf } from '../base/errors.ts';
import type { Service } from '../base/service.ts';
import { createAgentWatch, type AgentWatch } from './agent-watch.ts';
import type { ApiOptions } from './api-options.ts';
import { createErrorHandler, answerOf } from './errors.ts';
import { addGuard } from './guard.ts';
import { addPage } from './page.ts';
import { addDeadLetterRoutes } from './routes/dead-letters.ts';
import { addExportRoute } from './routes/export.ts';
import { addImportRoutes } from './routes/import.ts';
import { addSearchRoutes } from './routes/search.ts';
import { addHealthRoutes, addStateRoutes } from './routes/state.ts';
import { addTailRoute } from './routes/tail.ts';
import type { ListenAddress } from './security.ts';
import { checkExposure, parseListen, SECURITY_HEADERS } from './security.ts';

export interface ApiServer extends Service {
  /** `http://host:port` once `start` has resolved. */
  readonly address: string | undefined;
  /** Listens; resolves with the address. `run` does it if nobody did. */
  start(): Promise<string>;
}

/** Longest body of a request that is no import. */
const BODY_BYTES_MAX = 64 * 1024;

/** Makes the HTTP server. Throws ConfigError when it would be open to everybody; starting rejects with `port_in_use`. */
export function createApiServer(options: ApiOptions): ApiServer {
  checkExposure(options.config);
  const listen = parseListen(options.config.listen);
  const stopped = Promise.withResolvers<undefined>();
  let app: FastifyInstance | undefined;
  let starting: Promise<string> | undefined;
  let address: string | undefined;
  const open = async (): Promise<string> => {
    app = await buildApp(options);
    address = await listenOn(app, listen);
    return address;
  };
  const start = (): Promise<string> => (starting ??= open());
  return {
    name: 'api',
    get address() {
      return address;
    },
    start,
    async run() {
      await start();
      await stopped.promise;
    },
    async stop() {
      await starting?.catch(() => undefined);
      await app?.close();
      stopped.resolve(undefined);
    },
    problem: () => undefined,
  };
}

/** Builds the application without listening: tests inject requests into it. */
export async function buildApp(options: ApiOptions): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    // Live tails never end by themselves.
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = answerOf(error);
      reply.raw.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...SECURITY_HEADERS });
      reply.raw.end(JSON.stringify(body));
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(createErrorHandler(options.telemetry));
  observe(app, options);
  await app.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Logboom', version: options.version } },
    transform: jsonSchemaTransform,
  });
  addGuard(app, options.config);
  addSearchRoutes(app, options);
  addExportRoute(app, options);
  addTailRoute(app, options);
  addStateRoutes(app, options, startAgentWatch(app, options));
  addImportRoutes(app, options);
  addDeadLetterRoutes(app, options);
  addHealthRoutes(app, options);
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
  await addPage(app, options.webRoot);
  return app;
}

/** Looks after agents for as long as the application is open. */
function startAgentWatch(app: FastifyInstance, options: ApiOptions): AgentWatch {
  const watch = createAgentWatch(options);
  app.addHook('onListen', async () => watch.start());
  app.addHook('onClose', async () => watch.close());
  return watch;
}

function observe(app: FastifyInstance, { telemetry }: ApiOptions): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    telemetry.count('logboom_api_requests_total', 1, { route, status: String(reply.statusCode) });
    // A tail lasts as long as somebody looks at it, which is no measure of the server.
    if (!route.endsWith('/tail'))
      telemetry.observe('logboom_api_request_seconds', reply.elapsedTime / 1_000, { route });
    done();
  });
}

async function listenOn(app: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    throw listenError(error, host, port);
  }
}

function listenError(error: unknown, host: string, port: number): Error {
  const code = systemCodeOf(error);
  const place = `${host}:${port}`;
  if (code === 'EADDRINUSE') {
    return new AppError('port_in_use', `cannot listen on ${place}: another program does`, {
      cause: error,
      hint: 'Choose another port with --listen HOST:PORT, or stop the other program.',
    });
  }
  if (code === 'EACCES') {
    return new AppError('permission_denied', `cannot listen on ${place}`, {
      cause: error,
      hint: 'Ports below 1024 need privileges: choose another with --listen HOST:PORT.',
    });
  }
  return new ConfigError('server.listen', `cannot listen on ${place}: ${messageOf(error)}`);
}
