/** Turns what is known of a file into its checkpoint, its ledger record, and its status. */
import { must } from '../../base/assert.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import type { AgentFileStatus } from '../agent-types.ts';
import type { FileGroup } from '../tail/file-group.ts';
import type { CheckpointMarks } from '../tail/file-marks.ts';
import type { TailedFile } from '../tail/tailed-file.ts';
import type { FileCheckpoint, FileOwner } from './checkpoint-store.ts';

/** Who writes a ledger record, and when. */
export interface LedgerMoment {
  readonly node: string;
  /** RFC 3339 with nine digits, UTC. */
  readonly time: string;
  /** The same in milliseconds since the epoch. */
  readonly timeMs: number;
}

/** Returns the checkpoint of an identified file with the fingerprints of what was read. */
export function checkpointOf(
  group: FileGroup,
  file: TailedFile,
  { mark, marks }: CheckpointMarks,
): FileCheckpoint {
  const progress = must(file.progress, 'progress');
  file.replay.prune(progress.acknowledgedOffset);
  return {
    id: must(file.id, 'file id'),
    group: group.spec.key,
    owner: ownerOf(group),
    path: file.path,
    inode: file.inode,
    birthNs: file.birthNs,
    generation: file.generation,
    order: file.order,
    head: must(file.head, 'head'),
    mark,
    ...(marks === undefined ? {} : { marks }),
    ...(file.copyEnds.length === 0 ? {} : { copyEnds: file.copyEnds }),
    also: [...file.also],
    ...(group.ignored.size === 0 ? {} : { unwanted: [...group.ignored] }),
    isArchive: file.compression !== undefined,
    isComplete: file.phase === 'done' && file.isSettled,
    size: file.size,
    readOffset: file.readOffset,
    acknowledgedOffset: progress.acknowledgedOffset,
    records: progress.records,
    offsetSum: progress.offsetSum.toString(),
    dropped: progress.dropped,
    flaws: progress.flaws,
    gaps: file.gaps,
    ...(file.skips.length === 0 ? {} : { skips: [...file.skips] }),
    ...(file.isTruncated ? { isTruncated: true } : {}),
    ledgerSequence: file.ledgerSequence,
    times: file.replay.times,
    cuts: file.replay.cuts,
  };
}

/** Returns what the agent says of a file now, with the next sequence number. */
export function ledgerRecordOf(group: FileGroup, file: TailedFile, now: LedgerMoment): LedgerRecord {
  const progress = must(file.progress, 'progress');
  // The clock makes the number increase over a restart that lost the checkpoint's.
  file.ledgerSequence = Math.max(file.ledgerSequence + 1, now.timeMs);
  const { namespace, pod, container } = namesOf(group);
  return {
    fileId: must(file.id, 'file id'),
    sequence: file.ledgerSequence,
    time: now.time,
    node: now.node,
    path: file.path,
    namespace,
    pod,
    container,
    state: stateOf(file),
    bytesWritten: Math.max(file.size, file.readOffset),
    bytesRead: file.readOffset,
    acknowledgedOffset: progress.acknowledgedOffset,
    records: progress.records,
    offsetSum: progress.offsetSum.toString(),
    dropped: progress.dropped,
    flaws: progress.flaws,
    gaps: file.gaps,
  };
}

/** Returns the last ledger record of a file that was gone when the agent came back. */
export function ledgerRecordOfLost(saved: FileCheckpoint, now: LedgerMoment): LedgerRecord {
  const lostBytes = Math.max(0, saved.size - saved.acknowledgedOffset);
  const gap = {
    kind: 'possible_loss' as const,
    startOffset: saved.acknowledgedOffset,
    endOffset: saved.acknowledgedOffset + lostBytes,
    reason: 'the file vanished while it was not followed',
    time: now.time,
    path: saved.path,
  };
  const { possible_loss: before = 0 } = saved.dropped;
  return {
    fileId: saved.id,
    sequence: Math.max(saved.ledgerSequence + 1, now.timeMs),
    time: now.time,
    node: now.node,
    path: saved.path,
    namespace: saved.owner.namespace,
    pod: saved.owner.pod,
    container: saved.owner.container,
    state: 'gone',
    // What lies beyond may have been delivered all the same: it is in the gap and in `dropped`, not in the lag.
    bytesWritten: saved.acknowledgedOffset,
    bytesRead: saved.acknowledgedOffset,
    acknowledgedOffset: saved.acknowledgedOffset,
    records: saved.records,
    offsetSum: saved.offsetSum,
    flaws: saved.flaws ?? {},
    dropped: lostBytes === 0 ? saved.dropped : { ...saved.dropped, possible_loss: before + lostBytes },
    gaps: lostBytes === 0 ? saved.gaps : [...saved.gaps, gap],
  };
}

/** Returns what `status` shows of a file. */
export function statusOf(group: FileGroup, file: TailedFile): AgentFileStatus {
  const { namespace, pod, container } = namesOf(group);
  return {
    id: file.id,
    path: file.path,
    source: group.spec.source.kind,
    namespace,
    pod,
    container,
    size: file.size,
    readOffset: file.readOffset,
    acknowledgedOffset: file.acknowledgedOffset,
    state: file.phase === 'unidentified' ? 'waiting' : stateOf(file),
  };
}

function stateOf(file: TailedFile): LedgerRecord['state'] {
  if (file.phase === 'done') return file.isListed ? 'complete' : 'gone';
  return file.isUnlinked ? 'gone' : 'active';
}

function ownerOf(group: FileGroup): FileOwner {
  const { namespace, pod, container } = namesOf(group);
  return { source: group.spec.source.kind, namespace, pod, container };
}

/** What a path template names counts like what the layout of a tree says. */
function namesOf({ spec: { names } }: FileGroup): Pick<FileOwner, 'namespace' | 'pod' | 'container'> {
  const { fields = {} } = names;
  return {
    namespace: names.namespace ?? fields['kubernetes.namespace'],
    pod: names.pod ?? fields['kubernetes.pod.name'],
    container: names.container ?? fields['kubernetes.container.name'],
  };
}
