import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import type { ExportRequest } from '../../store/store.ts';
import type { ApiOptions } from '../api-options.ts';
import { abortSignalOf } from '../abort-signal.ts';
import { API_PREFIX } from '../api-types.ts';
import { toCsv } from '../csv.ts';
import { ALL_TIME, readQuery, readRange } from '../query-request.ts';
import { ExportParameters, schemaOf } from '../schemas.ts';

const MEDIA_TYPES = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
} as const;

/** Adds the route that streams every match, oldest first. */
export function addExportRoute(app: FastifyInstance, options: ApiOptions): void {
  const { scheduler, isKnownField } = options;
  const schema = schemaOf({
    summary: 'Stream every match, oldest first',
    querystring: ExportParameters,
    answer: 'text',
    produces: MEDIA_TYPES.ndjson,
  });
  app.get<{ Querystring: z.output<typeof ExportParameters> }>(
    `${API_PREFIX}/export`,
    { schema, exposeHeadRoute: false },
    async ({ query: parameters }, reply) => {
      const nowNs = scheduler.nowNs();
      const request = {
        query: readQuery(parameters.query, nowNs, isKnownField),
        range: readRange(parameters, nowNs, ALL_TIME),
      };
      // The first block decides about the status: an error before it is still an error to the client.
      const stream = await startStream(openBlocks(options, parameters.format, request, abortSignalOf(reply)));
      return reply
        .type(MEDIA_TYPES[parameters.format])
        .header('content-disposition', `attachment; filename="logboom.${parameters.format}"`)
        .send(stream);
    },
  );
}

function openBlocks(
  { store, exportParquet }: ApiOptions,
  format: keyof typeof MEDIA_TYPES,
  request: ExportRequest,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (format === 'ndjson') return store.export(request, signal);
  if (format === 'csv') return toCsv(store.export(request, signal));
  if (exportParquet !== undefined) return exportParquet(request, signal);
  throw new AppError('bad_request', 'cannot export as parquet: this store does not write it', {
    hint: 'Export as ndjson, which DuckDB, Polars and Spark read too.',
  });
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
