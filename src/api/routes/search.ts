import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { parseTime } from '../../query/time-range.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import type { SearchPage, TimeRange } from '../../store/store.ts';
import type { ApiOptions } from '../api-options.ts';
import type { HistogramAnswer } from '../api-types.ts';
import { API_PREFIX, START_DEFAULT } from '../api-types.ts';
import { resolveField } from '../../query/fields.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { abortSignalOf } from '../abort-signal.ts';
import { readQuery, readRange } from '../query-request.ts';
import { HistogramParameters, schemaOf, SearchParameters } from '../schemas.ts';

const SPAN_YEARS_MAX = 200;
const SPAN_NS_MAX = BigInt(SPAN_YEARS_MAX * 366) * 86_400_000_000_000n;

/** Adds the routes that read pages and counts. */
export function addSearchRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { store, scheduler, isKnownField } = options;

  app.get<{ Querystring: z.output<typeof SearchParameters> }>(
    `${API_PREFIX}/search`,
    { schema: schemaOf({ summary: 'Find records', querystring: SearchParameters, answer: 'search' }) },
    async ({ query: parameters }, reply) => {
      const { query, start, end, order, limit } = parameters;
      const bound = [query, start ?? '', end ?? '', order];
      const cursor = parameters.cursor === undefined ? undefined : decodeCursor(parameters.cursor, bound);
      const nowNs = cursor?.nowNs ?? scheduler.nowNs();
      const request = {
        query: readQuery(query, nowNs, isKnownField),
        range: readRange({ start, end }, nowNs, lastHour(nowNs)),
        order,
        limit,
        after: cursor?.after,
      };
      const page = await store.search(request, abortSignalOf(reply));
      const after = page.next;
      const next = after === undefined ? null : encodeCursor({ nowNs, after }, bound);
      return reply.type('application/json; charset=utf-8').send(searchAnswerText(page, next));
    },
  );

  app.get<{ Querystring: z.output<typeof HistogramParameters> }>(
    `${API_PREFIX}/histogram`,
    {
      schema: schemaOf({
        summary: 'Count records over time',
        querystring: HistogramParameters,
        answer: 'histogram',
      }),
    },
    async ({ query: parameters }, reply): Promise<HistogramAnswer> => {
      const nowNs = scheduler.nowNs();
      const { by } = parameters;
      const request = {
        query: readQuery(parameters.query, nowNs, isKnownField),
        range: checkSpan(readRange(parameters, nowNs, lastHour(nowNs))),
        bucketCount: parameters.buckets,
        by: by === undefined ? undefined : resolveField(by).paths,
      };
      const buckets = await store.histogram(request, abortSignalOf(reply));
      return {
        buckets: buckets.map(({ startNs, count, by: counts }) => ({
          time: formatTimestamp(startNs),
          count,
          ...(counts === undefined ? {} : { by: counts }),
        })),
      };
    },
  );
}

/** Stores compute with times in 64 bits: the distance between two must fit, too. */
function checkSpan(range: TimeRange): TimeRange {
  if (range.endNs - range.startNs <= SPAN_NS_MAX) return range;
  throw new AppError('bad_request', `cannot count over more than ${SPAN_YEARS_MAX} years`);
}

function lastHour(nowNs: bigint): TimeRange {
  return { startNs: parseTime(START_DEFAULT, nowNs) ?? nowNs, endNs: nowNs };
}

/** Documents are texts already: parsing them to write them again would cost time, and digits of big numbers. */
function searchAnswerText({ documents }: SearchPage, cursor: string | null): string {
  return `{"records":[${documents.join(',')}],"cursor":${JSON.stringify(cursor)}}`;
}
