/** The reading half of the store. Every call is an engine's answer as a whole, or an `AppError`. */
import type { ElasticsearchConfig } from '../../../config/config.ts';
import type { HeartbeatRecord } from '../../../record/heartbeat.ts';
import type {
  ExportRequest,
  FileAudit,
  HistogramBucket,
  HistogramRequest,
  SearchPage,
  SearchRequest,
  StoreStats,
} from '../../store.ts';
import type { Capabilities } from '../engine/capabilities.ts';
import { detectCapabilities } from '../engine/capabilities.ts';
import { agentsOfEngine } from './engine-agents.ts';
import type { OwnIndices } from './engine-audit.ts';
import { auditEngine } from './engine-audit.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import { exportEngine } from './engine-export.ts';
import { histogramOfEngine } from './engine-histogram.ts';
import type { LogIndices } from './engine-search.ts';
import { searchEngine } from './engine-search.ts';
import { statsOfEngine } from './engine-stats.ts';
import { droppedIndex, indexPattern, ledgerIndex } from '../write/index-router.ts';

export class EngineReader {
  readonly #logs: LogIndices;
  readonly #own: OwnIndices;
  #engine: Capabilities | undefined;

  constructor(client: EngineClient, { index }: Pick<ElasticsearchConfig, 'index'>) {
    this.#logs = { client, indices: encodeURIComponent(indexPattern(index)) };
    this.#own = { ledger: ledgerIndex(index), dropped: droppedIndex(index) };
  }

  search(request: SearchRequest, signal: AbortSignal): Promise<SearchPage> {
    return searchEngine(this.#logs, request, signal);
  }

  async *export(request: ExportRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.#engine ??= await detectCapabilities(this.#logs.client, signal);
    yield* exportEngine({ ...this.#logs, pointInTime: this.#engine.pointInTime }, request, signal);
  }

  histogram(request: HistogramRequest, signal: AbortSignal): Promise<HistogramBucket[]> {
    return histogramOfEngine(this.#logs, request, signal);
  }

  stats(signal: AbortSignal): Promise<StoreStats> {
    return statsOfEngine(this.#logs, signal);
  }

  audit(signal: AbortSignal): AsyncIterable<FileAudit> {
    return auditEngine(this.#logs, this.#own, signal);
  }

  agents(signal: AbortSignal): Promise<readonly HeartbeatRecord[]> {
    return agentsOfEngine({ ...this.#logs, indices: this.#own.ledger }, signal);
  }
}
