/**
 * The store on Elasticsearch or OpenSearch. Documents are written by `engine-writer.ts` and read back by
 * `engine-search.ts` and its neighbours; what both agree on is in `field-table.ts` and `search-columns.ts`.
 */
import type { LedgerRecord } from '../../record/ledger.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import type { AppendResult } from '../store.ts';
import type { EngineWriterOptions } from './engine-writer.ts';
import { EngineWriter } from './engine-writer.ts';
import type { EngineFinding } from './index-management.ts';

/** The client is closed with the store. */
export interface ElasticsearchStoreOptions extends EngineWriterOptions {}

export class ElasticsearchStore {
  readonly #options: ElasticsearchStoreOptions;
  readonly #writer: EngineWriter;

  constructor(options: ElasticsearchStoreOptions) {
    this.#options = options;
    this.#writer = new EngineWriter(options);
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

  problem(): string | undefined {
    return this.#writer.problem();
  }

  close(): Promise<void> {
    return this.#options.client.close();
  }
}
