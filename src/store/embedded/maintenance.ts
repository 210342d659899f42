/**
 * What the store does by itself, one thing at a time: seals journals into segments, merges small segments of an
 * hour, and removes the oldest. Each step leaves files of both the old and the new state until the catalog has the
 * new one durably; a crash between any two steps loses and doubles nothing.
 */
import { AppError, messageOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { Scheduler, Timer } from '../../base/scheduler.ts';
import type { EmbeddedStoreConfig } from './embedded-store-config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { CatalogEntry, Segment, StoredSegment } from './catalog.ts';
import type { LaneOffsets } from './commit-line.ts';
import type { EncodedDropped } from './dropped-tally.ts';
import type { JournalFile } from './journal-file.ts';
import type { JournalWriter } from './journal-writer.ts';
import type { Compaction, JournalLimits } from './maintenance-plan.ts';
import { chooseCompaction, chooseExpired, journalLimits } from './maintenance-plan.ts';
import type { FileTally, JournalSource, NewSegment, SegmentEngine } from './segment-engine.ts';
import { segmentPath } from './segment-engine.ts';
import { removeOrphans } from './orphans.ts';
import { rescanJournals } from './journal-rescan.ts';
import type { StoreState } from './store-state.ts';

const CHECK_MS = 1_000;
/** After a failure, so that a broken disk is not hammered. */
const RETRY_MS = 10_000;

/** Segments that are remembered as not to be merged. */
const UNCOMPACTABLE_MAX = 10_000;

export interface MaintenanceOptions {
  readonly state: StoreState;
  readonly writer: () => JournalWriter;
  readonly engine: SegmentEngine;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly config: EmbeddedStoreConfig;
  readonly quarantine: (segment: Segment, reason: string) => Promise<void>;
}

export class Maintenance {
  readonly #options: MaintenanceOptions;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;
  #problem: string | undefined;
  /** Segments that could not be merged, until the next start. */
  readonly #uncompactable = new Set<string>();
  readonly #journalLimits: JournalLimits;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    const { journalBytesMax, retention } = options.config;
    this.#journalLimits = journalLimits(journalBytesMax, retention.bytesMax);
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether journals wait for sealing beyond what the disk should hold of them. */
  isFull(): boolean {
    return this.#options.state.journalBytes > this.#journalLimits.unsealedBytesMax;
  }

  start(): void {
    this.#schedule(CHECK_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Seals what is there, whether it is due or not. */
  sealNow(): Promise<void> {
    return this.#alone(() => this.#seal());
  }

  /** One thing at a time: two seals would take the same journals. */
  #alone(task: () => Promise<void>): Promise<void> {
    const result = this.#running.then(task);
    this.#running = result.catch(() => undefined);
    return result;
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.scheduler.schedule(delayMs, () => {
      void this.#alone(() => this.#check());
    });
  }

  async #check(): Promise<void> {
    try {
      // First, so that journals which cannot be sealed do not keep the disk full of what is too old.
      await this.#expire();
      if (this.#isSealDue()) await this.#seal();
      await this.#compact();
      this.#problem = undefined;
      this.#reportGauges();
      this.#schedule(CHECK_MS);
    } catch (error) {
      this.#report(error);
      if (!this.#isClosed) this.#removeUnfinished();
      this.#schedule(RETRY_MS);
    }
  }

  #report(error: unknown): void {
    if (this.#isClosed) return;
    const reason =
      error instanceof AppError ? `${error.message}: ${JSON.stringify(error.details)}` : messageOf(error);
    const problem = `journals cannot be turned into segments (${reason}); trying again`;
    if (problem !== this.#problem) {
      const text = 'Segments cannot be written; records stay in their journals, and it is tried again.';
      this.#options.telemetry.log('error', 'store_maintenance_failed', text, { reason });
    }
    this.#problem = problem;
  }

  /** A segment that was not finished takes space that the next attempt may need. */
  #removeUnfinished(): void {
    const { state, fileSystem, telemetry } = this.#options;
    try {
      removeOrphans(fileSystem, state, telemetry);
    } catch (error) {
      telemetry.log('warn', 'store_cleanup_failed', 'Unfinished files stay.', { reason: messageOf(error) });
    }
  }

  #reportGauges(): void {
    const { state, telemetry } = this.#options;
    telemetry.gauge('logboom_store_segments', state.catalog.segments.size);
    telemetry.gauge('logboom_store_bytes', state.segmentBytes, { kind: 'segment' });
    telemetry.gauge('logboom_store_bytes', state.journalBytes, { kind: 'journal' });
  }

  #isSealDue(): boolean {
    const { state, config, scheduler } = this.#options;
    const [oldest] = state.journals;
    if (oldest === undefined) return false;
    const isOld = scheduler.nowMs() - oldest.startedMs >= config.journalAgeMsMax;
    return isOld || state.journalBytes >= this.#journalLimits.sealBytes;
  }

  async #seal(): Promise<void> {
    const { state, writer, scheduler, telemetry } = this.#options;
    await writer().rotate();
    const active = writer().activeSequence;
    const files = state.journals.filter((file) => file.sequence !== active);
    const last = files.at(-1);
    if (last === undefined) return;
    const startedMs = scheduler.monotonicMs();
    const none = { segments: [], isComplete: true };
    const { segments, isComplete } = rowsOf(files) === 0 ? none : await this.#writeSegments(files);
    const stored = await this.#makeDurable(segments);
    const entry = this.#sealedEntry(files, stored.segments);
    // In one step: the same records are never in a journal and in a segment of one snapshot, and never in neither.
    state.journals = state.journals.filter((file) => !files.includes(file));
    if (!(await state.commit([...stored.entries, entry]))) return;
    if (!isComplete) await this.#setAside(files);
    else for (const file of files) state.leases.doom(file.path);
    telemetry.observe('logboom_store_seal_seconds', (scheduler.monotonicMs() - startedMs) / 1000);
  }

  #sealedEntry(files: readonly JournalFile[], segments: readonly StoredSegment[]): CatalogEntry {
    const watermarks: Record<string, LaneOffsets> = {};
    const dropped: Record<string, EncodedDropped> = {};
    let { throughJournal, commitSequence, nextResource } = this.#options.state.catalog;
    for (const file of files) {
      throughJournal = Math.max(throughJournal, file.sequence);
      commitSequence = Math.max(commitSequence, file.commitSequence);
      for (const id of file.resources.keys()) nextResource = Math.max(nextResource, id + 1);
      // Only what these journals hold: the next one's records are not in the catalog's keeping yet.
      for (const [fileId, next] of file.watermarks) watermarks[fileId] = next;
      for (const [fileId, offsets] of file.dropped) {
        dropped[fileId] = [0, '0', [...(dropped[fileId]?.[2] ?? []), ...offsets]];
      }
    }
    return { kind: 'sealed', throughJournal, commitSequence, nextResource, segments, watermarks, dropped };
  }

  /**
   * Tries with the types that were told, then with those that are there, then with JSON for everything, passing
   * over lines that are none: then the journals are kept aside, because what they hold is not all in segments.
   */
  async #writeSegments(
    files: readonly JournalFile[],
  ): Promise<{ segments: NewSegment[]; isComplete: boolean }> {
    const { fileSystem, telemetry } = this.#options;
    const told = files.map((file) => file.source());
    const attempts: (() => Promise<NewSegment[]>)[] = [
      () => this.#writeOnce(told, files, false),
      () => this.#writeOnce(rescanJournals(fileSystem, told, { isAllJson: false }), files, false),
    ];
    for (const attempt of attempts) {
      try {
        return { segments: await attempt(), isComplete: true };
      } catch (error) {
        if (!(error instanceof AppError) || !RESCAN_CODES.has(error.code)) throw error;
        const text = 'Documents do not have the types that were told of them; their journals are read again.';
        telemetry.log('warn', 'store_seal_retried', text, { reason: JSON.stringify(error.details) });
      }
    }
    const segments = await this.#writeOnce(
      rescanJournals(fileSystem, told, { isAllJson: true }),
      files,
      true,
    );
    return { segments, isComplete: rowsOf(segments) === rowsOf(files) };
  }

  async #writeOnce(
    journals: readonly JournalSource[],
    files: readonly JournalFile[],
    isLenient: boolean,
  ): Promise<NewSegment[]> {
    const { state, engine, fileSystem } = this.#options;
    const found = new Set(files.flatMap((file) => [...file.hours]));
    // A time that the engine cannot read counts as the beginning of time.
    if (journals.some((journal) => journal.hasOddTimes)) found.add(FIRST_HOUR);
    const hours = [...found].toSorted();
    const directory = state.segmentDirectory;
    for (const hour of hours) fileSystem.makeDirectory(`${directory}/${hourDirectory(hour)}`);
    const sequence = files.at(-1)?.sequence ?? 0;
    const segments = await engine.seal({ journals, hours, directory, sequence, isLenient });
    const rows = rowsOf(files);
    const written = rowsOf(segments);
    if (written !== rows && !isLenient) {
      throw new AppError('corrupt', 'cannot seal journals', { details: { rows, written } });
    }
    return segments.filter((segment) => segment.rows > 0);
  }

  /** Keeps journals whose documents could not all be read. */
  async #setAside(files: readonly JournalFile[]): Promise<void> {
    const { state, fileSystem, telemetry } = this.#options;
    const reason = 'some lines are no JSON documents';
    const entries: CatalogEntry[] = [];
    for (const file of files) {
      const path = `${state.directory}/quarantine/${file.path.slice(file.path.lastIndexOf('/') + 1)}`;
      const text =
        'A journal has lines that are no JSON documents; the others are in segments, and it is kept.';
      telemetry.log('error', 'store_journal_quarantined', text, { path, reason });
      fileSystem.rename(file.path, path);
      entries.push({ kind: 'quarantined', removed: [], path, reason });
    }
    await state.commit(entries);
  }

  /** Syncs new files and the directories above them, and returns how the catalog tells them. */
  async #makeDurable(
    segments: readonly NewSegment[],
  ): Promise<{ entries: CatalogEntry[]; segments: StoredSegment[] }> {
    const { state, fileSystem, scheduler } = this.#options;
    const entries: CatalogEntry[] = [];
    const stored: StoredSegment[] = [];
    const directories = new Set([state.segmentDirectory]);
    for (const segment of segments) {
      const path = `${state.segmentDirectory}/${segment.path}`;
      const fd = fileSystem.open(path, 'r');
      try {
        await fileSystem.sync(fd);
        const told = state.catalog.store(segment, fileSystem.fstat(fd).size, scheduler.nowMs());
        entries.push(...told.entries);
        stored.push(told.stored);
      } finally {
        fileSystem.close(fd);
      }
      directories.add(parentOf(path)).add(parentOf(parentOf(path)));
    }
    for (const directory of directories) await fileSystem.syncDirectory(directory);
    return { entries, segments: stored };
  }

  async #compact(): Promise<void> {
    const { state, scheduler } = this.#options;
    const candidates = [...state.catalog.segments.values()].filter(
      ({ path }) => !this.#uncompactable.has(path),
    );
    const chosen = chooseCompaction(candidates, scheduler.nowMs());
    if (chosen === undefined) return;
    const paths = chosen.segments.map((segment) => `${state.segmentDirectory}/${segment.path}`);
    const release = state.leases.take(paths);
    try {
      await this.#merge(chosen, paths);
    } catch (error) {
      await this.#giveUpMerging(chosen.segments, error);
    } finally {
      release();
    }
  }

  async #merge({ segments, hour, sequence }: Compaction, paths: readonly string[]): Promise<void> {
    const { state, engine } = this.#options;
    const sources = segments.map(({ columns }, index) => {
      return { kind: 'segment' as const, path: paths[index] ?? '', columns };
    });
    const merged = await engine.compact({ sources, directory: state.segmentDirectory, hour, sequence });
    const rows = rowsOf(segments);
    if (merged.rows !== rows) {
      throw new AppError('corrupt', 'cannot compact segments', { details: { rows, written: merged.rows } });
    }
    const stored = await this.#makeDurable([merged]);
    const removed = segments.map((segment) => segment.path);
    const entry: CatalogEntry = { kind: 'replaced', removed, added: stored.segments };
    if (await state.commit([...stored.entries, entry])) for (const path of paths) state.leases.doom(path);
  }

  /** Small segments are served as well as large ones: what cannot be merged stays as it is. */
  async #giveUpMerging(segments: readonly Segment[], error: unknown): Promise<void> {
    if (this.#isClosed) return;
    if (!(error instanceof AppError)) throw error;
    const text = 'Segments cannot be merged; they stay as they are.';
    const reason = `${error.message}: ${JSON.stringify(error.details)}`;
    this.#options.telemetry.log('warn', 'store_compaction_failed', text, { reason });
    if (this.#uncompactable.size >= UNCOMPACTABLE_MAX) this.#uncompactable.clear();
    for (const { path } of segments) this.#uncompactable.add(path);
    if (error.code === 'corrupt') await this.#quarantineUnreadable(segments);
    this.#removeUnfinished();
  }

  async #quarantineUnreadable(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) await this.#tally(segment);
  }

  async #expire(): Promise<void> {
    const { state, config, scheduler, telemetry } = this.#options;
    const expired = chooseExpired([...state.catalog.segments.values()], {
      ...config.retention,
      otherBytes: state.journalBytes,
      nowMs: scheduler.nowMs(),
    });
    for (const segment of expired) {
      const tallies = await this.#tally(segment);
      if (tallies === undefined) continue;
      const counts = tallies.map(
        ({ fileId, distinct, offsetSum }) => [fileId, [distinct, String(offsetSum)]] as const,
      );
      const entry: CatalogEntry = {
        kind: 'expired',
        removed: [segment.path],
        expired: Object.fromEntries(counts),
      };
      if (!(await state.commit([entry]))) return;
      state.leases.doom(`${state.segmentDirectory}/${segment.path}`);
      telemetry.count('logboom_store_expired_records_total', segment.rows);
    }
  }

  /** What a segment holds of each file; undefined when it cannot be read and was set aside. */
  async #tally(segment: Segment): Promise<FileTally[] | undefined> {
    const { state, engine, quarantine } = this.#options;
    const path = `${state.segmentDirectory}/${segment.path}`;
    try {
      return await engine.tally(
        { kind: 'segment', path, columns: segment.columns },
        new AbortController().signal,
      );
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'corrupt') throw error;
      await quarantine(segment, String(error.details['reason'] ?? error.message));
      return undefined;
    }
  }
}

const FIRST_HOUR = '1970-01-01T00';

/** Failures that come from types that do not fit, rather than from the machine. */
const RESCAN_CODES: ReadonlySet<string> = new Set(['bad_request', 'corrupt']);

function rowsOf(parts: readonly { readonly rows: number }[]): number {
  return parts.reduce((sum, part) => sum + part.rows, 0);
}

function hourDirectory(hour: string): string {
  return parentOf(segmentPath(hour, 0, 0, 'x'));
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
