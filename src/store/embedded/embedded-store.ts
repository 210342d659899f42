/**
 * The store of one machine: journals that make records durable at once, and segments that an engine makes of them
 * in bulk.
 *
 *   <directory>/journals/journal-000000001.ndjson      documents and commit lines (docs/formats/journal.md)
 *   <directory>/segments/day=…/hour=…/….parquet        what journals became (docs/formats/segment.md)
 *   <directory>/catalog.{journal,snapshot}             which segments count, and up to which journal
 *   <directory>/ledger.{journal,snapshot}              what agents say of their files, for the audit
 *   <directory>/quarantine/                            files that cannot be read; segments are tried at each start
 *   <directory>/tmp/                                   Parquet files that are being exported, and what the engine
 *                                                      spills, where the composition says so
 */
import { AppError, messageOf } from '../../base/errors.ts';
import type { Crc32 } from '../../base/crc32.ts';
import { crc32 as portableCrc32 } from '../../base/crc32.ts';
import type { FileSystem } from '../../base/file-system.ts';
import { openJournal } from '../../base/journal.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { EmbeddedStoreConfig } from './embedded-store-config.ts';
import type { HeartbeatRecord } from '../../record/heartbeat.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
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
  TimeRange,
} from '../store.ts';
import type { EncodedGroup } from './batch-encoder.ts';
import { BatchEncoder } from './batch-encoder.ts';
import type { CatalogEntry, Segment } from './catalog.ts';
import { CATALOG_VERSION, CatalogState } from './catalog.ts';
import { DroppedTally } from './dropped-tally.ts';
import type { JournalFile } from './journal-file.ts';
import { recoverJournals } from './journal-recovery.ts';
import { JournalWriter } from './journal-writer.ts';
import type { LedgerBook } from './ledger-book.ts';
import { openLedgerBook } from './ledger-book.ts';
import { Maintenance } from './maintenance.ts';
import { removeOrphans, removeSpilled } from './orphans.ts';
import { releaseQuarantined } from './quarantine.ts';
import type { SegmentEngine } from './segment-engine.ts';
import { ParquetExports } from './parquet-export.ts';
import { SegmentTallies } from './segment-tallies.ts';
import { auditSources } from './source-audit.ts';
import { exportSources } from './source-export.ts';
import type { QueryContext } from './source-search.ts';
import { histogramOf, searchSources } from './source-search.ts';
import type { Snapshot, SnapshotSource } from './store-state.ts';
import { StoreState } from './store-state.ts';
import { Watermarks } from './watermarks.ts';

/** A search or histogram that takes longer is ended with `timed_out`. */
const QUERY_MS_MAX = 60_000;

const LEDGER_RETRY_MS = 1_000;

export interface EmbeddedStoreOptions {
  /** Belongs to this store alone: the caller holds the lock. */
  readonly directory: string;
  readonly config: EmbeddedStoreConfig;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  /** Closed with the store. */
  readonly engine: SegmentEngine;
  /** zlib's where there is one; by default the portable implementation, which is ten times slower. */
  readonly crc32?: Crc32 | undefined;
}

