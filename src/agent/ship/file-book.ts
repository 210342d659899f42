/**
 * The agent's book-keeping of its files: which changed since they were written down, what must be journaled before
 * batches leave, what the ledger has still to be told, and what can be forgotten.
 */
import { AppError, messageOf } from '../../base/errors.ts';
import { isGapFileId } from '../../record/gap-document.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import type { Producer } from '../../transport/transport.ts';
import type { DirectoryTree } from '../discovery/directory-tree.ts';
import type { FileGroup } from '../tail/file-group.ts';
import type { TailContext } from '../tail/tail-context.ts';
import type { TailedFile } from '../tail/tailed-file.ts';
import type { Tailer } from '../tail/tailer.ts';
import type { CheckpointStore, FileCheckpoint } from './checkpoint-store.ts';
import { FileCensus } from './file-census.ts';
import { GapTeller } from './gap-teller.ts';
import { checkpointOf, type LedgerMoment, ledgerRecordOf } from './file-records.ts';
import { LostFiles } from './lost-files.ts';

export interface FileBookOptions {
  readonly context: TailContext;
  readonly tailer: Tailer;
  readonly store: CheckpointStore;
  readonly producer: Producer;
}

/** How often a ledger that nobody waits for looks at the size of every file, whatever events told. */
const MEASURE_MS = 10_000;

interface Entry {
  readonly group: FileGroup;
  readonly file: TailedFile;
}

export class FileBook {
  readonly #options: FileBookOptions;
  readonly #context: TailContext;
  readonly #files = new Map<string, Entry>();
  readonly #changed = new Set<string>();
  readonly #held = new Set<string>();
  readonly #done = new Set<string>();
  readonly #gaps: GapTeller;
  readonly #lost: LostFiles;
  readonly census: FileCensus;
  #gone: string[] = [];
  /** Last ledger records of files that are over: forgotten once the transport has them. */
  readonly #endings = new Map<string, LedgerRecord>();
  #ledgerSending: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  /** After a sync that failed: the next one is not tried before. */
  #syncAtMs = 0;
  #measuredMs = 0;

  constructor(options: FileBookOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#gaps = new GapTeller(options.context.emit);
    this.#lost = new LostFiles({ ...options, gaps: this.#gaps });
    this.census = new FileCensus(options.tailer, options.context);
  }

  /** Puts the acknowledged offsets of the last run in place. */
  restore(saved: Iterable<FileCheckpoint>): void {
    for (const file of saved) {
      const progress = this.#context.ship.progressOf(file.id);
      progress.acknowledgedOffset = file.acknowledgedOffset;
      progress.records = file.records;
      progress.offsetSum = BigInt(file.offsetSum);
      progress.dropped = { ...file.dropped };
      progress.flaws = { ...file.flaws };
    }
  }

  noteChange(group: FileGroup, file: TailedFile): void {
    if (file.id === undefined) return;
    this.#files.set(file.id, { group, file });
    this.#changed.add(file.id);
    if (file.phase === 'done') this.#done.add(file.id);
    else this.#done.delete(file.id);
    this.#tellGaps(group, file);
  }

  noteHold(group: FileGroup, file: TailedFile): void {
    if (file.id === undefined) return;
    this.#files.set(file.id, { group, file });
    this.#held.add(file.id);
  }

