/**
 * A search engine in the way of Elasticsearch, as far as exactly once depends on it: documents by id, created once,
 * a write that is applied in part before it fails, answers that get lost, documents that are refused for themselves,
 * and a cluster that is away. It outlives every indexer.
 */
import { AppError } from '../../src/base/errors.ts';
import type { DeadLetter } from '../../src/record/dead-letter.ts';
import type { LedgerRecord } from '../../src/record/ledger.ts';
import { isInRanges, possibleLossRanges } from '../../src/record/possible-loss.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import type { AppendResult, FileAudit, RejectedDocument, Store } from '../../src/store/store.ts';
import type { Life } from './life.ts';

const LATENCY_MS_MAX = 60;
const TWO_TO_64 = 1n << 64n;

export interface EngineFaults {
  isAway: boolean;
  /** Chance that a request fails after a part of it, or all of it, was applied. */
  failureChance: number;
}

export interface EngineDocument {
  readonly id: string;
  readonly text: string;
}

export class SimulatedEngine {
  readonly faults: EngineFaults = { isAway: false, failureChance: 0 };
  /** Messages that were taken or refused: what the world may forget. */
  readonly settled = new Set<string>();
  readonly #random: () => number;
  readonly #documents = new Map<string, EngineDocument>();
  readonly #ledgers = new Map<string, LedgerRecord>();
  readonly #decoder = new TextDecoder();

  constructor(random: () => number) {
    this.#random = random;
  }

  get documents(): readonly EngineDocument[] {
    return [...this.#documents.values()];
  }

  /** The store of one process; the simulation uses what an indexer uses. */
  connect(life: Life): Store {
    const store: Pick<Store, 'append' | 'appendLedger' | 'problem' | 'close'> = {
      append: (batches) => this.#append(life, batches),
      appendLedger: (records) => this.#appendLedger(life, records),
      problem: () => (this.faults.isAway ? 'the engine is away' : undefined),
      close: () => Promise.resolve(),
    };
    return store as Store;
  }

  /** What an audit finds, dead letters included. */
  audit(letters: readonly DeadLetter[]): FileAudit[] {
    const offsets = new Map<string, number[]>();
    const add = (fileId: string, offset: number): void => {
      const list = offsets.get(fileId);
      if (list === undefined) offsets.set(fileId, [offset]);
      else list.push(offset);
    };
    for (const { id } of this.documents) add(id.slice(0, 20), Number.parseInt(id.slice(21), 16));
    for (const { fileId, offset } of letters) add(fileId, offset);
    return [...this.#ledgers.values()].map((ledger) => {
      const { fileId, acknowledgedOffset } = ledger;
      const found = (offsets.get(fileId) ?? []).filter((offset) => offset < acknowledgedOffset);
      const distinct = new Set(found);
      const ranges = possibleLossRanges(ledger);
      const unsure = [...distinct].filter((offset) => isInRanges(ranges, offset));
      const twice = found.length - distinct.size;
      return {
        fileId,
        ledger,
        found: found.length,
        twice,
        offsetSum: sumOf([...distinct]),
        droppedByPipeline: 0,
        expired: 0,
        inPossibleLoss: { count: unsure.length, offsetSum: sumOf(unsure) },
      };
    });
  }

  async #append(life: Life, batches: readonly DocumentBatch[]): Promise<AppendResult> {
    await this.#answer(life);
    const result = { appended: 0, duplicates: 0, rejected: [] as RejectedDocument[] };
    const failsAt = this.#random() < this.faults.failureChance ? this.#random() * 1.2 : Infinity;
    for (const [batchIndex, batch] of batches.entries()) {
      if (batchIndex / batches.length > failsAt) throw new AppError('io_failed', 'cannot write the rest');
      for (const [documentIndex, text] of this.#decoder
        .decode(batch.body)
        .split('\n')
        .slice(0, -1)
        .entries()) {
        const document = JSON.parse(text) as { message: string; event: { id: string } };
        this.settled.add(document.message);
        if (isPoison(document.message)) {
          const error = { type: 'mapper_parsing_exception', reason: 'a poison document' };
          result.rejected.push({ batchIndex, documentIndex, index: 'logs', error });
        } else if (this.#documents.has(document.event.id)) result.duplicates += 1;
        else {
          this.#documents.set(document.event.id, { id: document.event.id, text });
          result.appended += 1;
        }
      }
    }
    if (failsAt !== Infinity) throw new AppError('timed_out', 'cannot hear the answer');
    await life.scheduler.sleep(this.#random() * LATENCY_MS_MAX);
    return result;
  }

  async #appendLedger(life: Life, records: readonly LedgerRecord[]): Promise<void> {
    await this.#answer(life);
    for (const record of records) {
      const known = this.#ledgers.get(record.fileId);
      if (known === undefined || known.sequence < record.sequence) this.#ledgers.set(record.fileId, record);
    }
  }

  async #answer(life: Life): Promise<void> {
    await life.scheduler.sleep(this.#random() * LATENCY_MS_MAX);
    if (this.faults.isAway) throw new AppError('unreachable', 'cannot write');
  }
}

/** Whether the engine refuses a document with this message, always. */
export function isPoison(message: string): boolean {
  return /^line-\d*7\d? /.test(message);
}

function sumOf(offsets: readonly number[]): string {
  return (offsets.reduce((total, offset) => total + BigInt(offset), 0n) % TWO_TO_64).toString();
}
