/** The writing half of the store: templates at first, then documents and the ledger, for as long as it takes. */
import { AppError } from '../../../base/errors.ts';
import type { Scheduler } from '../../../base/scheduler.ts';
import type { ElasticsearchConfig } from '../../../config/config.ts';
import type { LedgerRecord } from '../../../record/ledger.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { AppendResult, RejectedDocument } from '../../store.ts';
import { CountKeeper } from '../counts/count-keeper.ts';
import { CountLoop } from '../counts/count-loop.ts';
import { BulkEncoder } from './bulk-encoder.ts';
import { BulkGate } from './bulk-gate.ts';
import { BulkLimitState } from './bulk-limit-state.ts';
import type { BulkPayload } from './bulk-payload.ts';
import { payloadOf } from './bulk-payload.ts';
import type { Delivered } from './bulk-writer.ts';
import { BulkWriter, problemOf } from './bulk-writer.ts';
import { detectCapabilities } from '../engine/capabilities.ts';
import { droppedPayload } from './dropped-index.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import type { EngineFinding } from '../manage/engine-finding.ts';
import { IndexManagement } from '../manage/index-management.ts';
import { IndexRouter, ledgerIndex } from './index-router.ts';
import { ledgerLines } from './ledger-index.ts';
import { OverflowCheck } from './overflow-check.ts';
import { WaitBoard } from './wait-board.ts';

export interface EngineWriterOptions {
  readonly config: ElasticsearchConfig;
  readonly client: EngineClient;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
}

/** Of the largest request that the engine's nodes take, a share stays free for what a proxy adds. */
const REQUEST_SHARE = 0.9;

/** What the store needs to know of the engine before it writes. */
interface Prepared {
  readonly encoder: BulkEncoder;
}

export class EngineWriter {
  readonly #options: EngineWriterOptions;
  readonly #router: IndexRouter;
  readonly #management: IndexManagement;
  readonly #board: WaitBoard;
  readonly #writer: BulkWriter;
  readonly #overflow: OverflowCheck;
  readonly #counting: CountLoop;
  #preparing: Promise<Prepared> | undefined;
  #findings: readonly EngineFinding[] = [];

