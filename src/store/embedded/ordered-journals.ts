/**
 * Puts the lines of journals in the order that compresses best before the engine reads them: an engine that sorts rows
 * needs several times the time and memory for it. Lines of one app stand together, and of one file in it, within as
 * many rows as a row group has, so that row groups keep narrow ranges of time.
 */
import { AppError, systemCodeOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { JournalRun, JournalSource, ResourceMap } from './segment-engine.ts';
import { valueAt } from './resource-sql.ts';

export interface OrderOptions {
  readonly fileSystem: FileSystem;
  /** Of the new files. */
  readonly directory: string;
  /** Begins the names of the new files, which are replaced when they are there. */
  readonly name: string;
  /** Rows that are put in order together. */
  readonly rowsMax: number;
}

/** Where lines stand that stay together. */
interface PlacedRun extends JournalRun {
  readonly path: string;
  /** Place of its file among all of them. */
  readonly rank: number;
}

/** Lines that are put in order together have about so many bytes at most: they are in memory meanwhile. */
const CHUNK_BYTES_MAX = 24 << 20;

/** Written at once. */
const WRITE_BYTES = 1 << 20;

/** Runs that are placed at once: where each stands takes about 100 bytes of memory. */
const RUNS_MAX = 400_000;

/** A disk must have room for so many times the bytes of the new files: segments and new journals need some as well. */
const ROOM_FACTOR = 3;

/** Memory that each chunk uses again: fresh pages cost as much as reading into them. */
class Scratch {
  #bytes = new Uint8Array(0);
  #used = 0;
  /** What is written at once. */
  readonly output = new Uint8Array(WRITE_BYTES);

  /** Begins anew, with room for `bytes`: what was taken before is overwritten. */
  begin(bytes: number): void {
    if (this.#bytes.length < bytes) this.#bytes = new Uint8Array(bytes);
    this.#used = 0;
  }

  take(bytes: number): Uint8Array {
    this.#used += bytes;
    return this.#bytes.subarray(this.#used - bytes, this.#used);
  }
}

const NEWLINE = 10;

/**
 * Returns the journals that have the lines of `journals` in order, in new files that the caller removes; `journals`
 * themselves when there is nothing to put in order, when it is not known where what stands, or when that cannot be done:
 * a disk that is nearly full keeps its room for the segments, and what is missing in a journal is for the engine to say.
 */
export async function orderJournals(
  journals: readonly JournalSource[],
  options: OrderOptions,
): Promise<readonly JournalSource[]> {
  const [first] = journals;
  const runs = placeRuns(journals);
  if (first === undefined || runs === undefined || !hasRoom(runs, options)) return journals;
  const whole: JournalSource = {
    ...first,
    hasWholeDocuments: journals.some((journal) => journal.hasWholeDocuments),
    hasOddTimes: journals.some((journal) => journal.hasOddTimes),
    isCompact: journals.every((journal) => journal.isCompact),
    documentBytesMax: Math.max(...journals.map((journal) => journal.documentBytesMax)),
    runs: undefined,
  };
  const paths: string[] = [];
  const scratch = new Scratch();
  try {
    for (const waiting = runs.toReversed(); waiting.length > 0;) {
      const chunk = takeChunk(waiting, options.rowsMax);
      const path = `${options.directory}/${options.name}-${paths.length}.ndjson`;
      paths.push(path);
      await writeChunk(chunk, waiting, { ...options, path, scratch });
    }
  } catch (error) {
    removeFiles(options.fileSystem, paths);
    // Whether the disk or a journal is to blame.
    if (systemCodeOf(error) === undefined) throw error;
    return journals;
  }
  return paths.map((path) => ({ ...whole, path }));
}

function hasRoom(runs: readonly PlacedRun[], { fileSystem, directory }: OrderOptions): boolean {
  const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
  try {
    return fileSystem.freeBytes(directory) >= ROOM_FACTOR * bytes;
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return false;
  }
}

/** Removes files; what cannot be removed is removed when the store opens. */
export function removeFiles(fileSystem: FileSystem, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      fileSystem.unlink(path);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
    }
  }
}

/** Undefined when there are no two files or too many runs, or when a journal does not tell its own. */
function placeRuns(journals: readonly JournalSource[]): PlacedRun[] | undefined {
  const fileIds = new Set<string>();
  let count = 0;
  for (const { runs } of journals) {
    count += runs?.length ?? Infinity;
    if (runs === undefined || count > RUNS_MAX) return undefined;
    for (const { fileId } of runs) fileIds.add(fileId);
  }
  if (fileIds.size < 2) return undefined;
  const ranks = rankFiles(
    fileIds,
    journals.map(({ resources }) => resources),
  );
  return journals.flatMap(({ path, runs = [] }) =>
    runs.map((run) => ({ ...run, path, rank: ranks.get(run.fileId) ?? 0 })),
  );
}