  onAcknowledged(fileId: string): void {
    if (isGapFileId(fileId)) {
      if (this.#gaps.onAcknowledged(fileId)) this.#context.ship.forget(fileId);
      return;
    }
    const entry = this.#files.get(fileId);
    if (entry !== undefined) this.#options.tailer.attend(entry.group);
  }

  /** Journals new files, times and cuts, before what depends on them leaves; throws the system's error. */
  prepare(): void {
    const isNew = (id: string): boolean => this.#files.get(id)?.file.isCheckpointed === false;
    // Whatever else changed goes with a new file: the one before it was truncated, perhaps, or shares a record with others.
    if (this.#changed.values().some(isNew)) this.#commitChanged();
    this.#hold();
  }

  /** Writes down what changed, and makes it durable. */
  async writeCheckpoint(): Promise<void> {
    const { store } = this.#options;
    try {
      const isWritten = this.#commitChanged();
      this.#collectEnded();
      if (isWritten || store.hasUnsynced) this.#startSync();
      if (isWritten && store.isOutgrown) {
        await this.#syncing;
        await store.compact();
      }
    } catch (error) {
      const text = `cannot write the checkpoint (${messageOf(error)}); it is tried again`;
      this.#context.warnOnce('checkpoint_failed', messageOf(error), text);
    }
  }

  /** Whether a file's id, or of a gap all that was `written` when it was told, is known even after a power loss. */
  isDurable(fileId: string, written: number): boolean {
    const { store } = this.#options;
    if (isGapFileId(fileId)) return store.synced >= written;
    return store.durableProgress(fileId) !== undefined;
  }

  /** Returns up to where what was given up of a file is known even after a power loss; 0 when nothing is. */
  givenUntil(fileId: string): number {
    return this.#options.store.durableProgress(fileId)?.skips?.at(-1)?.endOffset ?? 0;
  }

  /** Begins to make all entries durable, and wakes the agent when they are; returns how many there are. */
  persist(): number {
    if (this.#context.scheduler.monotonicMs() >= this.#syncAtMs) this.#startSync();
    return this.#options.store.written;
  }

  /** Waits until what was written down survives the machine. */
  async settle(): Promise<void> {
    await this.#syncing;
  }

  /** Sends the ledger of changed files, unless the last one is still on its way. */
  startLedger(): void {
    if (this.#ledgerSending !== undefined) return;
    const isMeasuring = this.#context.scheduler.monotonicMs() - this.#measuredMs >= MEASURE_MS;
    this.writeLedger(isMeasuring).catch((error: unknown) => {
      // The process ends: the next one sends it.
      if (error instanceof AppError && error.code === 'closed') return;
      this.#context.warnOnce('ledger_failed', 'ledger', `cannot send the ledger: ${messageOf(error)}`);
    });
  }

  /** Waits for a ledger that is on its way; it fails for whoever sent it. */
  async settleLedger(): Promise<void> {
    await this.#ledgerSending?.catch(() => undefined);
  }

  /**
   * Sends what the ledger does not say yet, of the sizes that the files have now; returns whether it tells of every file
   * that can be read.
   */
  async writeLedger(isMeasuring = true): Promise<boolean> {
    await this.#ledgerSending;
    if (isMeasuring) {
      this.#options.tailer.measureAll();
      this.#measuredMs = this.#context.scheduler.monotonicMs();
    }
    // What is found out while it is sent is not in it.
    const isWhole = !this.census.hasUnknownFiles();
    this.#takeRestored();
    const ended = [...this.#endings.keys()];
    const records = [...this.#endings.values()];
    for (const entry of this.#files.values()) {
      const { file } = entry;
      const isNew = file.ledgerOffset !== file.acknowledgedOffset || file.ledgerSize !== file.size;
      if (isNew && file.id !== undefined) records.push(this.#ledgerOf(entry));
    }
    if (records.length === 0) return isWhole;
    this.#ledgerSending = this.#sendLedger(records, ended).finally(() => {
      this.#ledgerSending = undefined;
    });
    await this.#ledgerSending;
    return isWhole;
  }

  /** Says of files that were followed by an earlier run and are nowhere now that they are gone. */
  dropLost(trees: readonly DirectoryTree[]): void {
    for (const ending of this.#lost.drop(trees, this.#now())) this.#endings.set(ending.fileId, ending);
  }

  /** Gives up the oldest deleted files when those that are held open are more than the budget allows. */
  enforceDeletedBytes(isFirstScan: boolean): void {
    if (isFirstScan) return;
    const budget = this.#context.config.agent.deletedBytesMax;
    const held: Entry[] = [];
    let bytes = 0;
    for (const group of this.#options.tailer.unlinkedGroups()) {
      for (const file of group.files) {
        if (!file.isUnlinked || file.fd === undefined) continue;
        held.push({ group, file });
        bytes += file.size;
      }
    }
    this.#context.telemetry.gauge('logboom_agent_deleted_open_bytes', bytes);
    if (bytes <= budget) return;
    held.sort(
      (left, right) =>
        Number(left.file.hasUnread) - Number(right.file.hasUnread) ||
        left.file.unlistedMs - right.file.unlistedMs,
    );
    for (const { group, file } of held) {
      if (bytes <= budget) return;
      bytes -= file.size;
      this.#options.tailer.release(group, file);
    }
  }

  /** Files of an earlier run that nothing has happened to since: its last ledger may not have been sent. */
  #takeRestored(): void {
    for (const group of this.#options.tailer.groups) {
      for (const file of group.files) {
        if (file.id === undefined || file.progress === undefined || this.#files.has(file.id)) continue;
        this.#files.set(file.id, { group, file });
        if (file.phase === 'done') this.#done.add(file.id);
      }
    }
  }

  /**
   * Writes all that changed in one line, so that a record which spans two files is there in both or in neither. Returns
   * whether there was something to write; throws the system's error.
   */
  #commitChanged(): boolean {
    const { store } = this.#options;
    const progressed = this.#context.ship.takeChanged();
    const ids = new Set([...this.#changed, ...progressed.map(({ fileId }) => fileId)]);
    const entries = [...ids].flatMap((id) => this.#files.get(id) ?? []);
    if (entries.length === 0 && this.#gone.length === 0) return false;
    try {
      store.commit(
        entries.map((entry) => this.#checkpointOf(entry)),
        this.#gone,
      );
    } catch (error) {
      this.#context.ship.restoreChanged(progressed);
      throw error;
    }
    for (const { file } of entries) file.noteCheckpointed();
    for (const id of ids) this.#changed.delete(id);
    this.#gone = [];
    return true;
  }

  #tellGaps(group: FileGroup, file: TailedFile): void {
    const { settledGaps, id, path } = file;
    if (id === undefined || settledGaps.length <= file.gapsTold) return;
    const resource = this.#context.resourceOf(group.spec);
    this.#gaps.tell({ fileId: id, path, resource }, settledGaps, file.gapsTold);
    file.gapsTold = settledGaps.length;
    // Its time is journaled before it leaves.
    file.isCheckpointed = false;
  }

  #hold(): void {
    const holds = [];
    for (const id of this.#held) {
      const file = this.#files.get(id)?.file;
      if (file?.replay.hasFresh !== true) continue;
      // Taken after the append: when it fails, the same is tried again.
      holds.push({ id, times: file.replay.freshTimes, cuts: file.replay.freshCuts });
    }
    if (holds.length > 0) this.#options.store.hold(holds);
    for (const { id } of holds) this.#files.get(id)?.file.replay.settleFresh();
    this.#held.clear();
  }

  /** A sync may take a second: nothing waits for it but the end of the process. */
  #startSync(): void {
    if (this.#syncing !== undefined) return;
    const { config, scheduler, warnOnce, wake } = this.#context;
    const syncing = this.#options.store
      .sync()
      .catch((error: unknown) => {
        this.#syncAtMs = scheduler.monotonicMs() + config.agent.checkpointMs;
        const text = `cannot sync the checkpoint journal (${messageOf(error)}); new files wait, it is tried again`;
        warnOnce('checkpoint_failed', messageOf(error), text);
      })
      .finally(() => {
        this.#syncing = undefined;
        wake();
      });
    this.#syncing = syncing;
  }

  /** Waits for a sync of all that was written down, unless that fails: then it is not waited for. */
  async #syncWritten(): Promise<void> {
    const { store } = this.#options;
    const { written } = store;
    // The one under way may have begun before.
    for (let attempts = 0; attempts < 2 && store.synced < written; attempts++) {
      this.#startSync();
      await this.#syncing;
    }
  }

  /**
   * Sequence numbers are on the disk before they are used, so that they increase over any restart; so are gaps, because
   * the ledger must say of no gap that is not known afterwards.
   */
  async #sendLedger(records: readonly LedgerRecord[], ended: readonly string[]): Promise<void> {
    await this.writeCheckpoint();
    await this.#syncWritten();
    await this.#options.producer.sendLedger(records);
    for (const id of ended) {
      if (this.#gaps.isTelling(id)) continue;
      this.#endings.delete(id);
      this.#gone.push(id);
    }
  }

  /** Finds the files of which no name is left and whose last state is written down. */
  #collectEnded(): void {
    for (const id of this.#done) {
      const entry = this.#files.get(id);
      if (entry === undefined) {
        this.#done.delete(id);
        continue;
      }
      const { group, file } = entry;
      if (!file.isSettled || file.pendingGap !== undefined || this.#gaps.isTelling(id)) continue;
      if (group.isAround(file)) continue;
      if (this.#changed.has(id) || group.mayHoldCopies) continue;
      this.#endings.set(id, ledgerRecordOf(group, file, this.#now()));
      this.#done.delete(id);
      this.#files.delete(id);
      this.#context.ship.forget(id);
      this.#options.tailer.remove(group, file);
    }
  }

  #checkpointOf(entry: Entry): FileCheckpoint {
    return checkpointOf(entry.group, entry.file, this.#options.tailer.marksOf(entry.file));
  }

  #ledgerOf({ group, file }: Entry): LedgerRecord {
    const record = ledgerRecordOf(group, file, this.#now());
    this.#changed.add(record.fileId);
    file.ledgerOffset = file.acknowledgedOffset;
    file.ledgerSize = file.size;
    return record;
  }

  #now(): LedgerMoment {
    const { scheduler, config } = this.#context;
    const timeMs = Math.floor(scheduler.nowMs());
    return { node: config.node.name, time: formatTimestamp(scheduler.nowNs()), timeMs };
  }
}
