import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import type { ApiOptions } from '../api-options.ts';
import { API_PREFIX } from '../api-types.ts';
import { readQuery } from '../query-request.ts';
import { schemaOf, TailParameters } from '../schemas.ts';
import { TailStream } from '../tail-stream.ts';

/** A broker that is away does not keep a client from following what comes later. */
const FOLLOW_MS_MAX = 5_000;

/** Adds the route that follows what is stored from now on. */
export function addTailRoute(app: FastifyInstance, options: ApiOptions): void {
  const { tail, scheduler, telemetry, isKnownField } = options;
  const schema = schemaOf({
    summary: 'Follow new records as server-sent events',
    querystring: TailParameters,
    answer: 'text',
    produces: 'text/event-stream',
  });
  // A HEAD request would follow forever, unseen.
  const route = { schema, exposeHeadRoute: false };
  app.get<{ Querystring: z.output<typeof TailParameters> }>(
    `${API_PREFIX}/tail`,
    route,
    async (request, reply) => {
      const query = readQuery(request.query.query, scheduler.nowNs(), isKnownField);
      const stream = new TailStream(tail, query, scheduler);
      if (stream.isRefused) {
        stream.destroy();
        throw new AppError('too_busy', 'cannot follow: too many clients do already');
      }
      telemetry.gauge('logboom_api_tail_clients', tail.clientCount);
      stream.once('close', () => telemetry.gauge('logboom_api_tail_clients', tail.clientCount));
      if (options.follow !== undefined)
        await Promise.race([options.follow(), scheduler.sleep(FOLLOW_MS_MAX)]);
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(stream);
    },
  );
}
