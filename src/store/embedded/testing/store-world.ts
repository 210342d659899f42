/** An embedded store on a file system in memory and virtual time, with what tests ask of it. */
import { MemoryFileSystem } from '../../../base/memory-file-system.ts';
import { createRandom } from '../../../base/prng.ts';
import { VirtualScheduler } from '../../../base/virtual-scheduler.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import type { Query } from '../../../query/ast.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { AppendResult, FileAudit, Store } from '../../store.ts';
import type { EmbeddedStore } from '../embedded-store.ts';
import { openEmbeddedStore } from '../embedded-store.ts';
import { MemoryEngine } from '../memory-engine.ts';
import { EVERYTHING } from './test-documents.ts';

const DIRECTORY = '/store';

export interface StoreWorldOptions {
  readonly fileSystem?: MemoryFileSystem;
  readonly scheduler?: VirtualScheduler;
  readonly freeBytesMin?: number;
  readonly capacityBytes?: number;
  readonly retentionBytesMax?: number;
  readonly journalBytesMax?: number;
  readonly seed?: number;
}

/** A signal that nobody aborts. */
export const SILENT_SIGNAL = new AbortController().signal;

const SILENT: Telemetry = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
  log: () => undefined,
};

export class StoreWorld {
  readonly fileSystem: MemoryFileSystem;
  readonly scheduler: VirtualScheduler;
  readonly #options: StoreWorldOptions;
  readonly #random: () => number;

  constructor(options: StoreWorldOptions = {}) {
    this.#options = options;
    this.#random = createRandom(options.seed ?? 1);
    this.fileSystem = options.fileSystem ?? new MemoryFileSystem();
    this.fileSystem.makeDirectory('/');
    if (options.capacityBytes !== undefined) this.fileSystem.capacityBytes = options.capacityBytes;
    this.scheduler = options.scheduler ?? new VirtualScheduler();
  }

  open(): Promise<EmbeddedStore> {
    const { freeBytesMin = 0, retentionBytesMax = 1e12, journalBytesMax = 1e9 } = this.#options;
    return openEmbeddedStore({
      directory: DIRECTORY,
      config: {
        retention: { bytesMax: retentionBytesMax, ageMsMax: undefined },
        journalBytesMax,
        journalAgeMsMax: 3_600_000_000,
        freeBytesMin,
      },
      fileSystem: this.fileSystem,
      scheduler: this.scheduler,
      telemetry: SILENT,
      engine: new MemoryEngine({ fileSystem: this.fileSystem }),
    });
  }

  append(store: Store, batches: readonly DocumentBatch[]): Promise<AppendResult> {
    return store.append(batches, new AbortController().signal);
  }

  /** Lets the wall clock jump, and maintenance look once. */
  async passHours(hours: number): Promise<void> {
    this.scheduler.wallSkewMs += hours * 3_600_000;
    await this.scheduler.advance(2_500);
  }

  /** Ends the process and what was not synced. */
  losePower(): void {
    this.scheduler.clear();
    this.fileSystem.crash(this.#random);
  }

  /** Messages of all matches, oldest first, by export. */
  async messages(store: Store, query: Query = { kind: 'all' }): Promise<string[]> {
    const texts: string[] = [];
    for await (const block of store.export({ query, range: EVERYTHING }, new AbortController().signal)) {
      for (const line of new TextDecoder().decode(block).split('\n')) {
        if (line !== '') texts.push(String(JsonObjects.parse(line)['message']));
      }
    }
    return texts;
  }

  async audits(store: Store): Promise<FileAudit[]> {
    const audits: FileAudit[] = [];
    for await (const audit of store.audit(new AbortController().signal)) audits.push(audit);
    return audits;
  }

  /** Content of the first journal. */
  journalBytes(): Uint8Array {
    return this.fileSystem.readFile(`${DIRECTORY}/journals/journal-000000001.ndjson`).slice();
  }

  segmentPaths(): string[] {
    const root = `${DIRECTORY}/segments`;
    const below = (path: string): string[] =>
      this.fileSystem
        .readDirectory(path)
        .flatMap((entry) =>
          entry.kind === 'directory' ? below(`${path}/${entry.name}`) : [`${path}/${entry.name}`],
        );
    return below(root);
  }
}

/** Reads documents. */
export const JsonObjects = {
  parse: (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>,
  eventId: (text: string): unknown => (JsonObjects.parse(text)['event'] as Record<string, unknown>)['id'],
};
