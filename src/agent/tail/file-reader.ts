/**
 * Reads one slice of one file and pushes it through the file's decoder.
 *
 * Every read begins a few bytes before the read offset, and the beginning of the file is compared again after it:
 * bytes are accepted only when the file is still the one that was read so far. A file that was truncated and has
 * grown past the read offset between two looks is recognised that way (copytruncate).
 */
import { must } from '../../base/assert.ts';
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import { computeFileId } from '../../record/identity.ts';
import type { FileGroup } from './file-group.ts';
import {
  fingerprintOf,
  HEAD_CHECK_BYTES,
  type Head,
  isSameBytes,
  MARK_BYTES,
  readAt,
  readHead,
} from './fingerprint.ts';
import { ReplayState } from './replay-state.ts';
import { bytesBeforeHole, bytesBeforeSkip } from './skips.ts';
import type { TailContext } from './tail-context.ts';
import type { TailedFile } from './tailed-file.ts';

/** Bytes of one slice: enough to make a read cheap, little enough to be fair (G9). */
export const SLICE_BYTES = 256 * 1024;

/** How long an active file's unfinished first line waits before it is looked at again without an event. */
const HEAD_RETRY_MS = 200;

/** Doubled with every failure in a row, up to the time between rescans. */
const FAILED_RETRY_MS = 100;

export type SliceOutcome =
  | { readonly kind: 'read'; readonly bytes: number }
  | { readonly kind: 'idle' }
  | { readonly kind: 'truncated' };

export class FileReader {
  readonly #context: TailContext;
  readonly #buffer = new Uint8Array(SLICE_BYTES + MARK_BYTES);

  constructor(context: TailContext) {
    this.#context = context;
  }

  /** Reads and decodes up to one slice. A file that cannot be read fails alone and is tried again later. */
  readSlice(group: FileGroup, file: TailedFile): SliceOutcome {
    try {
      if (file.phase === 'unidentified' && !this.#identify(group, file)) return { kind: 'idle' };
      return file.archive === undefined ? this.#readPlain(group, file) : this.#readArchive(group, file);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      this.#fail(file, error);
      return { kind: 'idle' };
    }
  }

  /** Gives a file its id before its turn to be read, because another one has to be compared with it. */
  identifyEarly(group: FileGroup, file: TailedFile): void {
    if (file.phase !== 'unidentified' || file.fd === undefined) return;
    const head = this.#readFirstHead(file, file.fd);
    if (head?.isWhole === true) this.settleIdentity(group, file, head);
  }

  /** Returns the head of a file whose id is not known; undefined when it may be that of the next life. */
  #readFirstHead(file: TailedFile, fd: number): Head | undefined {
    const { fileSystem } = this.#context;
    // Once it was seen to be shorter it stays so, whatever it has grown to since.
    if (file.isShrunk) return undefined;
    const head = readHead(fileSystem, fd);
    file.isShrunk = fileSystem.fstat(fd).size < file.size;
    return file.isShrunk ? undefined : head;
  }

  /** Gives a file its id from its head. */
  settleIdentity(group: FileGroup, file: TailedFile, head: Head): void {
    const { config, sha256, scheduler } = this.#context;
    const [device = '0', inode = '0'] = file.inode.split(':');
    const firstLine = head.bytes.at(-1) === 10 ? head.bytes.subarray(0, -1) : head.bytes;
    // The birth time separates a file from an earlier one with the same inode and the same first line.
    const birth = file.birthNs === '0' ? scheduler.nowNs().toString() : file.birthNs;
    file.id = computeFileId(
      {
        cluster: config.cluster.name,
        node: config.node.name,
        directory: `${group.spec.identity}@${birth}`,
        device: BigInt(device),
        inode: BigInt(inode),
        generation: file.generation,
        firstLine,
      },
      sha256,
    );
    file.head = fingerprintOf(head.bytes, 0, sha256);
    file.headBytes = head.bytes.slice(0, HEAD_CHECK_BYTES);
    file.replay = new ReplayState([], [], isStampless(group, head.bytes));
    file.phase = 'reading';
    // Unwanted history stays unwanted after a restart.
    for (const ignored of group.ignored) file.also.add(ignored);
    this.startDecoder(group, file);
    this.#context.noteChange(group, file);
  }

  startDecoder(group: FileGroup, file: TailedFile): void {
    const { ship, createDecoder } = this.#context;
    file.progress = ship.progressOf(must(file.id, 'file id'));
    file.decoder = createDecoder(group.spec, file, group.lanes);
  }

  /** Gives out what the decoder holds because nothing follows it, or because patience is over. */
  flush(group: FileGroup, file: TailedFile, cause: 'idle' | 'gone'): void {
    const { decoder } = file;
    if (decoder === undefined || decoder.safeOffset >= file.readOffset) return;
    decoder.flush(cause);
    const batches = decoder.take();
    if (batches.length === 0) return;
    // At the end of a container all its files were read before, and are again: at the end of this one alone it would
    // cut what goes on in the next.
    if (!group.isEnded || cause !== 'gone') file.replay.addCut({ offset: file.readOffset, cause });
    this.#context.noteHold(group, file);
    this.#context.emit(batches);
  }

