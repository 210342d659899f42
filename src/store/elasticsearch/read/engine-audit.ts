/**
 * What search finds of each file beside what the ledger says of it, in memory that does not grow with files or records:
 * both come sorted by file id, a page at a time. The engine adds up counts and offsets. Where they disagree with the
 * ledger, it adds up once more what lies below the acknowledged offset, and where they still do, the offsets themselves
 * are read: repeats and losses that cancel out show there.
 */
import type { LedgerRecord } from '../../../record/ledger.ts';
import type { FileAudit } from '../../store.ts';
import type { Dsl } from './dsl.ts';
import { ALL, allOf, anyOf, term } from './dsl.ts';
import type { LogIndices } from './engine-search.ts';
import { sendSearch } from './engine-search.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';

/** Files in one request. */
const PAGE_FILES = 500;

/** Offsets in one answer. */
const PAGE_OFFSETS = 10_000;

/** Conditions in one request: engines refuse more than about a thousand. */
const PAGE_BOUNDS = 200;

const SUM_MODULUS = 1n << 64n;

const FILE = `${PRIVATE_MEMBER}.file`;

/** Records of one file: how many, and the sum of their offsets. */
interface Tally {
  readonly count: number;
  readonly sum: bigint;
}

const NONE: Tally = { count: 0, sum: 0n };

/** One file, while it is looked at. */
interface Look {
  readonly fileId: string;
  ledger: LedgerRecord | undefined;
  found: Tally;
  dropped: Tally;
  twice: number;
}

/** Indices that hold no logs. */
export interface OwnIndices {
  readonly ledger: string;
  readonly dropped: string;
}

/** Yields one entry per file id that the logs, the ledger, or what pipelines dropped knows, sorted by file id. */
export async function* auditEngine(
  logs: LogIndices,
  own: OwnIndices,
  signal: AbortSignal,
): AsyncIterable<FileAudit> {
  const ledger = { ...logs, indices: own.ledger };
  const dropped = { ...logs, indices: own.dropped };
  // What was acknowledged a moment ago counts.
  await Promise.all([logs, ledger, dropped].map((one) => refresh(one, signal)));
  let after = '';
  for (;;) {
    const [found, records, drops] = await Promise.all([
      tallyPage({ logs, column: FILE, after }, signal),
      ledgerPage(ledger, after, signal),
      tallyPage({ logs: dropped, column: FILE, after }, signal),
    ]);
    // Beyond the last key of a full page there may be more, so the shortest page ends this round.
    const ends = [found, records, drops].filter((page) => page.size >= PAGE_FILES).map(lastKey);
    const end = ends.toSorted()[0];
    const looks = looksAt({ found, records, drops, end });
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
  readonly end: string | undefined;
}

function looksAt({ found, records, drops, end }: Pages): Look[] {
  const ids = new Set([...found.keys(), ...records.keys(), ...drops.keys()]);
  const within = [...ids].filter((fileId) => end === undefined || fileId <= end);
  return within.toSorted().map((fileId) => ({
    fileId,
    ledger: records.get(fileId),
    found: found.get(fileId) ?? NONE,
    dropped: drops.get(fileId) ?? NONE,
    twice: 0,
  }));
}

function lastKey(page: ReadonlyMap<string, unknown>): string {
  return [...page.keys()].at(-1) ?? '';
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

function agrees({ ledger, found, dropped }: Look): boolean {
  if (ledger === undefined) return false;
  const sum = (found.sum + dropped.sum) % SUM_MODULUS;
  return found.count + dropped.count === ledger.records && String(sum) === ledger.offsetSum;
}

/** Reads where every record of the file stands, in order: one that stands in two indices comes twice. */
async function readOffsets(logs: LogIndices, look: Look, signal: AbortSignal): Promise<void> {
  const end = look.ledger?.acknowledgedOffset ?? Number.POSITIVE_INFINITY;
  let [count, twice, sum, before] = [0, 0, 0n, -1];
  for await (const offsets of offsetsOf(logs, look.fileId, signal)) {
    for (const offset of offsets) {
      if (offset >= end) continue;
      count += 1;
      if (offset === before) twice += 1;
      else sum += BigInt(offset);
      before = offset;
    }
  }
  look.found = { count, sum };
  look.twice = twice;
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
    query: term(FILE, fileId),
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

function toAudit({ fileId, ledger, found, dropped, twice }: Look): FileAudit {
  return {
    fileId,
    ledger,
    found: found.count + dropped.count,
    twice,
    offsetSum: String((found.sum + dropped.sum) % SUM_MODULUS),
    droppedByPipeline: dropped.count,
    // What the engine's retention has removed, nobody has counted.
    expired: 0,
  };
}

interface TallyPage {
  readonly logs: LogIndices;
  readonly column: string;
  readonly after: string;
  readonly dsl?: Dsl;
  readonly files?: number;
}

/** Returns the tallies of the next files behind `after`, sorted. */
async function tallyPage(
  { logs, column, after, dsl = ALL, files = PAGE_FILES }: TallyPage,
  signal: AbortSignal,
): Promise<Map<string, Tally>> {
  const composite = {
    size: files,
    sources: [{ file: { terms: { field: column } } }],
    ...(after === '' ? {} : { after: { file: after } }),
  };
  const sums = {
    low: { sum: { field: `${PRIVATE_MEMBER}.low` } },
    high: { sum: { field: `${PRIVATE_MEMBER}.high` } },
  };
  const aggs = { files: { composite, aggs: sums } };
  const body = JSON.stringify({ size: 0, track_total_hits: false, query: dsl, aggs });
  const { aggregations } = await sendSearch(logs, body, signal);
  const { buckets = [] } = (aggregations['files'] ?? {}) as Partial<FilesAnswer>;
  return new Map(
    buckets.map(({ key, doc_count: count, low, high }) => [
      key.file,
      { count, sum: BigInt(high.value) * BigInt(OFFSET_UNIT) + BigInt(low.value) },
    ]),
  );
}

interface FilesAnswer {
  readonly buckets: readonly {
    readonly key: { readonly file: string };
    readonly doc_count: number;
    readonly low: { readonly value: number };
    readonly high: { readonly value: number };
  }[];
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
    return allOf([term(FILE, fileId), below]);
  });
  return tallyPage({ logs, column: FILE, after: '', dsl: anyOf(bounds), files: PAGE_BOUNDS }, signal);
}

async function ledgerPage(
  logs: LogIndices,
  after: string,
  signal: AbortSignal,
): Promise<Map<string, LedgerRecord>> {
  const body = {
    size: PAGE_FILES,
    track_total_hits: false,
    sort: [{ file: { order: 'asc', unmapped_type: 'keyword' } }],
    ...(after === '' ? {} : { search_after: [after] }),
  };
  const { hits } = await sendSearch(logs, JSON.stringify(body), signal);
  const records = hits.map(({ document }) => (JSON.parse(document) as { record: LedgerRecord }).record);
  return new Map(records.map((record) => [record.fileId, record]));
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
