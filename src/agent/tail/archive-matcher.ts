/**
 * Decides what a compressed file is, by what it inflates to: one that is followed already and goes on in it, what a
 * processor made of one, or a file that was compressed before anybody read it. Looking into it takes its time; the
 * group goes on meanwhile.
 */
import type { Fingerprint } from '../ship/checkpoint-store.ts';
import { type ArchiveProbe, ArchiveReader, probeArchive } from './archive-reader.ts';
import type { FileGroup } from './file-group.ts';
import type { FileMarks } from './file-marks.ts';
import type { FileReader } from './file-reader.ts';
import { endOf, type Head, isHeadOf } from './fingerprint.ts';
import { findProcessed } from './processed-archives.ts';
import type { TailContext } from './tail-context.ts';
import { aliasOf, type Observed, type TailedFile } from './tailed-file.ts';

export interface ArchiveMatcherOptions {
  readonly context: TailContext;
  readonly reader: FileReader;
  readonly marks: FileMarks;
  /** Called when an archive of a group has bytes, or has ended, or was looked into. */
  readonly onReady: (group: FileGroup) => void;
  /** Adds to the group what was observed, without a descriptor. */
  readonly begin: (group: FileGroup, observed: Observed) => TailedFile;
  readonly noteUnreadable: (group: FileGroup, observed: Observed, error: unknown) => void;
}

/** A file that begins like an archive. */
interface Candidate {
  readonly file: TailedFile;
  /** Its last bytes; undefined where none are known. */
  readonly endMark: Fingerprint | undefined;
  /** By offset; empty unless it was truncated. */
  readonly shortMarks: readonly Fingerprint[];
  /** Where copies of it ended that were known before they were compressed. */
  readonly copyEnds: readonly Fingerprint[];
}

export class ArchiveMatcher {
  readonly #options: ArchiveMatcherOptions;
  readonly #context: TailContext;
  readonly #reader: FileReader;
  readonly #marks: FileMarks;

  constructor(options: ArchiveMatcherOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#reader = options.reader;
    this.#marks = options.marks;
  }

  /** Looks into a compressed file that the group does not know, and goes on in it or reads it from its beginning. */
  adopt(group: FileGroup, observed: Observed, compression: 'gz' | 'zst'): void {
    const { openArchive, sha256 } = this.#context;
    const file = this.#options.begin(group, observed);
    file.compression = compression;
    file.size = 0;
    file.isProbing = true;
    const candidates: Candidate[] = [];
    const choose = (head: Head): Fingerprint[] => {
      for (const other of this.#candidates(group, file, head)) {
        const shortMarks = other.isTruncated ? this.#marks.shortMarksOf(other) : [];
        const endMark = this.#marks.endMarkOf(other);
        candidates.push({ file: other, endMark, shortMarks, copyEnds: other.copyEnds });
      }
      return candidates.flatMap(({ endMark, shortMarks, copyEnds }) => [
        ...(endMark === undefined ? [] : [endMark]),
        ...shortMarks,
        ...copyEnds,
      ]);
    };
    const probe = probeArchive(openArchive(observed.file.path, compression, observed.inode), choose, sha256);
    group.probes.add(probe);
    const { path } = observed.file;
    this.#context.obstacles.keep(group.spec, path);
    probe
      .then(
        async (result) => {
          const whole = candidates.find(({ endMark }) => endMark === undefined || result.found.has(endMark));
          const match =
            whole ??
            candidates.find((candidate) => endsLikeCopy(candidate, result)) ??
            candidates.findLast((candidate) => endsBefore(candidate, result));
          // Others may be recognised by their content, which leaves fewer files that this one can be made of.
          if (match === undefined && group.spec.hasProcessor) await Promise.allSettled(group.probes);
          const isShort = match !== undefined && whole === undefined && result.size < match.file.readOffset;
          this.#context.obstacles.clear(group.spec, path);
          this.#settleArchive(group, file, { observed, head: result.head, match: match?.file, isShort });
        },
        (error: unknown) => {
          group.files = group.files.filter((other) => other !== file);
          this.#options.noteUnreadable(group, observed, error);
        },
      )
      .finally(() => {
        group.probes.delete(probe);
        file.isProbing = false;
        this.#options.onReady(group);
      });
  }

  #candidates(group: FileGroup, archive: TailedFile, head: Head): TailedFile[] {
    const { sha256 } = this.#context;
    const plainPath = archive.path.replace(/\.(?:gz|zst)$/, '');
    return group.files.filter((file) => {
      if (file === archive || file.head === undefined || !isHeadOf(head, file.head, sha256)) return false;
      // What is still there under another name is another file, however alike they begin.
      return !file.isListed || file.path === plainPath || group.spec.hasProcessor;
    });
  }

  #settleArchive(
    group: FileGroup,
    archive: TailedFile,
    probe: { observed: Observed; head: Head; match: TailedFile | undefined; isShort: boolean },
  ): void {
    if (probe.head.bytes.length === 0) {
      group.files = group.files.filter((other) => other !== archive);
      group.ignored.add(aliasOf(archive));
      return;
    }
    const { match, isShort } = probe;
    const origin = match ?? findProcessed(group, probe.observed);
    if (origin === undefined) {
      this.#reader.settleIdentity(group, archive, probe.head);
      this.open(group, archive, { ...probe.observed, size: 0 });
      return;
    }
    group.files = group.files.filter((other) => other !== archive);
    this.remember(group, origin, archive);
    // Of a copy that ends before what was read, everything was read already.
    if (match?.phase !== 'orphaned' || isShort) return;
    match.inode = archive.inode;
    match.birthNs = archive.birthNs;
    match.compression = archive.compression;
    match.observe({ ...probe.observed, file: { ...probe.observed.file, path: archive.path } });
    this.open(group, match, probe.observed);
  }

  /** Opens a compressed file at the read offset of `file`. */
  open(group: FileGroup, file: TailedFile, observed: Observed): void {
    const { openArchive } = this.#context;
    const compression = observed.file.rotated.compression ?? file.compression ?? 'gz';
    const chunks = openArchive(observed.file.path, compression, observed.inode);
    if (file.decoder === undefined) this.#reader.startDecoder(group, file);
    file.archive = new ArchiveReader(chunks, file.readOffset, () => this.#options.onReady(group));
    file.phase = 'reading';
    file.size = Math.max(file.size, file.readOffset);
  }

  /** Notes that `copy` has the content of `file`, or what a processor made of it. */
  remember(
    group: FileGroup,
    file: TailedFile,
    copy: { readonly inode: string; readonly birthNs: string },
  ): void {
    file.also.add(aliasOf(copy));
    file.isProcessed = group.spec.hasProcessor;
    this.#context.noteChange(group, file);
  }
}

/** Whether an archive ends exactly as a copy of the file did. */
function endsLikeCopy({ endMark, copyEnds }: Candidate, { found, size }: ArchiveProbe): boolean {
  // Only when more was looked for behind it, its size is that of the archive.
  if (endMark === undefined || endOf(endMark) <= size) return false;
  return copyEnds.some((end) => endOf(end) === size && found.has(end));
}

/**
 * Whether an archive ends before what was read of a truncated file, now or before a restart, and has what stood there;
 * see `FileMarks.isShortCopy` and `FileMarks.canGoOnIn`.
 */
function endsBefore({ file, endMark, shortMarks }: Candidate, { found, size }: ArchiveProbe): boolean {
  const readEnd = endMark === undefined ? file.readOffset : endOf(endMark);
  if (size >= readEnd) return false;
  const last = shortMarks.findLast((mark) => endOf(mark) <= size);
  return last !== undefined && found.has(last);
}
