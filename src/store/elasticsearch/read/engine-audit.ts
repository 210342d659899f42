/**
 * What search finds of each file beside what the ledger says of it, in memory that does not grow with files or records:
 * both come sorted by file id, a page at a time. The engine adds up counts and offsets. Where they disagree with the
 * ledger, it adds up once more what lies below the acknowledged offset, and where they still do, the offsets themselves
 * are read: repeats and losses that cancel out show there.
 */
import type { LedgerRecord } from '../../../record/ledger.ts';
import { isInRanges, possibleLossRanges } from '../../../record/possible-loss.ts';
import type { FileAudit } from '../../store.ts';
import type { FileCounts, GoneCount } from '../counts/file-counts-state.ts';
import { goneBy } from '../counts/file-counts-state.ts';
import { liveIndices } from '../counts/live-indices.ts';
import { ALL, allOf, anyOf, term } from './dsl.ts';
import type { LogIndices } from './engine-search.ts';
import { sendSearch } from './engine-search.ts';
import type { Tally } from './file-tallies.ts';
import { FILE_COLUMN, TALLY_FILES_MAX, tallyFiles } from './file-tallies.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';

/** Offsets in one answer. */
const PAGE_OFFSETS = 10_000;

/** Conditions in one request: engines refuse more than about a thousand. */
const PAGE_BOUNDS = 200;

const SUM_MODULUS = 1n << 64n;

const NONE: Tally = { count: 0, sum: 0n };

/** One file, while it is looked at. */
interface Look {
  readonly fileId: string;
  ledger: LedgerRecord | undefined;
  found: Tally;
  dropped: Tally;
  /** In indices that are gone. */
  readonly expired: GoneCount;
  twice: number;
  /** Of the distinct ones found: where the ledger says that something may be lost. */
  inPossibleLoss: Tally;
}

const NOTHING_GONE: GoneCount = { records: 0, offsetSum: '0', early: 0 };

/** Indices that hold no logs, and what tells of those that are gone. */
export interface OwnIndices {
  readonly ledger: string;
  readonly dropped: string;
  readonly counts: string;
  /** Whether an index of this age that is gone was deleted before its time. */
  readonly isEarly: (createdMs: number) => boolean;
}

/** Yields one entry per file id that the logs, the ledger, or what pipelines dropped knows, sorted by file id. */
export async function* auditEngine(
  logs: LogIndices,
  own: OwnIndices,
  signal: AbortSignal,
): AsyncIterable<FileAudit> {
  const [ledger, dropped, counts] = [own.ledger, own.dropped, own.counts].map((indices): LogIndices => ({
    ...logs,
    indices,
  })) as [LogIndices, LogIndices, LogIndices];
  // What was acknowledged a moment ago counts.
  await Promise.all([logs, ledger, dropped, counts].map((one) => refresh(one, signal)));
  let after = '';
  for (;;) {
    const [found, records, drops, held] = await Promise.all([
      tallyFiles({ logs, after }, signal),
      ledgerPage(ledger, after, signal),
      tallyFiles({ logs: dropped, after }, signal),
      countsPage(counts, after, signal),
    ]);
    const gone = await goneOf(held, { logs, dropped, isEarly: own.isEarly }, signal);
    // Beyond the last key of a full page there may be more, so the shortest page ends this round.
    const ends = [found, records, drops, gone].filter((page) => page.size >= TALLY_FILES_MAX).map(lastKey);
    const end = ends.toSorted()[0];
    const looks = looksAt({ found, records, drops, gone, end });
    await settle(logs, dropped, looks, signal);
    for (const look of looks) yield toAudit(look);
    if (end === undefined) return;
    after = end;
  }
}

interface Pages {
  readonly found: ReadonlyMap<string, Tally>;
  readonly records: ReadonlyMap<string, LedgerRecord>;
  readonly drops: ReadonlyMap<string, Tally>;
  readonly gone: ReadonlyMap<string, GoneCount>;
  readonly end: string | undefined;
}

