/**
 * The store on Elasticsearch or OpenSearch. Documents are written by `engine-writer.ts` and read back by
 * `engine-reader.ts`; what both agree on is in `field-table.ts` and `search-columns.ts`.
 */
import type { HeartbeatRecord } from '../../record/heartbeat.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import type {
  AppendResult,
  ExportRequest,
  FileAudit,
  HistogramBucket,
  HistogramRequest,
  SearchPage,
  SearchRequest,
  Store,
  StoreStats,
} from '../store.ts';
import { EngineReader } from './read/engine-reader.ts';
import type { EngineWriterOptions } from './write/engine-writer.ts';
import { EngineWriter } from './write/engine-writer.ts';
import type { EngineFinding } from './manage/engine-finding.ts';

/** The client is closed with the store. */
export interface ElasticsearchStoreOptions extends EngineWriterOptions {}

export class ElasticsearchStore implements Store {
  readonly #options: ElasticsearchStoreOptions;
  readonly #writer: EngineWriter;
  readonly #reader: EngineReader;

  constructor(options: ElasticsearchStoreOptions) {
    this.#options = options;
    this.#writer = new EngineWriter(options);
    this.#reader = new EngineReader(options);
  }

  /** What Logboom left alone in the engine because it is not its own, as of the start. */
  get findings(): readonly EngineFinding[] {
    return this.#writer.findings;
  }

  append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    return this.#writer.append(batches, signal);
  }

  appendLedger(records: readonly LedgerRecord[], signal: AbortSignal): Promise<void> {
    return this.#writer.appendLedger(records, signal);
  }

  search(request: SearchRequest, signal: AbortSignal): Promise<SearchPage> {
    return this.#reader.search(request, signal);
  }

  export(request: ExportRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#reader.export(request, signal);
  }

  histogram(request: HistogramRequest, signal: AbortSignal): Promise<HistogramBucket[]> {
    return this.#reader.histogram(request, signal);
  }

  stats(signal: AbortSignal): Promise<StoreStats> {
    return this.#reader.stats(signal);
  }

  audit(signal: AbortSignal): AsyncIterable<FileAudit> {
    return this.#reader.audit(signal);
  }

  agents(signal: AbortSignal): Promise<readonly HeartbeatRecord[]> {
    return this.#reader.agents(signal);
  }

  problem(): string | undefined {
    return this.#writer.problem();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#options.client.close();
  }
}