/** Opens or creates the store. Throws `corrupt` when its catalog or ledger cannot be read. */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { directory, fileSystem, scheduler, telemetry } = options;
  const crc32 = options.crc32 ?? portableCrc32;
  for (const name of ['journals', 'segments', 'quarantine']) fileSystem.makeDirectory(`${directory}/${name}`);
  await fileSystem.syncDirectory(directory);
  await syncParent(options);
  const opened = await openJournal<CatalogEntry>({
    fileSystem,
    directory,
    name: 'catalog',
    version: CATALOG_VERSION,
  });
  const catalog = new CatalogState();
  for (const entry of opened.entries) catalog.apply(entry);
  const ledger = await openLedgerBook(fileSystem, directory);
  const recovered = await recoverJournals({
    fileSystem,
    scheduler,
    crc32,
    journalDirectory: `${directory}/journals`,
    quarantineDirectory: `${directory}/quarantine`,
    throughJournal: catalog.throughJournal,
  });
  const watermarks = new Watermarks();
  for (const [fileId, next] of catalog.watermarks.entries()) watermarks.set(fileId, next);
  const dropped = new DroppedTally();
  for (const [fileId, encoded] of Object.entries(catalog.dropped.encodeAll())) dropped.merge(fileId, encoded);
  for (const commit of recovered.commits) {
    for (const [fileId, next] of Object.entries(commit.watermarks)) watermarks.set(fileId, next);
    for (const [fileId, offsets] of Object.entries(commit.dropped)) dropped.add(fileId, offsets);
  }
  const { files: journals } = recovered;
  const catalogJournal = opened.journal;
  const state = new StoreState({ ...options, catalog, catalogJournal, watermarks, dropped, journals });
  await releaseQuarantined({ ...options, state });
  removeOrphans(fileSystem, state, telemetry);
  removeSpilled(fileSystem, `${directory}/tmp`, telemetry);
  const damages = [opened.damage, ledger.damage].filter((damage) => damage !== undefined);
  for (const { reason, keptAs } of damages) await reportDamage(state, telemetry, { path: keptAs, reason });
  for (const damage of recovered.damaged) await reportDamage(state, telemetry, damage);
  const resourceIds = journals.flatMap((file) => [...file.resources.keys()]);
  const nextResource = resourceIds.reduce((max, id) => Math.max(max, id + 1), catalog.nextResource);
  return new EmbeddedStore(options, {
    state,
    ledger,
    encoder: new BatchEncoder(watermarks, crc32, nextResource),
    sequence: Math.max(recovered.lastSequence, catalog.throughJournal, 0) + 1,
    commitSequence: Math.max(catalog.commitSequence, recovered.commits.at(-1)?.sequence ?? 0),
  });
}

/** The name of a directory that was just made must survive a power loss like what is in it. */
async function syncParent({ fileSystem, directory, telemetry }: EmbeddedStoreOptions): Promise<void> {
  try {
    await fileSystem.syncDirectory(directory.slice(0, directory.lastIndexOf('/')) || '/');
  } catch (error) {
    // Whoever prepared the directory may not let this user read the one above it.
    telemetry.log('debug', 'store_parent_not_synced', 'Cannot sync the directory above.', {
      reason: messageOf(error),
    });
  }
}

async function reportDamage(
  state: StoreState,
  telemetry: Telemetry,
  damage: { path: string; reason: string },
): Promise<void> {
  telemetry.log(
    'error',
    'store_file_damaged',
    'A file of the store is damaged; its sound part is used.',
    damage,
  );
  await state.commit([{ kind: 'quarantined', removed: [], ...damage }]);
}

interface Parts {
  readonly state: StoreState;
  readonly ledger: LedgerBook;
  readonly encoder: BatchEncoder;
  readonly sequence: number;
  readonly commitSequence: number;
}

export class EmbeddedStore implements Store {
  readonly #options: EmbeddedStoreOptions;
  readonly #state: StoreState;
  readonly #ledger: LedgerBook;
  readonly #writer: JournalWriter;
  readonly #maintenance: Maintenance;
  readonly #parquetExports: ParquetExports;
  readonly #segmentTallies: SegmentTallies;
  readonly #closing = new AbortController();

