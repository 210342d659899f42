/** The reading half of the store. Every call is an engine's answer as a whole, or an `AppError`. */
import type { Scheduler } from '../../../base/scheduler.ts';
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
import { isDeletedEarly } from '../counts/count-keeper.ts';
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
import { countsIndex, droppedPattern, indexPattern, ledgerIndex } from '../write/index-router.ts';

export interface EngineReaderOptions {
  readonly client: EngineClient;
  readonly config: Pick<ElasticsearchConfig, 'index' | 'lifecycle'>;
  readonly scheduler: Pick<Scheduler, 'nowMs'>;
}

export class EngineReader {
  readonly #logs: LogIndices;
  readonly #own: OwnIndices;
  #engine: Capabilities | undefined;

  constructor({ client, config, scheduler }: EngineReaderOptions) {
    const { index, lifecycle } = config;
    this.#logs = { client, indices: encodeURIComponent(indexPattern(index)) };
    this.#own = {
      ledger: ledgerIndex(index),
      dropped: encodeURIComponent(droppedPattern(index)),
      counts: countsIndex(index),
      isEarly: (createdMs) => isDeletedEarly(lifecycle, createdMs, scheduler.nowMs()),
    };
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