function looksAt({ found, records, drops, gone, end }: Pages): Look[] {
  const expired = [...gone].filter(([, { records: count }]) => count > 0).map(([fileId]) => fileId);
  const ids = new Set([...found.keys(), ...records.keys(), ...drops.keys(), ...expired]);
  const within = [...ids].filter((fileId) => end === undefined || fileId <= end);
  return within.toSorted().map((fileId) => ({
    fileId,
    ledger: records.get(fileId),
    found: found.get(fileId) ?? NONE,
    dropped: drops.get(fileId) ?? NONE,
    expired: gone.get(fileId) ?? NOTHING_GONE,
    twice: 0,
    inPossibleLoss: NONE,
  }));
}

function lastKey(page: ReadonlyMap<string, unknown>): string {
  return [...page.keys()].at(-1) ?? '';
}

/**
 * Returns what each file had in indices that are gone. Which ones are there is asked after their records were counted:
 * of an index that is deleted in between, records are counted twice, which `toAudit` sets right, and never left out.
 */
async function goneOf(
  held: readonly FileCounts[],
  {
    logs,
    dropped,
    isEarly,
  }: {
    readonly logs: LogIndices;
    readonly dropped: LogIndices;
    readonly isEarly: OwnIndices['isEarly'];
  },
  signal: AbortSignal,
): Promise<Map<string, GoneCount>> {
  if (held.length === 0) return new Map();
  const indices = `${logs.indices},${dropped.indices}`;
  const live = await liveIndices({ client: logs.client, indices }, signal);
  const isThere = (uuid: string): boolean => live === undefined || live.has(uuid);
  return new Map(held.map((counts) => [counts.fileId, goneBy(counts, { isThere, isEarly })]));
}

async function countsPage(counts: LogIndices, after: string, signal: AbortSignal): Promise<FileCounts[]> {
  const documents = await filePage(counts, after, signal);
  return documents.map((document) => (JSON.parse(document) as { counts: FileCounts }).counts);
}

/** Looks closer at the files that do not agree with the ledger. */
async function settle(
  logs: LogIndices,
  dropped: LogIndices,
  looks: readonly Look[],
  signal: AbortSignal,
): Promise<void> {
  const open = looks.filter((look) => !agrees(look));
  for (let start = 0; start < open.length; start += PAGE_BOUNDS) {
    const part = open.slice(start, start + PAGE_BOUNDS);
    const [found, drops] = await Promise.all([
      tallyBelow({ logs, offset: 'log.offset', part }, signal),
      tallyBelow({ logs: dropped, offset: 'offset', part }, signal),
    ]);
    for (const look of part) {
      look.found = found.get(look.fileId) ?? NONE;
      look.dropped = drops.get(look.fileId) ?? NONE;
      if (!agrees(look)) await readOffsets(logs, look, signal);
    }
  }
}

function agrees({ ledger, found, dropped, expired }: Look): boolean {
  if (ledger === undefined) return false;
  const sum = (found.sum + dropped.sum + BigInt(expired.offsetSum)) % SUM_MODULUS;
  const count = found.count + dropped.count + expired.records;
  return count === ledger.records && String(sum) === ledger.offsetSum;
}

/** Reads where every record of the file stands, in order: one that stands in two indices comes twice. */
async function readOffsets(logs: LogIndices, look: Look, signal: AbortSignal): Promise<void> {
  const end = look.ledger?.acknowledgedOffset ?? Number.POSITIVE_INFINITY;
  const unsure = look.ledger === undefined ? [] : possibleLossRanges(look.ledger);
  let inPossibleLoss = NONE;
  let [count, twice, sum, before] = [0, 0, 0n, -1];
  for await (const offsets of offsetsOf(logs, look.fileId, signal)) {
    for (const offset of offsets) {
      if (offset >= end) continue;
      count += 1;
      if (offset === before) twice += 1;
      else {
        sum += BigInt(offset);
        if (isInRanges(unsure, offset)) inPossibleLoss = plusOffset(inPossibleLoss, offset);
      }
      before = offset;
    }
  }
  look.found = { count, sum };
  look.twice = twice;
  look.inPossibleLoss = inPossibleLoss;
}

function plusOffset({ count, sum }: Tally, offset: number): Tally {
  return { count: count + 1, sum: sum + BigInt(offset) };
}

