/** What tests of the API share: a server that listens nowhere, and documents to put into its store. */
import type { FastifyInstance } from 'fastify';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import type { Store } from '../store/store.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import type { ApiOptions } from './api-options.ts';
import { readImportBatches } from './import-batches.ts';
import { buildApp } from './server.ts';
import { TailHub } from './tail-hub.ts';

export const FILE_ID = '0123456789abcdef0123';

export interface TestApi {
  readonly app: FastifyInstance;
  readonly tail: TailHub;
  readonly telemetry: MemoryTelemetry;
  readonly scheduler: VirtualScheduler;
  /** Stores documents as an indexer would, and lets live tails see them. */
  put(documents: readonly object[]): Promise<void>;
  get(url: string, headers?: Record<string, string>): Promise<TestAnswer>;
}

export interface TestAnswer {
  readonly status: number;
  readonly body: string;
  readonly json: Record<string, unknown>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Builds an API that listens nowhere; requests are injected. */
export async function createTestApi(store: Store, changes: Partial<ApiOptions> = {}): Promise<TestApi> {
  const tail = new TailHub();
  const telemetry = new MemoryTelemetry();
  const scheduler = new VirtualScheduler();
  const options = { ...testOptions(store, tail, telemetry, scheduler), ...changes };
  const app = await buildApp(options);
  return {
    app,
    tail,
    telemetry,
    scheduler,
    put: async (documents) => options.submit(toBatches(documents)),
    get: async (url, headers = {}) => {
      const response = await app.inject({ method: 'GET', url, headers });
      return {
        status: response.statusCode,
        body: response.body,
        headers: response.headers,
        get json() {
          return JSON.parse(response.body) as Record<string, unknown>;
        },
      };
    },
  };
}

/** Options that need no other part of the program. */
export function testOptions(
  store: Store,
  tail: TailHub,
  telemetry: MemoryTelemetry,
  scheduler: VirtualScheduler,
): ApiOptions {
  return {
    config: { listen: '127.0.0.1:0', token: undefined, insecure: false },
    store,
    tail,
    telemetry,
    scheduler,
    metricsText: () => Promise.resolve('logboom_up 1\n'),
    readiness: () => ({ ready: true, problems: [], warnings: [] }),
    sources: () => [],
    refreshLedger: () => Promise.resolve(),
    submit: async (batches) => {
      const documents = batches.map((batch) => ({ ...batch, fieldTypes: new Map(), dropped: [] }));
      await store.append(documents, new AbortController().signal);
      tail.publish(documents);
    },
    webRoot: undefined,
    version: '0.0.0-test',
    startedAtMs: scheduler.nowMs(),
  };
}

/** Makes a document of the test file at an offset; `secondsAgo` counts from the virtual start. */
export function documentAt(offset: number, secondsAgo: number, more: object = {}): object {
  const second = 86_400 - secondsAgo;
  const parts = [Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60];
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':');
  return {
    '@timestamp': `2026-11-22T${clock}.000000000Z`,
    message: `line ${offset}`,
    stream: 'stdout',
    log: { offset, file: { path: '/x.log' } },
    event: { id: eventId(FILE_ID, offset) },
    ...more,
  };
}

/** Returns the id of the record at an offset of a file. */
export function eventId(fileId: string, offset: number): string {
  return `${fileId}-${offset.toString(16).padStart(12, '0')}`;
}

/** Encodes documents as an agent does. */
export function toBatches(documents: readonly object[]): RecordBatch[] {
  const body = documents.map((document) => `${JSON.stringify(document)}\n`).join('');
  return readImportBatches(new TextEncoder().encode(body));
}