  constructor(options: EngineWriterOptions) {
    const { config, client, scheduler, telemetry } = options;
    this.#options = options;
    this.#router = new IndexRouter(config);
    this.#management = new IndexManagement({ client, config, telemetry });
    this.#board = new WaitBoard(scheduler, telemetry);
    this.#writer = new BulkWriter({
      client,
      scheduler,
      telemetry,
      gate: new BulkGate(new BulkLimitState(config.bulk.inFlightMax)),
      board: this.#board,
      createIndex: (name, signal) => this.#management.createIndex(name, signal),
    });
    this.#overflow = new OverflowCheck({
      client,
      futureIndex: this.#router.overflowName('future'),
      monotonicMs: () => scheduler.monotonicMs(),
    });
    this.#counting = new CountLoop(new CountKeeper(options), { scheduler, telemetry });
  }

  /** What Logboom left alone in the engine because it is not its own, as of the start. */
  get findings(): readonly EngineFinding[] {
    return this.#findings;
  }

  problem(): string | undefined {
    return this.#board.problem();
  }

  /** Ends what goes on by itself; what is under way at the engine is given up. */
  close(): Promise<void> {
    return this.#counting.close();
  }

  /** Stores the documents, however long that takes. Throws `aborted` when the signal is. */
  async append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    const { encoder } = await this.#prepared(signal);
    const { payloads, unsent } = encoder.encode(batches, this.#options.scheduler.nowMs());
    const delivered = await Promise.all(
      payloads.map(async (payload) => {
        const outcome = await this.#deliver(payload, signal);
        if (outcome.isWhollyAnswered) encoder.recycle(payload);
        return outcome;
      }),
    );
    const dropped = droppedPayload(batches, this.#options.config.index);
    if (dropped !== undefined) await this.#writer.deliver(dropped, signal);
    const rejected = delivered.flatMap(({ rejected: refused }) =>
      refused.map(({ item, error }): RejectedDocument => {
        const { batchIndex, documentIndex, index } = item;
        return { batchIndex, documentIndex, index, error };
      }),
    );
    return {
      appended: delivered.reduce((sum, { created }) => sum + created, 0),
      duplicates: delivered.reduce((sum, { duplicates }) => sum + duplicates, 0),
      rejected: [...rejected, ...unsent.map((document) => ({ ...document, index: undefined }))],
    };
  }

  /** Stores ledger records; of several of one file the one with the highest sequence stays. */
  async appendLedger(records: readonly LedgerRecord[], signal: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    await this.#prepared(signal);
    const index = ledgerIndex(this.#options.config.index);
    const lines = records.map((record) => ledgerLines(record, index));
    let at = 0;
    const items = records.map((record, documentIndex) => {
      const start = at;
      at += Buffer.byteLength(lines[documentIndex] ?? '');
      const place = { batchIndex: 0, documentIndex, index, id: record.fileId };
      return { ...place, timeMs: 0, usualIndex: undefined, start, end: at };
    });
    const bytes = Buffer.from(lines.join(''));
    const { rejected } = await this.#writer.deliver(payloadOf(bytes, items), signal);
    const [first] = rejected;
    if (first === undefined) return;
    const { type, reason } = first.error;
    this.#options.telemetry.log('error', 'ledger_refused', `The store refuses ledger records: ${reason}.`, {
      type,
      records: rejected.length,
    });
  }

  async #deliver(payload: BulkPayload, signal: AbortSignal): Promise<Delivered> {
    const { payload: rest, duplicates } = await this.#patiently(signal, () =>
      this.#withoutStored(payload, signal),
    );
    const delivered = await this.#writer.deliver(rest, signal);
    return {
      ...delivered,
      created: delivered.created,
      duplicates: delivered.duplicates + duplicates,
      rejected: delivered.rejected,
    };
  }

  async #withoutStored(
    payload: BulkPayload,
    signal: AbortSignal,
  ): ReturnType<OverflowCheck['withoutStored']> {
    const checked = await this.#overflow.withoutStored(payload, signal);
    this.#countOverflow(checked.payload);
    return checked;
  }

  #countOverflow(payload: BulkPayload): void {
    if (!payload.hasOverflow) return;
    const { items } = payload;
    const futureIndex = this.#router.overflowName('future');
    const future = items.filter(({ index }) => index === futureIndex);
    for (const { timeMs } of future) this.#overflow.addFuture(timeMs);
    const late = items.filter(({ usualIndex }) => usualIndex !== undefined);
    for (const [kind, { length }] of Object.entries({ late, future })) {
      if (length === 0) continue;
      this.#options.telemetry.count('logboom_store_bulk_overflow_documents_total', length, { kind });
    }
  }

  #prepared(signal: AbortSignal): Promise<Prepared> {
    this.#preparing ??= this.#patiently(signal, () => this.#prepare(signal)).catch((error: unknown) => {
      this.#preparing = undefined;
      throw error;
    });
    return this.#preparing;
  }

  async #prepare(signal: AbortSignal): Promise<Prepared> {
    const { client, telemetry, config } = this.#options;
    const engine = await detectCapabilities(client, signal);
    this.#findings = await this.#management.ensure(engine, signal);
    for (const { object, problem, remedy } of this.#findings) {
      telemetry.log(
        'warn',
        'store_object_left_alone',
        `The ${object} in the store is not Logboom's: ${problem}.`,
        {
          hint: remedy,
        },
      );
    }
    const bytesMax = Math.min(config.bulk.bytesMax, await this.#requestBytesMax(signal));
    this.#counting.start();
    return { encoder: new BulkEncoder({ router: this.#router, bytesMax }) };
  }

  /** Bytes of a request that every node takes; unlimited for a user who may not ask. */
  async #requestBytesMax(signal: AbortSignal): Promise<number> {
    const answer = await this.#options.client.request({
      method: 'GET',
      path: '/_nodes/http',
      query: { filter_path: 'nodes.*.http.max_content_length_in_bytes' },
      signal,
      purpose: 'ask the store for its largest request',
      accepts: [400, 403, 404, 405],
    });
    const limits = [...answer.text.matchAll(/"max_content_length_in_bytes":(\d+)/g)].map(([, bytes]) =>
      Number(bytes),
    );
    return Math.floor(Math.min(...limits) * REQUEST_SHARE);
  }

  /** Tries until it works: whatever the engine's trouble is, it is waited out and told. */
  async #patiently<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const who = {};
    try {
      for (let failures = 0; ; failures += 1) {
        try {
          return await attempt();
        } catch (error) {
          if (!(error instanceof AppError) || error.code === 'aborted') throw error;
          await this.#board.wait(who, problemOf(error), { attempt: failures, signal });
          if (signal.aborted) throw new AppError('aborted', 'cannot write to the store', { cause: error });
        }
      }
    } finally {
      this.#board.done(who);
    }
  }
}
