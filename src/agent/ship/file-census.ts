/** Looks over all files that are followed now: whether all is read, how far each one is, and the sums. */
import type { SourceConfig } from '../../config/source-config.ts';
import type { AgentFileStatus, AgentProgress } from '../agent-types.ts';
import type { Obstacle } from '../obstacles.ts';
import type { DirectoryTree } from '../discovery/directory-tree.ts';
import type { TailContext } from '../tail/tail-context.ts';
import type { TailedFile } from '../tail/tailed-file.ts';
import type { Tailer } from '../tail/tailer.ts';
import { statusOf } from './file-records.ts';

export class FileCensus {
  readonly #tailer: Tailer;
  readonly #context: TailContext;
  #records = 0;

  constructor(tailer: Tailer, context: TailContext) {
    this.#tailer = tailer;
    this.#context = context;
  }

  /** Whether a run that reads what is there has read and sent all of it. */
  isAllRead(): boolean {
    const nowMs = this.#context.scheduler.monotonicMs();
    for (const group of this.#tailer.groups) {
      if (group.isHeldBack(nowMs)) return false;
      for (const file of group.files) if (!isReadThrough(file)) return false;
    }
    return true;
  }

  /**
   * Whether a file has bytes that no ledger tells of, because its first line is not known yet, because it was
   * truncated a moment ago, or because it is compressed and was not read to its end.
   */
  hasUnknownFiles(): boolean {
    for (const group of this.#tailer.groups) if (group.files.some(isUnknown)) return true;
    return false;
  }

  /** Whether one of them is known in a moment: it waits for its turn to be read, and for nothing else. */
  isSettling(): boolean {
    const nowMs = this.#context.scheduler.monotonicMs();
    for (const group of this.#tailer.groups) {
      const isSoonKnown = (file: TailedFile): boolean => isUnknown(file) && file.retryAtMs <= nowMs;
      if (group.files.some((file) => file.compression === undefined && isSoonKnown(file))) return true;
    }
    return false;
  }

  /** Returns the files that are known and cannot be read or measured just now. */
  obstacles(): Obstacle[] {
    const list: Obstacle[] = [];
    for (const group of this.#tailer.groups) {
      for (const file of group.files) {
        if (file.phase === 'done' || file.phase === 'orphaned') continue;
        const isFailing = file.failingSinceMs > 0;
        if (!isFailing && file.measureError === undefined) continue;
        const sinceMs = isFailing ? file.failingSinceMs : this.#context.scheduler.monotonicMs();
        const error = isFailing ? file.failure : file.measureError;
        list.push({ path: file.path, kind: 'file', error, sinceMs });
      }
    }
    return list;
  }

  /** Returns what `status` shows of each file. */
  files(): AgentFileStatus[] {
    const list: AgentFileStatus[] = [];
    for (const group of this.#tailer.groups) {
      for (const file of group.files) list.push(statusOf(group, file));
    }
    return list;
  }

  /** Returns how many files of a source are followed. */
  countFiles(source: SourceConfig): number {
    let count = 0;
    for (const group of this.#tailer.groups) if (group.spec.source === source) count += group.files.length;
    return count;
  }

  /** Returns the sums of all files; the number of records never sinks when files are forgotten. */
  progress(): AgentProgress {
    let files = 0;
    let bytesTotal = 0;
    let bytesRead = 0;
    let bytesAcknowledged = 0;
    let records = 0;
    for (const group of this.#tailer.groups) {
      for (const file of group.files) {
        files++;
        bytesTotal += file.size;
        bytesRead += file.readOffset;
        bytesAcknowledged += file.acknowledgedOffset;
        records += file.progress?.records ?? 0;
      }
    }
    this.#records = Math.max(this.#records, records);
    return { files, bytesTotal, bytesRead, bytesAcknowledged, records: this.#records };
  }

  /** Sets the gauges. */
  report(trees: readonly DirectoryTree[], bufferBytes: number): void {
    const { telemetry } = this.#context;
    const states = new Map<string, number>([
      ['waiting', 0],
      ['active', 0],
      ['gone', 0],
      ['complete', 0],
    ]);
    let lag = 0;
    for (const status of this.files()) {
      states.set(status.state, (states.get(status.state) ?? 0) + 1);
      lag += Math.max(0, status.size - status.acknowledgedOffset);
    }
    for (const [state, count] of states) telemetry.gauge('logboom_agent_files', count, { state });
    telemetry.gauge('logboom_agent_lag_bytes', lag);
    telemetry.gauge('logboom_agent_buffer_bytes', bufferBytes);
    telemetry.gauge(
      'logboom_agent_watches',
      trees.reduce((sum, tree) => sum + tree.watchCount, 0),
    );
  }
}

function isUnknown(file: TailedFile): boolean {
  if (file.id === undefined && (file.size > 0 || file.isProbing)) return true;
  return file.isShrunk || (file.phase === 'reading' && file.archive?.isReadThrough === false);
}

function isReadThrough(file: TailedFile): boolean {
  if (file.isProbing) return false;
  if (file.phase === 'done' || file.phase === 'resting') return true;
  // One that stays unreadable was warned of, and is left as it is.
  if (file.failingSinceMs > 0) return file.isSettled;
  if (file.phase === 'unidentified') return file.size === 0 && !file.isProbing;
  return false;
}
