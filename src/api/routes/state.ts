import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { formatTimestamp } from '../../record/timestamp.ts';
import { abortSignalOf } from '../abort-signal.ts';
import type { ApiOptions } from '../api-options.ts';
import type { AuditAnswer, ReadinessAnswer, SourcesAnswer, StatsAnswer } from '../api-types.ts';
import { API_PREFIX } from '../api-types.ts';
import { Auditor } from '../audit-run.ts';
import { AuditParameters, schemaOf } from '../schemas.ts';

/** Adds the routes that say how things stand. */
export function addStateRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { store, sources, tail } = options;
  const auditor = new Auditor(options);

  app.get(
    `${API_PREFIX}/stats`,
    { schema: schemaOf({ summary: 'What the store holds', answer: 'stats' }) },
    async (_request, reply): Promise<StatsAnswer> => {
      const { oldestNs, newestNs, ...stats } = await store.stats(abortSignalOf(reply));
      return {
        version: options.version,
        uptimeSeconds: Math.max(0, Math.round((options.scheduler.nowMs() - options.startedAtMs) / 1_000)),
        ...stats,
        oldest: oldestNs === undefined ? null : formatTimestamp(oldestNs),
        newest: newestNs === undefined ? null : formatTimestamp(newestNs),
        tails: tail.clientCount,
      };
    },
  );

  app.get<{ Querystring: z.output<typeof AuditParameters> }>(
    `${API_PREFIX}/audit`,
    {
      schema: schemaOf({
        summary: 'Compare what was written with what is found',
        querystring: AuditParameters,
        answer: 'audit',
      }),
    },
    ({ query: { waitMs } }, reply): Promise<AuditAnswer> => auditor.run(waitMs, abortSignalOf(reply)),
  );

  app.get(
    `${API_PREFIX}/sources`,
    { schema: schemaOf({ summary: 'What agents collect', answer: 'sources' }) },
    (_request, reply) => {
      const answer: SourcesAnswer = { sources: sources() };
      return reply.send(answer);
    },
  );
}

/** Adds the routes for supervisors and for Prometheus, which stand outside of the API's prefix. */
export function addHealthRoutes(app: FastifyInstance, { readiness, metricsText }: ApiOptions): void {
  app.get(
    '/healthz',
    { schema: schemaOf({ summary: 'Whether the process runs', answer: 'text' }) },
    (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'),
  );

  app.get(
    '/readyz',
    { schema: schemaOf({ summary: 'Whether every part does its work, and why not', answer: 'readiness' }) },
    (_request, reply) => {
      const answer: ReadinessAnswer = readiness();
      return reply.code(answer.ready ? 200 : 503).send(answer);
    },
  );

  app.get(
    '/metrics',
    { schema: schemaOf({ summary: 'Metrics in the text format of Prometheus', answer: 'text' }) },
    async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metricsText()),
  );
}