  /** Notes that a truncated file goes on in its copy, which ends at `endOffset`; what is known to be beyond it is lost. */
  settleTruncation(group: FileGroup, file: TailedFile, endOffset: number): void {
    if (!file.isTruncated) return;
    const { ship, telemetry, noteChange } = this.#context;
    const lost = file.settleTruncation(endOffset);
    // What is lost is accounted for, and not waited for.
    file.size = endOffset;
    if (lost > 0) {
      ship.suspect(must(file.id, 'file id'), lost, 'possible_loss');
      telemetry.count('logboom_agent_dropped_bytes_total', lost, { reason: 'possible_loss' });
      const text = `${file.path}: ${lost} bytes were not collected: the file was truncated, and its copy ends before them`;
      telemetry.log('warn', 'gap', text, { path: file.path, fileId: file.id, startOffset: endOffset });
    }
    noteChange(group, file);
  }

  #identify(group: FileGroup, file: TailedFile): boolean {
    const { scheduler } = this.#context;
    const head = this.#readFirstHead(file, must(file.fd, 'open file'));
    if (head === undefined) return false;
    file.noteSuccess();
    const canGrow = file.isActive && !this.#context.isOnce;
    if (head.bytes.length === 0 || (!head.isWhole && canGrow)) {
      file.retryAtMs = scheduler.monotonicMs() + HEAD_RETRY_MS;
      return false;
    }
    this.settleIdentity(group, file, head);
    return true;
  }

  #readPlain(group: FileGroup, file: TailedFile): SliceOutcome {
    const { fileSystem } = this.#context;
    const fd = must(file.fd, 'open file');
    const overlap = file.markLength;
    const allowed = bytesBeforeHole(this.#context, file, bytesBeforeSkip(file, SLICE_BYTES));
    if (file.isAtSkip) return { kind: 'idle' };
    const length = overlap + allowed;
    const count = fileSystem.read(fd, this.#buffer, 0, length, file.readOffset - overlap);
    const fresh = count - overlap;
    if (fresh < 0 || !this.#isSameFile(file, fd)) return { kind: 'truncated' };
    if (fresh === 0) {
      file.size = file.readOffset;
      file.noteSuccess();
      return { kind: 'idle' };
    }
    this.#push(group, file, this.#buffer, overlap, count);
    return { kind: 'read', bytes: fresh };
  }

  /** Whether a file still holds what was read of it: it may have been truncated and filled up again. */
  isUnchanged(file: TailedFile): boolean {
    if (file.fd === undefined || file.phase !== 'reading' || file.markLength === 0) return true;
    const { fileSystem } = this.#context;
    const start = file.readOffset - file.markLength;
    const count = fileSystem.read(file.fd, this.#buffer, 0, file.markLength, start);
    return count === file.markLength && this.#isSameFile(file, file.fd);
  }

  #isSameFile(file: TailedFile, fd: number): boolean {
    if (
      !isSameBytes(this.#buffer.subarray(0, file.markLength), file.markBytes.subarray(0, file.markLength))
    ) {
      return false;
    }
    return isSameBytes(readAt(this.#context.fileSystem, fd, 0, file.headBytes.length), file.headBytes);
  }

  #readArchive(group: FileGroup, file: TailedFile): SliceOutcome {
    const archive = must(file.archive, 'archive');
    const bytes = archive.take(SLICE_BYTES);
    if (bytes === undefined) {
      if (archive.error !== undefined) throw archive.error;
      return { kind: 'idle' };
    }
    this.#push(group, file, bytes, 0, bytes.length);
    return { kind: 'read', bytes: bytes.length };
  }

  #push(group: FileGroup, file: TailedFile, bytes: Uint8Array, start: number, end: number): void {
    const { scheduler, telemetry, emit, noteHold, noteChange } = this.#context;
    const decoder = must(file.decoder, 'decoder');
    let at = start;
    for (const step of file.replay.plan(file.readOffset, end - start, scheduler.nowNs())) {
      decoder.push(bytes, at, at + step.length, file.readOffset, step.timeNs);
      at += step.length;
      file.readOffset += step.length;
      if (step.cut !== undefined) decoder.flush(step.cut);
    }
    file.remember(bytes.subarray(start, end));
    file.size = Math.max(file.size, file.readOffset);
    file.verifiedSize = file.size;
    file.lastReadMs = scheduler.monotonicMs();
    file.isFlushed = false;
    file.noteSuccess();
    if (file.replay.hasFresh) noteHold(group, file);
    noteChange(group, file);
    emit(decoder.take());
    telemetry.count('logboom_agent_read_bytes_total', end - start, { source: group.spec.source.kind });
  }

  #fail(file: TailedFile, error: unknown): void {
    const { config, scheduler, warnOnce } = this.#context;
    const nowMs = scheduler.monotonicMs();
    const delayMs = Math.min(config.agent.rescanMs, FAILED_RETRY_MS * 2 ** (file.failures + 1));
    file.noteFailure(error, nowMs, nowMs + delayMs);
    const text = `cannot read ${file.path} (${messageOf(error)}); other files go on, this one is tried again`;
    warnOnce('file_unreadable', file.path, text);
  }
}

const STAMPED = [
  /^\d{4}-\d\d-\d\dT\S+ (?:stdout|stderr) [PF]/,
  /^\s*\{\s*"log"\s*:/,
  /^@[0-9a-f]{24}[ \t]/,
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ {2}/,
];

/** Whether the lines of a file carry no time of their own, as far as its first line tells. */
export function isStampless(group: FileGroup, head: Uint8Array): boolean {
  if (group.spec.format === 'plain') return true;
  const text = new TextDecoder('latin1').decode(head);
  return !STAMPED.some((pattern) => pattern.test(text));
}
