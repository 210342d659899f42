/** Files that an earlier run followed and that are nowhere now: what was not read of them may be lost. */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import type { DirectoryTree } from '../discovery/directory-tree.ts';
import { buildResource } from '../resource.ts';
import type { TailContext } from '../tail/tail-context.ts';
import type { Tailer } from '../tail/tailer.ts';
import type { CheckpointStore, FileCheckpoint, FileOwner } from './checkpoint-store.ts';
import { type LedgerMoment, ledgerRecordOfLost } from './file-records.ts';
import type { GapTeller } from './gap-teller.ts';

export interface LostFilesOptions {
  readonly context: TailContext;
  readonly tailer: Tailer;
  readonly store: CheckpointStore;
  readonly gaps: GapTeller;
}

/** A file that is gone, and the last that is said of it. */
interface Ending {
  readonly file: FileCheckpoint;
  readonly ending: LedgerRecord;
}

export class LostFiles {
  readonly #options: LostFilesOptions;

  constructor(options: LostFilesOptions) {
    this.#options = options;
  }

  /** Gives up what is nowhere below the roots of `trees`, which were all read; returns the last ledger of each file. */
  drop(trees: readonly DirectoryTree[], now: LedgerMoment): LedgerRecord[] {
    const { context, gaps, tailer } = this.#options;
    const records: LedgerRecord[] = [];
    for (const saved of tailer.unclaimed) {
      const [first] = saved;
      if (first === undefined) continue;
      const directory = first.group.slice(0, first.group.lastIndexOf('/')) || '/';
      const isLookedFor =
        trees.some((tree) => tree.covers(directory)) && !context.obstacles.mayHide(directory);
      // A file that is still there is no loss: another configuration does not collect it.
      if (!isLookedFor || saved.some((file) => this.#isThere(file))) continue;
      const endings = saved.map((file) => ({ file, ending: ledgerRecordOfLost(file, now) }));
      if (!this.#writeDown(endings)) return records;
      for (const { file, ending } of endings) {
        records.push(ending);
        const place = { fileId: file.id, path: file.path, resource: this.#resourceOf(file.owner) };
        gaps.tell(place, ending.gaps, 0);
        context.ship.forget(file.id);
      }
      tailer.dropUnclaimed(first.group);
    }
    return records;
  }

  /** Whether a file stands where it stood, as far as can be told. */
  #isThere(file: FileCheckpoint): boolean {
    try {
      const stat = this.#options.context.fileSystem.stat(file.path);
      return stat !== undefined && `${stat.device}:${stat.inode}` === file.inode;
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      return true;
    }
  }

  /**
   * Writes down what is lost before it is told, so that it is told again with the same time; returns whether that
   * was possible.
   */
  #writeDown(endings: readonly Ending[]): boolean {
    const { context, store } = this.#options;
    // The gap of a truncation is told as it is: it does not change any more, should the file come back.
    const lost = endings.filter(
      ({ file }) => file.size > file.acknowledgedOffset || file.isTruncated === true,
    );
    const commits = lost.map(({ file, ending: { dropped, gaps } }) => {
      const { acknowledgedOffset: size } = file;
      return { ...file, size, readOffset: size, dropped, gaps, isTruncated: false };
    });
    try {
      store.commit(commits, []);
    } catch (error) {
      const text = `cannot write the checkpoint (${messageOf(error)}); it is tried again`;
      context.warnOnce('checkpoint_failed', messageOf(error), text);
      return false;
    }
    for (const { file } of lost) this.#warn(file);
    return true;
  }

  #warn(file: FileCheckpoint): void {
    const lost = file.size - file.acknowledgedOffset;
    if (lost === 0) return;
    const text = `${file.path}: ${lost} bytes were not collected: the file vanished while it was not followed`;
    this.#options.context.telemetry.log('warn', 'gap', text, { fileId: file.id });
  }

  /** What documents of a file say of which only the checkpoint is left. */
  #resourceOf({ source, namespace, pod, container }: FileOwner): Record<string, unknown> {
    const spec = { names: { namespace, pod, container }, source: { kind: source, fields: {} } };
    return buildResource(spec, this.#options.context.facts);
  }
}
