import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorAnswer } from './errors.ts';

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Logboom</title>
<p>The page is not built. Run <code>npm run build</code>, or use <code>logboom search</code>.</p></html>
`;

/** Serves the built page, and its first file for every address that the page understands itself. */
export async function addPage(app: FastifyInstance, webRoot: string | undefined): Promise<void> {
  if (webRoot === undefined) {
    app.get('/', { schema: { hide: true } }, (_request, reply) =>
      reply.type('text/html; charset=utf-8').send(NOT_BUILT),
    );
  } else {
    await app.register(fastifyStatic, {
      root: webRoot,
      cacheControl: false,
      setHeaders: (reply, path) => {
        // Names below `assets` change with their content.
        const isHashed = path.startsWith(join(webRoot, 'assets'));
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (webRoot !== undefined && isPageAddress(request)) return reply.sendFile('index.html');
    return sendNotFound(request, reply);
  });
}

function isPageAddress({ method, url, headers }: FastifyRequest): boolean {
  const [path = ''] = url.split('?', 1);
  if (method !== 'GET' || path.startsWith('/api') || /\.[a-z0-9]+$/i.test(path)) return false;
  return headers.accept?.includes('text/html') === true;
}

function sendNotFound({ method, url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = ''] = url.split('?', 1);
  const { body } = errorAnswer(
    404,
    'not_found',
    `cannot find ${method} ${path.slice(0, 200)}`,
    'GET /openapi.json lists what there is.',
  );
  return reply.code(404).type('application/json; charset=utf-8').send(JSON.stringify(body));
}
