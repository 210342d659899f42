import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { AppError, messageOf } from '../../base/errors.ts';
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
      const signal = abortSignalOf(reply);
      const blocks = openBlocks(options, parameters.format, request, signal);
      const stream = await startStream(blocks, (error) => {
        if (!signal.aborted) reportBroken(options, error);
      });
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

/** The status is sent already: all that is left is to break the stream off, and to say why in the log. */
function reportBroken({ telemetry }: ApiOptions, error: unknown): void {
  const text = `an export broke off, and its client got a part: ${messageOf(error)}`;
  telemetry.log('error', 'export_failed', text, { stack: error instanceof Error ? error.stack : undefined });
}

async function startStream(
  blocks: AsyncIterable<Uint8Array>,
  onBroken: (error: unknown) => void,
): Promise<Readable> {
  const iterator = blocks[Symbol.asyncIterator]();
  const first = await iterator.next();
  return Readable.from(rest(first, iterator, onBroken), { objectMode: false });
}

async function* rest(
  first: IteratorResult<Uint8Array>,
  iterator: AsyncIterator<Uint8Array>,
  onBroken: (error: unknown) => void,
): AsyncIterable<Uint8Array> {
  try {
    for (let result = first; result.done !== true; result = await iterator.next()) yield result.value;
  } catch (error) {
    onBroken(error);
    throw error;
  } finally {
    await iterator.return?.();
  }
}
