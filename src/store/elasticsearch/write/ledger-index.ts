/**
 * Where the ledger stands: one document per file, whose version is the record's sequence, so that the engine itself
 * refuses an older one. The whole record is in `record`, as it was; beside it only what is asked for.
 */
import type { LedgerRecord } from '../../../record/ledger.ts';

/** Returns what the index is created with. */
export function ledgerIndexBody(replicas: number): Readonly<Record<string, unknown>> {
  return {
    settings: {
      index: { number_of_shards: '1', number_of_replicas: String(replicas), refresh_interval: '1s' },
    },
    mappings: {
      dynamic: 'false',
      properties: {
        file: { type: 'keyword' },
        record: { type: 'object', enabled: false },
      },
    },
  };
}

/** Returns the bulk lines of a ledger record: it replaces every one of the same file with a lower sequence. */
export function ledgerLines(record: LedgerRecord, index: string): string {
  const action = {
    index: {
      _index: index,
      _id: record.fileId,
      version: record.sequence,
      version_type: 'external',
    },
  };
  return `${JSON.stringify(action)}\n${JSON.stringify({ file: record.fileId, record })}\n`;
}
