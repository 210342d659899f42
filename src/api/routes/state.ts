import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { formatTimestamp, parseTimestamp } from '../../record/timestamp.ts';
import type { SortOrder, Store, StoreStats } from '../../store/store.ts';
import { abortSignalOf } from '../abort-signal.ts';
import type { ApiOptions } from '../api-options.ts';
import type { AuditAnswer, ForgetAnswer, ReadinessAnswer, SourcesAnswer, StatsAnswer } from '../api-types.ts';
import { lookOrExplain, type AgentWatch } from '../agent-watch.ts';
import { AGENTS_LIMIT_MAX, API_PREFIX } from '../api-types.ts';
import { Auditor } from '../audit-run.ts';
import { AuditParameters, ForgetBody, schemaOf } from '../schemas.ts';

const NS_PER_SECOND = 1_000_000_000n;

/** Adds the routes that say how things stand. */
export function addStateRoutes(app: FastifyInstance, options: ApiOptions, watch: AgentWatch): void {
  const { store, sources, tail } = options;
  const auditor = new Auditor(options, watch);

  app.get(
    `${API_PREFIX}/stats`,
    { schema: schemaOf({ summary: 'What the store holds', answer: 'stats' }) },
    async (_request, reply): Promise<StatsAnswer> => {
      const signal = abortSignalOf(reply);
      const { oldestNs, newestNs, namespaces, ...stats } = await store.stats(signal);
      const [oldest, newest] = await Promise.all([
        exactTime(store, { boundNs: oldestNs, order: 'asc' }, signal),
        exactTime(store, { boundNs: newestNs, order: 'desc' }, signal),
      ]);
      return {
        version: options.version,
        uptimeSeconds: Math.max(0, Math.round((options.scheduler.nowMs() - options.startedAtMs) / 1_000)),
        ...stats,
        namespaces: withoutNamespace(namespaces, stats.records),
        oldest,
        newest,
        tails: tail.clientCount,
        agents: (await lookOrExplain(watch, signal)).agents.slice(0, AGENTS_LIMIT_MAX),
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

  app.post<{ Body: z.output<typeof ForgetBody> }>(
    `${API_PREFIX}/agents/forget`,
    {
      schema: schemaOf({
        summary: 'Give up the silent agents of a node that is gone for good',
        body: ForgetBody,
        answer: 'forget',
      }),
    },
    async ({ body: { node } }, reply): Promise<ForgetAnswer> => ({
      forgotten: await watch.forget(node, abortSignalOf(reply)),
    }),
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

/** A store may know its first and last time only to the second: looks for the record that stands there. */
async function exactTime(
  store: Store,
  { boundNs, order }: { boundNs: bigint | undefined; order: SortOrder },
  signal: AbortSignal,
): Promise<string | null> {
  if (boundNs === undefined) return null;
  const startNs = order === 'asc' ? boundNs : boundNs - NS_PER_SECOND + 1n;
  const range = { startNs: startNs < 0n ? 0n : startNs, endNs: startNs + NS_PER_SECOND };
  const query = { kind: 'all' } as const;
  const { documents } = await store.search({ query, range, order, limit: 1, after: undefined }, signal);
  const { '@timestamp': time } = JSON.parse(documents[0] ?? '{}') as { '@timestamp'?: unknown };
  const exactNs = typeof time === 'string' ? parseTimestamp(time) : undefined;
  return formatTimestamp(exactNs ?? boundNs);
}

/** Returns the namespaces with the records that have none among them, the largest first. */
function withoutNamespace(namespaces: StoreStats['namespaces'], records: number): StoreStats['namespaces'] {
  const rest = records - namespaces.reduce((total, named) => total + named.records, 0);
  if (rest <= 0) return namespaces;
  return [...namespaces, { namespace: '', records: rest }].toSorted(
    (left, right) => right.records - left.records,
  );
}