/** Yields the offsets of a file's records, sorted, repeats included: the index tells them apart. */
async function* offsetsOf(
  logs: LogIndices,
  fileId: string,
  signal: AbortSignal,
): AsyncIterable<readonly number[]> {
  const column = { order: 'asc', unmapped_type: 'long' };
  const sort = [
    { [`${PRIVATE_MEMBER}.high`]: column },
    { [`${PRIVATE_MEMBER}.low`]: column },
    { _index: 'asc' },
  ];
  const page = {
    size: PAGE_OFFSETS,
    _source: false,
    track_total_hits: false,
    query: term(FILE_COLUMN, fileId),
    sort,
  };
  let after: readonly unknown[] | undefined;
  do {
    const body = JSON.stringify(after === undefined ? page : { ...page, search_after: after });
    const { hits } = await sendSearch(logs, body, signal);
    yield hits.map((hit) => Number(hit.sort[0]) * OFFSET_UNIT + Number(hit.sort[1]));
    const last = hits.length < PAGE_OFFSETS ? undefined : hits.at(-1);
    after = last?.sort.map((text) => JSON.parse(text) as unknown);
  } while (after !== undefined);
}

function toAudit(look: Look): FileAudit {
  const { fileId, ledger, found, dropped, expired, twice } = look;
  const there = found.count + dropped.count;
  const sum = (found.sum + dropped.sum) % SUM_MODULUS;
  const { count, sum: unsureSum } = look.inPossibleLoss;
  const offsetSumUnsure = String(unsureSum % SUM_MODULUS);
  const unsure = count === 0 ? {} : { inPossibleLoss: { count, offsetSum: offsetSumUnsure } };
  const figures = { fileId, ledger, twice, droppedByPipeline: dropped.count, ...unsure };
  const room = ledger === undefined ? Infinity : Math.max(0, ledger.records - (there - twice));
  if (expired.records <= room) {
    const { records, early } = expired;
    const offsetSum = String((sum + BigInt(expired.offsetSum)) % SUM_MODULUS);
    return { ...figures, found: there + records, offsetSum, expired: records, expiredEarly: early };
  }
  // Of what is gone some was stored again, or lies behind what the agent has told of: which, nobody knows any more.
  const early = Math.min(expired.early, room);
  const offsetSum = room === 0 ? String(sum) : (ledger?.offsetSum ?? '0');
  return { ...figures, found: there + room, offsetSum, expired: room, expiredEarly: early };
}

/** Returns tallies of what lies below each file's acknowledged offset. */
async function tallyBelow(
  {
    logs,
    offset,
    part,
  }: { readonly logs: LogIndices; readonly offset: string; readonly part: readonly Look[] },
  signal: AbortSignal,
): Promise<Map<string, Tally>> {
  const bounds = part.map(({ fileId, ledger }) => {
    const below = ledger === undefined ? ALL : { range: { [offset]: { lt: ledger.acknowledgedOffset } } };
    return allOf([term(FILE_COLUMN, fileId), below]);
  });
  return tallyFiles({ logs, after: '', dsl: anyOf(bounds) }, signal);
}

async function ledgerPage(
  logs: LogIndices,
  after: string,
  signal: AbortSignal,
): Promise<Map<string, LedgerRecord>> {
  const documents = await filePage(logs, after, signal);
  const records = documents.map((document) => (JSON.parse(document) as { record: LedgerRecord }).record);
  return new Map(records.map((record) => [record.fileId, record]));
}

/** Returns the documents of the next files behind `after`, sorted by file id. */
async function filePage(logs: LogIndices, after: string, signal: AbortSignal): Promise<string[]> {
  const body = {
    size: TALLY_FILES_MAX,
    track_total_hits: false,
    query: { exists: { field: 'file' } },
    sort: [{ file: { order: 'asc', unmapped_type: 'keyword' } }],
    ...(after === '' ? {} : { search_after: [after] }),
  };
  const { hits } = await sendSearch(logs, JSON.stringify(body), signal);
  return hits.map(({ document }) => document);
}

async function refresh({ client, indices }: LogIndices, signal: AbortSignal): Promise<void> {
  await client.request({
    method: 'POST',
    path: `/${indices}/_refresh`,
    query: { ignore_unavailable: true, allow_no_indices: true },
    signal,
    purpose: 'bring the search for logs up to date',
    // Who may not refresh sees what is at most a second old.
    accepts: [403, 404],
  });
}
