/** Documents and batches in the agents' layout, for tests and benchmarks. */
import { LANE } from '../../record/lane.ts';
import type { RecordBatch } from '../../record/record-batch.ts';

/** What a Kubernetes node knows of a container, as the last members of its documents. */
export const RESOURCE = {
  kubernetes: {
    namespace: 'shop',
    pod: { name: 'checkout-6f7c9d8b5-x2x7q', uid: '0b9b8e5c-6f6e-4f9c-8c9a-2d3f1a7b6c5d' },
    container: { name: 'checkout' },
    node: { name: 'node-1' },
    labels: { app: 'checkout', tier: 'web' },
  },
  container: { id: '4f5e6d7c8b9a' },
  service: { name: 'checkout' },
  host: { name: 'node-1' },
  agent: { type: 'logboom', name: 'node-1', version: '0.1.0' },
  input: { type: 'pods' },
  ecs: { version: '8.17.0' },
};

export interface DocumentOptions {
  readonly offset?: number;
  readonly fileId?: string;
  readonly stream?: 'file' | 'stdout' | 'stderr';
  readonly resource?: Readonly<Record<string, unknown>>;
  /** Further members of `log`. */
  readonly log?: Readonly<Record<string, unknown>>;
}

/** Returns the document of a line, without a newline, as an agent writes it. */
export function documentOf(message: string, options: DocumentOptions = {}): string {
  const { offset = 0, fileId = 'a'.repeat(20), stream = 'stdout', resource = RESOURCE, log = {} } = options;
  return JSON.stringify({
    '@timestamp': '2026-11-23T04:30:00.123456789Z',
    message,
    stream,
    log: { offset, file: { path: '/var/log/pods/shop_checkout/checkout/0.log' }, ...log },
    event: { id: `${fileId}-${offset.toString(16).padStart(12, '0')}` },
    ...resource,
  });
}

/** Returns a batch of lines of one file; their offsets begin at `firstOffset` and count upwards. */
export function batchOf(fileName: string, firstOffset: number, messages: readonly string[]): RecordBatch {
  const fileId = fileName.padEnd(20, '0').slice(0, 20);
  const documents = messages.map((message, index) =>
    documentOf(message, { offset: firstOffset + index, fileId }),
  );
  return batchOfDocuments(
    fileId,
    documents,
    messages.map((_, index) => firstOffset + index),
  );
}

/** Returns a batch of documents, whatever their layout. */
export function batchOfDocuments(
  fileId: string,
  documents: readonly string[],
  offsets: readonly number[] = documents.map((_, index) => index),
): RecordBatch {
  const body = Buffer.from(documents.map((document) => `${document}\n`).join(''));
  const ends = new Uint32Array(documents.length);
  let end = 0;
  for (const [index, document] of documents.entries()) {
    end += Buffer.byteLength(document) + 1;
    ends[index] = end;
  }
  const lanes = new Uint8Array(documents.length).fill(LANE.stdout);
  return { fileId, body, count: documents.length, ends, offsets: Float64Array.from(offsets), lanes };
}
