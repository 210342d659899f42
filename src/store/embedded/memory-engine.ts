/**
 * A segment engine in plain JavaScript, for tests and the simulation: its segments are NDJSON, and it reads every
 * file as a whole. It means by a query what `query/match.ts` means, which is what the real engine is held to.
 */
import { AppError, messageOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import { eventIdOf, parseEventId } from '../../record/identity.ts';
import { parseTimestamp } from '../../record/timestamp.ts';
import type { JsonObject } from '../../query/match.ts';
import { compileMatcher, firstTextAt } from '../../query/match.ts';
import { LEVEL_KEY, OFFSET_KEY, RESOURCE_KEY } from './commit-line.ts';
import type {
  CompactRequest,
  CopyRequest,
  FileRange,
  FileTally,
  FoundRow,
  HistogramCount,
  NewSegment,
  RangedSource,
  RangeTally,
  ScanBlock,
  ResourceMap,
  SealRequest,
  SegmentEngine,
  SegmentSource,
  SliceScan,
  Source,
  SourceHistogram,
  SourceScan,
  SourceSearch,
} from './segment-engine.ts';
import { fromJournalKey } from './own-keys.ts';
import { segmentPath } from './segment-engine.ts';
import { compareKeys } from './source-search.ts';

interface Row extends FoundRow {
  readonly fields: JsonObject;
}

export class MemoryEngine implements SegmentEngine {
  readonly #fileSystem: FileSystem;

  constructor({ fileSystem }: { readonly fileSystem: FileSystem }) {
    this.#fileSystem = fileSystem;
  }

  async seal({ journals, hours, directory, sequence }: SealRequest): Promise<NewSegment[]> {
    const rows = journals.flatMap((journal) => this.#rowsOf(journal));
    return hours.map((hour, index) => {
      const path = segmentPath(hour, sequence, index, 'ndjson');
      const ofHour = rows.filter((row) => hourOf(row) === hour);
      return writeSegment(this.#fileSystem, directory, path, ofHour);
    });
  }

  async compact({ sources, directory, hour, sequence }: CompactRequest): Promise<NewSegment> {
    const path = segmentPath(hour, sequence, 0, 'ndjson');
    const rows = sources.flatMap((source) => this.#rowsOf(source));
    return writeSegment(this.#fileSystem, directory, path, rows);
  }

  async search(source: Source, request: SourceSearch, signal: AbortSignal): Promise<FoundRow[]> {
    const { order, after, limit } = request;
    const found = this.#matching(source, request, signal);
    const ordered = found.toSorted((one, other) => compareKeys(one, other, order));
    return ordered.filter((row) => after === undefined || compareKeys(row, after, order) > 0).slice(0, limit);
  }

  async scan(
    sources: readonly Source[],
    request: SliceScan,
    signal: AbortSignal,
  ): Promise<ScanBlock | undefined> {
    const rows = sources.flatMap((source) => this.#matching(source, request, signal));
    rows.sort((one, other) => compareKeys(one, other, 'asc'));
    const bytes = new TextEncoder().encode(rows.map((row) => `${row.document}\n`).join(''));
    const isTooLarge = request.bytesMax !== undefined && bytes.length > request.bytesMax;
    return isTooLarge ? undefined : { bytes, rows: rows.length };
  }

  async histogram(source: Source, request: SourceHistogram, signal: AbortSignal): Promise<HistogramCount[]> {
    const { widthNs, range, by } = request;
    return this.#matching(source, request, signal).map((row) => {
      const bucket = Number((row.timeNs - range.startNs) / widthNs);
      return { bucket, value: firstTextAt(row.fields, by ?? []), count: 1 };
    });
  }

  async tally(source: Source): Promise<FileTally[]> {
    return tallyRows(this.#rowsOf(source));
  }

  async tallyRanges(sources: readonly RangedSource[], ranges: readonly FileRange[]): Promise<RangeTally[]> {
    return ranges.flatMap((range, index) => {
      const inRange = sources.map(({ source }) =>
        this.#rowsOf(source).filter((row) => isInRange(row, range)),
      );
      const [all] = tallyRows(inRange.flat());
      if (all === undefined) return [];
      const segments = inRange.flatMap((rows, at) =>
        sources[at]?.source.kind === 'segment' ? tallyRows(rows) : [],
      );
      return [{ index, ...all, segments: addTallies(segments) }];
    });
  }

  async verify(source: SegmentSource): Promise<number> {
    return this.#rowsOf(source).length;
  }

  async copyMatches({ sources, path, ...request }: CopyRequest, signal: AbortSignal): Promise<void> {
    const rows = sources.flatMap((source) => this.#matching(source, request, signal));
    writeRows(this.#fileSystem, path, rows);
  }

  forget(): void {
    // Nothing is kept.
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  #rowsOf(source: Source): Row[] {
    return readRows(this.#fileSystem, source);
  }

  #matching(source: Source, request: SourceScan, signal: AbortSignal): Row[] {
    if (signal.aborted) throw new AppError('aborted', 'cannot finish the query');
    const matches = compileMatcher(request.query);
    const { startNs, endNs } = request.range;
    const isIn = (row: Row): boolean => row.timeNs >= startNs && row.timeNs < endNs;
    return this.#rowsOf(source).filter((row) => isIn(row) && matches(row.fields));
  }
}

function readRows(fileSystem: FileSystem, source: Source): Row[] {
  const text = new TextDecoder().decode(fileSystem.readFile(source.path));
  const rows: Row[] = [];
  for (const line of text.split('\n')) {
    const row = line === '' ? undefined : toRow(line, source);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

function toRow(line: string, source: Source): Row | undefined {
  let document: JsonObject;
  try {
    document = JSON.parse(line) as JsonObject;
  } catch (error) {
    // The end of a journal that is being written may be torn; a segment is written whole.
    if (source.kind === 'journal') return undefined;
    throw new AppError('corrupt', 'cannot read a segment', { details: { reason: messageOf(error) } });
  }
  if (document['log'] === undefined && document[OFFSET_KEY] === undefined) return undefined;
  const fields = source.kind === 'journal' ? fromJournal(document, source.resources) : document;
  const id = parseEventId(String((fields['event'] as JsonObject | undefined)?.['id']));
  const timeNs = parseTimestamp(String(fields['@timestamp'])) ?? 0n;
  if (id === undefined) return undefined;
  return { ...id, timeNs, fields, document: JSON.stringify(fields) };
}

function fromJournal(document: JsonObject, resources: ResourceMap): JsonObject {
  const whole = withResource(document, resources);
  if (!Object.keys(whole).some((key) => key.startsWith('$'))) return whole;
  return Object.fromEntries(Object.entries(whole).map(([key, value]) => [fromJournalKey(key), value]));
}

function withResource(document: JsonObject, resources: ResourceMap): JsonObject {
  const { [RESOURCE_KEY]: id, [LEVEL_KEY]: level, [OFFSET_KEY]: offset, ...rest } = document;
  const resource = resources.get(Number(id));
  if (offset === undefined || resource === undefined) return { ...rest, ...resource?.members };
  const log = {
    offset,
    ...(resource.members['log'] as JsonObject),
    ...(level === undefined ? {} : { level }),
  };
  const event = { id: eventIdOf(resource.fileId, Number(offset)) };
  return { ...rest, ...resource.members, log, event };
}

function writeSegment(
  fileSystem: FileSystem,
  directory: string,
  path: string,
  rows: readonly Row[],
): NewSegment {
  writeRows(fileSystem, `${directory}/${path}`, rows);
  const times = rows.map((row) => row.timeNs).toSorted((one, other) => (one < other ? -1 : 1));
  const namespaces = countBy(rows, 'kubernetes.namespace');
  const levels = countBy(rows, 'log.level');
  return {
    path,
    columns: [],
    rows: rows.length,
    minNs: times.at(0) ?? 0n,
    maxNs: times.at(-1) ?? 0n,
    namespaces,
    levels,
  };
}

function writeRows(fileSystem: FileSystem, path: string, rows: readonly Row[]): void {
  const fd = fileSystem.open(path, 'w');
  try {
    fileSystem.write(fd, new TextEncoder().encode(rows.map((row) => `${row.document}\n`).join('')));
  } catch (error) {
    throw new AppError('disk_full', 'cannot write a segment', { cause: error });
  } finally {
    fileSystem.close(fd);
  }
}

function countBy(rows: readonly Row[], field: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) {
    const value = firstTextAt(row.fields, [field]);
    if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

function hourOf(row: Row): string {
  return String(row.fields['@timestamp']).slice(0, 13);
}

function isInRange({ fileId, offset }: Row, range: FileRange): boolean {
  return fileId === range.fileId && offset >= range.startOffset && offset < range.endOffset;
}

function addTallies(tallies: readonly FileTally[]): RangeTally['segments'] {
  return {
    count: tallies.reduce((sum, { count }) => sum + count, 0),
    distinct: tallies.reduce((sum, { distinct }) => sum + distinct, 0),
    offsetSum: tallies.reduce((sum, { offsetSum }) => sum + offsetSum, 0n),
  };
}

function tallyRows(rows: readonly Row[]): FileTally[] {
  const byFile = new Map<string, number[]>();
  for (const { fileId, offset } of rows) byFile.set(fileId, [...(byFile.get(fileId) ?? []), offset]);
  return [...byFile].map(([fileId, offsets]) => {
    const distinct = [...new Set(offsets)];
    return {
      fileId,
      count: offsets.length,
      distinct: distinct.length,
      offsetMin: Math.min(...offsets),
      offsetMax: Math.max(...offsets),
      offsetSum: distinct.reduce((sum, offset) => sum + BigInt(offset), 0n),
    };
  });
}
