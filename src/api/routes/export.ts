import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { ApiOptions } from '../api-options.ts';
import { abortSignalOf } from '../abort-signal.ts';
import { API_PREFIX } from '../api-types.ts';
import { toCsv } from '../csv.ts';
import { ALL_TIME, readQuery, readRange } from '../query-request.ts';
import { ExportParameters, schemaOf } from '../schemas.ts';

const MEDIA_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const;

/** Adds the route that streams every match, oldest first. */
export function addExportRoute(app: FastifyInstance, { store, scheduler, isKnownField }: ApiOptions): void {
  const schema = schemaOf({
    summary: 'Stream every match, oldest first',
    querystring: ExportParameters,
    answer: 'text',
    produces: MEDIA_TYPES.ndjson,
  });
  app.get<{ Querystring: z.output<typeof ExportParameters> }>(
    `${API_PREFIX}/export`,
    { schema },
    async ({ query: parameters }, reply) => {
      const nowNs = scheduler.nowNs();
      const request = {
        query: readQuery(parameters.query, nowNs, isKnownField),
        range: readRange(parameters, nowNs, ALL_TIME),
      };
      const blocks = store.export(request, abortSignalOf(reply));
      // The first block decides about the status: an error before it is still an error to the client.
      const stream = await startStream(parameters.format === 'csv' ? toCsv(blocks) : blocks);
      return reply
        .type(MEDIA_TYPES[parameters.format])
        .header('content-disposition', `attachment; filename="logboom.${parameters.format}"`)
        .send(stream);
    },
  );
}

async function startStream(blocks: AsyncIterable<Uint8Array>): Promise<Readable> {
  const iterator = blocks[Symbol.asyncIterator]();
  const first = await iterator.next();
  return Readable.from(rest(first, iterator), { objectMode: false });
}

async function* rest(
  first: IteratorResult<Uint8Array>,
  iterator: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  try {
    for (let result = first; result.done !== true; result = await iterator.next()) yield result.value;
  } finally {
    await iterator.return?.();
  }
}
