/**
 * Where it stands which records pipelines dropped on purpose: one small document per record, with the record's own id,
 * so that a redelivery changes nothing. Only the audit reads it. An index holds a month of events, and goes when the logs of
 * that month do: what it held is remembered as counts.
 */
import { eventIdOf } from '../../../record/identity.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import type { BulkItem, BulkPayload } from './bulk-payload.ts';
import { payloadOf } from './bulk-payload.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';
import { droppedIndex } from './index-router.ts';

/** Returns what its indices are made from. */
export function droppedTemplate(replicas: number): {
  readonly settings: { readonly index: Readonly<Record<string, unknown>> };
  readonly mappings: Readonly<Record<string, unknown>>;
} {
  const number = { type: 'integer', index: false };
  return {
    settings: {
      index: { number_of_shards: '1', number_of_replicas: String(replicas), refresh_interval: '10s' },
    },
    mappings: {
      dynamic: 'false',
      // Nobody reads the documents.
      _source: { enabled: false },
      properties: {
        offset: { type: 'long' },
        [PRIVATE_MEMBER]: { properties: { file: { type: 'keyword' }, low: number, high: number } },
      },
    },
  };
}

/**
 * Returns what to send for every record of the batches that a pipeline dropped; undefined when there is none. `template`
 * is that of the names of indices with logs.
 */
export function droppedPayload(batches: readonly DocumentBatch[], template: string): BulkPayload | undefined {
  const items: BulkItem[] = [];
  let lines = '';
  for (const [batchIndex, { fileId, dropped }] of batches.entries()) {
    for (const [documentIndex, { offset, timestamp }] of dropped.entries()) {
      const id = eventIdOf(fileId, offset);
      const index = droppedIndex(template, timestamp);
      const start = lines.length;
      lines += droppedLines({ fileId, offset, id, index });
      const place = { batchIndex, documentIndex, index, id };
      items.push({ ...place, timeMs: 0, usualIndex: undefined, start, end: lines.length });
    }
  }
  // Ids and numbers are ASCII, so characters are bytes.
  return items.length === 0 ? undefined : payloadOf(Buffer.from(lines), items);
}

interface DroppedPlace {
  readonly fileId: string;
  readonly offset: number;
  readonly id: string;
  readonly index: string;
}

function droppedLines({ fileId, offset, id, index }: DroppedPlace): string {
  const low = offset % OFFSET_UNIT;
  const place = { file: fileId, low, high: (offset - low) / OFFSET_UNIT };
  const create = { _index: index, _id: id };
  return `${JSON.stringify({ create })}\n${JSON.stringify({ offset, [PRIVATE_MEMBER]: place })}\n`;
}
