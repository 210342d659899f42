import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ServerConfig } from '../config/config.ts';
import { API_PREFIX } from './api-types.ts';
import { errorAnswer } from './errors.ts';
import { LoginBody, schemaOf } from './schemas.ts';
import {
  isAuthorized,
  isHostAllowed,
  isOriginAllowed,
  isSameSecret,
  parseListen,
  SECURITY_HEADERS,
  SESSION_COOKIE,
  sessionOf,
} from './security.ts';

const LOGIN_PATH = `${API_PREFIX}/login`;
const SESSION_SECONDS = 30 * 86_400;

/** Lets only those requests through that may ask, and adds the login of the page. */
export function addGuard(app: FastifyInstance, config: ServerConfig): void {
  const { host } = parseListen(config.listen);
  const token = config.token === '' ? undefined : config.token;

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (request.url.startsWith(API_PREFIX)) reply.header('cache-control', 'no-store');
    const { headers } = request;
    if (!isHostAllowed(headers.host, host))
      return refuse(reply, 403, `cannot serve the host “${headers.host ?? ''}”`);
    if (
      request.method !== 'GET' &&
      request.method !== 'HEAD' &&
      !isOriginAllowed(headers.origin, headers.host)
    ) {
      return refuse(reply, 403, 'cannot take this request from another page');
    }
    if (token === undefined || !needsToken(request) || isAuthorized(headers, token)) return undefined;
    reply.header('www-authenticate', 'Bearer');
    return refuse(reply, 401, 'cannot answer without the token of this server');
  });

  app.post<{ Body: z.output<typeof LoginBody> }>(
    LOGIN_PATH,
    { schema: schemaOf({ summary: 'Exchange the token for a cookie', body: LoginBody, answer: 'login' }) },
    (request, reply) => {
      if (token === undefined || isSameSecret(request.body.token, token)) {
        const session = token === undefined ? '' : sessionOf(token);
        const cookie = `${SESSION_COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_SECONDS}`;
        return reply.header('set-cookie', cookie).send({ ok: true });
      }
      return refuse(reply, 401, 'cannot log in: this is not the token of the server');
    },
  );
}

function needsToken(request: FastifyRequest): boolean {
  const [path = ''] = request.url.split('?', 1);
  // The route decides, not the text of the address, which can be written in many ways.
  const route = request.routeOptions.url ?? path;
  if (route === LOGIN_PATH) return false;
  return route.startsWith('/api') || path.startsWith('/api') || route === '/metrics';
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  const isTokenMissing = status === 401;
  const hint = isTokenMissing
    ? 'Send it as “Authorization: Bearer TOKEN”, or set LOGBOOM_TOKEN for the command line.'
    : 'Use the address that the server listens on, such as http://127.0.0.1:6410.';
  const { body } = errorAnswer(status, isTokenMissing ? 'unauthorized' : 'forbidden', message, hint);
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}
