import type { FileSystem } from '../../base/file-system.ts';
import type { Journal, OpenedJournal } from '../../base/journal.ts';
import { openJournal } from '../../base/journal.ts';
import { isHeartbeat, type HeartbeatRecord } from '../../record/heartbeat.ts';
import type { LedgerRecord } from '../../record/ledger.ts';

/** A journal of this size is written anew. */
const BYTES_MAX = 8 << 20;

/** Files that are remembered; the one that was written of the longest ago is forgotten first. */
const FILES_MAX = 1_000_000;

const LEDGER_VERSION = 1;

/** The latest ledger record of each file, durable in a journal of its own. */
export class LedgerBook {
  readonly #journal: Journal<LedgerRecord>;
  readonly #latest = new Map<string, LedgerRecord>();
  /** Those of `#latest` that are heartbeats. */
  readonly #agents = new Map<string, HeartbeatRecord>();
  readonly damage: OpenedJournal<LedgerRecord>['damage'];
  #queue: Promise<void> = Promise.resolve();

  constructor(opened: OpenedJournal<LedgerRecord>) {
    this.#journal = opened.journal;
    this.damage = opened.damage;
    for (const record of opened.entries) this.#take(record);
  }

  /** The newest heartbeat of each agent. */
  get agents(): readonly HeartbeatRecord[] {
    return [...this.#agents.values()];
  }

  get latest(): ReadonlyMap<string, LedgerRecord> {
    return this.#latest;
  }

  /** Resolves when the records are durable; those that are older than what is known are passed over. */
  append(records: readonly LedgerRecord[]): Promise<void> {
    const result = this.#queue.then(() => this.#write(records));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#journal.close();
  }

  async #write(records: readonly LedgerRecord[]): Promise<void> {
    const news = records.filter((record) => this.#isNews(record));
    if (news.length === 0) return;
    for (const record of news) this.#journal.append(record);
    await this.#journal.sync();
    for (const record of news) this.#take(record);
    if (this.#journal.bytes > BYTES_MAX) await this.#journal.replace(this.#latest.values());
  }

  #isNews(record: LedgerRecord): boolean {
    const known = this.#latest.get(record.fileId);
    return known === undefined || known.sequence < record.sequence;
  }

  #take(record: LedgerRecord): void {
    if (!this.#isNews(record)) return;
    this.#latest.delete(record.fileId);
    this.#latest.set(record.fileId, record);
    if (isHeartbeat(record)) this.#agents.set(record.fileId, record);
    if (this.#latest.size <= FILES_MAX) return;
    const [oldest] = this.#latest.keys();
    if (oldest === undefined) return;
    this.#latest.delete(oldest);
    this.#agents.delete(oldest);
  }
}

/** Opens or creates the ledger in a directory. */
export async function openLedgerBook(fileSystem: FileSystem, directory: string): Promise<LedgerBook> {
  return new LedgerBook(
    await openJournal<LedgerRecord>({ fileSystem, directory, name: 'ledger', version: LEDGER_VERSION }),
  );
}