/** Places of files by app and file id: what one app writes looks alike, whichever pod it is from. */
function rankFiles(fileIds: ReadonlySet<string>, resources: readonly ResourceMap[]): Map<string, number> {
  const apps = new Map<string, string>();
  for (const { fileId, members } of resources.flatMap((map) => [...map.values()])) {
    apps.set(fileId, appOf(members));
  }
  const named = [...fileIds].map((fileId) => ({ fileId, name: `${apps.get(fileId) ?? ''}\n${fileId}` }));
  const inOrder = named.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return new Map(inOrder.map(({ fileId }, place) => [fileId, place]));
}

const APP_PATHS = [
  ['service', 'name'],
  ['kubernetes', 'container', 'name'],
  ['container', 'name'],
] as const;

function appOf(members: Readonly<Record<string, unknown>>): string {
  for (const path of APP_PATHS) {
    const name = valueAt(members, path);
    if (typeof name === 'string') return name;
  }
  return '';
}

/** Takes runs from the end of `waiting`; the last of them may have more rows than there is room for. */
function takeChunk(waiting: PlacedRun[], rowsMax: number): PlacedRun[] {
  const chunk: PlacedRun[] = [];
  let rows = 0;
  let bytes = 0;
  while (rows < rowsMax && bytes < CHUNK_BYTES_MAX) {
    const run = waiting.pop();
    if (run === undefined) break;
    chunk.push(run);
    rows += run.rows;
    bytes += run.bytes;
  }
  return chunk;
}

/** Writes the lines of a chunk in order, and puts back what is beyond `rowsMax`. */
async function writeChunk(
  chunk: readonly PlacedRun[],
  waiting: PlacedRun[],
  { fileSystem, path, rowsMax, scratch }: OrderOptions & { path: string; scratch: Scratch },
): Promise<void> {
  const runs = readRuns(fileSystem, chunk, scratch);
  const over = runs.reduce((rows, { run }) => rows + run.rows, 0) - rowsMax;
  const last = runs.at(-1);
  if (over > 0 && last !== undefined) {
    const { kept, rest } = splitRun(last, last.run.rows - over);
    runs[runs.length - 1] = kept;
    waiting.push(rest);
  }
  const fd = fileSystem.open(path, 'w');
  try {
    const inOrder = runs.toSorted((one, other) => one.run.rank - other.run.rank);
    await writeRuns(fileSystem, fd, { runs: inOrder, buffer: scratch.output });
  } finally {
    fileSystem.close(fd);
  }
}

interface ReadRun {
  readonly run: PlacedRun;
  readonly bytes: Uint8Array;
}

/** Reads what is between the first and the last run of each journal at once: only commit lines are passed over. */
function readRuns(fileSystem: FileSystem, chunk: readonly PlacedRun[], scratch: Scratch): ReadRun[] {
  const byPath = Map.groupBy(chunk, ({ path }) => path);
  const spans = [...byPath].map(([path, runs]) => {
    const start = runs[0]?.start ?? 0;
    const last = runs.at(-1);
    return { path, runs, start, length: last === undefined ? 0 : last.start + last.bytes - start };
  });
  scratch.begin(spans.reduce((sum, { length }) => sum + length, 0));
  return spans.flatMap(({ path, runs, start, length }) => {
    const bytes = scratch.take(length);
    readAt(fileSystem, path, start, bytes);
    return runs.map((run) => {
      const from = run.start - start;
      return { run, bytes: bytes.subarray(from, from + run.bytes) };
    });
  });
}

/** Fills `bytes` from a file, of which so much is committed. */
function readAt(fileSystem: FileSystem, path: string, start: number, bytes: Uint8Array): void {
  const fd = fileSystem.open(path, 'r');
  try {
    for (let at = 0; at < bytes.length;) {
      const count = fileSystem.read(fd, bytes, at, bytes.length - at, start + at);
      if (count === 0) throw new AppError('corrupt', 'cannot read a journal', { details: { path } });
      at += count;
    }
  } finally {
    fileSystem.close(fd);
  }
}

/** Parts a run behind its first `rows` lines. */
function splitRun({ run, bytes }: ReadRun, rows: number): { kept: ReadRun; rest: PlacedRun } {
  let end = 0;
  for (let row = 0; row < rows; row += 1) end = bytes.indexOf(NEWLINE, end) + 1;
  return {
    kept: { run: { ...run, rows, bytes: end }, bytes: bytes.subarray(0, end) },
    rest: { ...run, rows: run.rows - rows, start: run.start + end, bytes: run.bytes - end },
  };
}

async function writeRuns(
  fileSystem: FileSystem,
  fd: number,
  { runs, buffer }: { readonly runs: readonly ReadRun[]; readonly buffer: Uint8Array },
): Promise<void> {
  let used = 0;
  const flush = async (): Promise<void> => {
    if (used > 0) await fileSystem.writeAsync(fd, buffer.subarray(0, used));
    used = 0;
  };
  for (const { bytes } of runs) {
    if (used + bytes.length > buffer.length) await flush();
    if (bytes.length > buffer.length) {
      await fileSystem.writeAsync(fd, bytes);
      continue;
    }
    buffer.set(bytes, used);
    used += bytes.length;
  }
  await flush();
}