  constructor(options: EmbeddedStoreOptions, parts: Parts) {
    const { config, telemetry } = options;
    this.#options = options;
    this.#state = parts.state;
    this.#segmentTallies = new SegmentTallies(options.scheduler);
    this.#ledger = parts.ledger;
    this.#writer = new JournalWriter({
      ...options,
      ...parts,
      directory: `${options.directory}/journals`,
      freeBytesMin: config.freeBytesMin,
      isFull: () => this.#maintenance.isFull(),
      onBegin: (file) => void this.#state.journals.push(file),
      onCommit: (file, group) => this.#onCommit(file, group),
      onProblem: (problem) => logProblem(telemetry, problem),
    });
    this.#maintenance = new Maintenance({
      ...options,
      state: parts.state,
      writer: () => this.#writer,
      quarantine: (segment, reason) => this.#quarantine(segment, reason),
    });
    this.#parquetExports = new ParquetExports({
      ...options,
      directory: `${options.directory}/tmp`,
      freeBytesMin: config.freeBytesMin,
    });
    this.#maintenance.start();
  }

  append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    return this.#writer.append(batches, signal);
  }

  async appendLedger(records: readonly LedgerRecord[], signal: AbortSignal): Promise<void> {
    const { scheduler, telemetry } = this.#options;
    for (;;) {
      try {
        return await this.#ledger.append(records);
      } catch (error) {
        const reason = messageOf(error);
        telemetry.log('warn', 'store_ledger_failed', 'The ledger cannot be written; trying again.', {
          reason,
        });
      }
      await scheduler.sleep(LEDGER_RETRY_MS, AbortSignal.any([signal, this.#closing.signal]));
      if (signal.aborted) throw new AppError('aborted', 'cannot write the ledger');
      if (this.#closing.signal.aborted)
        throw new AppError('closed', 'cannot write the ledger of a closed store');
    }
  }

  search(request: SearchRequest, signal: AbortSignal): Promise<SearchPage> {
    return this.#query(request.range, signal, (sources, context) => searchSources(sources, request, context));
  }

  histogram(request: HistogramRequest, signal: AbortSignal): Promise<HistogramBucket[]> {
    return this.#query(request.range, signal, (sources, context) => histogramOf(sources, request, context));
  }

  async *export(request: ExportRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const snapshot = this.#state.snapshot(request.range);
    try {
      yield* exportSources(
        snapshot.sources,
        request,
        this.#context(AbortSignal.any([signal, this.#closing.signal])),
      );
    } finally {
      snapshot.release();
    }
  }

  /** Every match as one Parquet file with the columns of segments, in no order; see `ParquetExports`. */
  exportParquet(request: ExportRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const combined = AbortSignal.any([signal, this.#closing.signal]);
    return this.#parquetExports.run(() => this.#state.snapshot(request.range), request, combined);
  }

  async *audit(signal: AbortSignal): AsyncIterable<FileAudit> {
    // The ledger first: what it says was acknowledged is in every snapshot that is taken later.
    const ledger = new Map(this.#ledger.latest);
    const snapshot = this.#state.snapshot(undefined);
    const { dropped, catalog } = this.#state;
    const facts = {
      ledger,
      expired: new Map(catalog.expired),
      droppedIds: [...dropped.fileIds()],
      droppedBelow: (fileId: string, belowOffset: number) => dropped.below(fileId, belowOffset),
    };
    try {
      const context = this.#context(AbortSignal.any([signal, this.#closing.signal]));
      yield* auditSources(snapshot.sources, facts, { ...context, segmentTallies: this.#segmentTallies });
    } finally {
      snapshot.release();
    }
  }

  async stats(): Promise<StoreStats> {
    const { catalog, journals, segmentBytes, journalBytes } = this.#state;
    const counts = new Map<string, number>();
    let records = 0;
    let oldestNs: bigint | undefined;
    let newestNs: bigint | undefined;
    for (const part of [...catalog.segments.values(), ...journals.map(journalPart)]) {
      if (part.rows === 0) continue;
      records += part.rows;
      if (oldestNs === undefined || part.minNs < oldestNs) oldestNs = part.minNs;
      if (newestNs === undefined || part.maxNs > newestNs) newestNs = part.maxNs;
      for (const [namespace, count] of Object.entries(part.namespaces)) {
        counts.set(namespace, (counts.get(namespace) ?? 0) + count);
      }
    }
    const namespaces = [...counts].map(([namespace, count]) => ({ namespace, records: count }));
    const bytesOnDisk = segmentBytes + journalBytes;
    namespaces.sort((one, other) => other.records - one.records);
    return { records, bytesOnDisk, oldestNs, newestNs, namespaces, quarantined: this.quarantined() };
  }

  /** Files that were set aside because they cannot be read; costs nothing to ask. */
  quarantined(): StoreStats['quarantined'] {
    const { quarantined } = this.#state.catalog;
    return [...quarantined.values()].map(({ path, reason }) => ({ path, reason }));
  }

  async agents(): Promise<readonly HeartbeatRecord[]> {
    return this.#ledger.agents;
  }

  problem(): string | undefined {
    return this.#writer.problem ?? this.#maintenance.problem;
  }

  /** Turns all journals into segments now, as tests and backups want it. */
  async seal(): Promise<void> {
    await this.#maintenance.sealNow();
  }

  /** Everything there is, held until it is released. */
  snapshotForTests(): Snapshot {
    return this.#state.snapshot(undefined);
  }

  async close(): Promise<void> {
    await this.#writer.close();
    this.#closing.abort();
    // The engine ends what it is doing, so that maintenance does not wait for it.
    const engineClosed = this.#options.engine.close();
    await this.#maintenance.close();
    await engineClosed;
    await this.#state.close();
    await this.#ledger.close();
  }

  #onCommit(_file: JournalFile, group: EncodedGroup): void {
    for (const [fileId, offsets] of Object.entries(group.commit.dropped))
      this.#state.dropped.add(fileId, offsets);
    this.#options.telemetry.count('logboom_store_appended_bytes_total', group.commit.bytes);
  }

  async #query<T>(
    range: TimeRange,
    signal: AbortSignal,
    run: (sources: readonly SnapshotSource[], context: QueryContext) => Promise<T>,
  ): Promise<T> {
    const limit = new AbortController();
    const timer = this.#options.scheduler.schedule(QUERY_MS_MAX, () => limit.abort());
    const snapshot = this.#state.snapshot(range);
    try {
      const combined = AbortSignal.any([signal, limit.signal, this.#closing.signal]);
      return await run(snapshot.sources, this.#context(combined));
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      throw new AppError('timed_out', 'cannot finish the query in time', {
        cause: error,
        hint: 'Narrow the time range, or search a field instead of all text.',
      });
    } finally {
      timer.cancel();
      snapshot.release();
    }
  }

  #context(signal: AbortSignal): QueryContext {
    return {
      engine: this.#options.engine,
      signal,
      onUnreadable: async ({ segment }, error) => {
        if (segment === undefined) throw error;
        await this.#quarantine(segment, String(error.details['reason'] ?? error.message));
      },
    };
  }

  /** Sets a segment aside that cannot be read; the others are served. */
  async #quarantine(segment: Segment, reason: string): Promise<void> {
    const { fileSystem, telemetry, directory } = this.#options;
    if (!this.#state.catalog.segments.has(segment.path)) return;
    const from = `${this.#state.segmentDirectory}/${segment.path}`;
    const path = `${directory}/quarantine/${segment.path.replaceAll('/', '_')}`;
    const text = 'A segment cannot be read; it is set aside, and the others are served.';
    telemetry.log('error', 'store_segment_quarantined', text, { path, reason });
    const stored = this.#state.catalog.toStored(segment);
    await this.#state.commit([
      { kind: 'quarantined', removed: [segment.path], path, reason, segment: stored },
    ]);
    if (fileSystem.stat(from) !== undefined) fileSystem.rename(from, path);
  }
}

function logProblem(telemetry: Telemetry, problem: string | undefined): void {
  if (problem === undefined) telemetry.log('info', 'store_resumed', 'The store takes records again.');
  else telemetry.log('error', 'store_waiting', `The store takes no records: ${problem}.`);
}

function journalPart(file: JournalFile): {
  rows: number;
  minNs: bigint;
  maxNs: bigint;
  namespaces: Record<string, number>;
} {
  const { rows, minNs, maxNs, namespaces } = file;
  return { rows, minNs, maxNs, namespaces: Object.fromEntries(namespaces) };
}
