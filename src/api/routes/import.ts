import type { FastifyInstance } from 'fastify';
import { AppError } from '../../base/errors.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import { abortSignalOf } from '../abort-signal.ts';
import type { ApiOptions } from '../api-options.ts';
import type { ImportAnswer } from '../api-types.ts';
import { API_PREFIX, IMPORT_BODY_BYTES_MAX } from '../api-types.ts';
import { readImportBatches } from '../import-batches.ts';
import { readLedgerRecords } from '../import-ledger.ts';
import { schemaOf } from '../schemas.ts';

const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** Adds the routes that take records and ledger records from agents and from `logboom import`. */
export function addImportRoutes(app: FastifyInstance, { submit, submitLedger, store }: ApiOptions): void {
  app.addContentTypeParser(
    NDJSON_TYPES,
    { parseAs: 'buffer', bodyLimit: IMPORT_BODY_BYTES_MAX },
    (_request, body, done) => {
      done(null, body);
    },
  );
  const bodyLimit = IMPORT_BODY_BYTES_MAX;

  app.post(
    `${API_PREFIX}/import`,
    {
      bodyLimit,
      schema: schemaOf({
        summary: 'Store documents (NDJSON); answers when they are durable',
        answer: 'import',
      }),
    },
    async ({ body }): Promise<ImportAnswer> => {
      const batches = readImportBatches(bytesOf(body));
      if (batches.length > 0) await submit(batches);
      return { accepted: batches.reduce((total, { count }) => total + count, 0) };
    },
  );

  app.post(
    `${API_PREFIX}/ledger`,
    {
      bodyLimit,
      schema: schemaOf({ summary: 'Store what an agent says of its files (NDJSON)', answer: 'import' }),
    },
    async ({ body }, reply): Promise<ImportAnswer> => {
      const records: readonly LedgerRecord[] = readLedgerRecords(bytesOf(body));
      if (submitLedger !== undefined) await submitLedger(records);
      else await store.appendLedger(records, abortSignalOf(reply));
      return { accepted: records.length };
    },
  );
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  throw new AppError('bad_request', 'cannot import a body that is no NDJSON', {
    hint: 'Send NDJSON with the content type application/x-ndjson.',
  });
}
