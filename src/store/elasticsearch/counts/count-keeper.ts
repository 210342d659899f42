/**
 * Keeps the counts of what each index holds of each file up to date. Indexers look now and then: what has changed and
 * rests is counted, and what is gone is moved to what is gone. Whatever ends a look half-way, the next one goes on: a
 * count is a function of the index alone, so it may be taken twice, also by two indexers.
 */
import { AppError } from '../../../base/errors.ts';
import type { Scheduler } from '../../../base/scheduler.ts';
import type { ElasticsearchConfig } from '../../../config/config.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import type { LogIndices } from '../read/engine-search.ts';
import { sendSearch } from '../read/engine-search.ts';
import type { Tally } from '../read/file-tallies.ts';
import { TALLY_FILES_MAX, tallyFiles } from '../read/file-tallies.ts';
import { countsIndex, droppedPattern, indexPattern } from '../write/index-router.ts';
import type { CountedIndex } from './counts-index.ts';
import { fileDocument, indexDocument, indexDocumentId } from './counts-index.ts';
import type { FileCounts } from './file-counts-state.ts';
import { withIndex, withoutIndex } from './file-counts-state.ts';
import type { LiveIndex } from './live-indices.ts';
import { liveIndices, stampsOf } from './live-indices.ts';

export interface CountKeeperOptions {
  readonly client: EngineClient;
  readonly config: Pick<ElasticsearchConfig, 'index' | 'lifecycle'>;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
}

/** An index that is written to all the time is counted that often: it costs a pass over its columns. */
const BUSY_COUNT_MS = 3_600_000;

/** Indices that are known: more than a cluster has shards for. */
const INDICES_MAX = 10_000;

/** How often a page of counts is written again because somebody else wrote some of it. */
const ATTEMPTS_MAX = 4;

const PURPOSE = 'count what indices hold';

/** A document as it stands, and what an update must name to replace nothing else; undefined when it is new. */
interface Held {
  readonly counts: FileCounts;
  readonly version: { readonly if_seq_no: number; readonly if_primary_term: number } | undefined;
}

export class CountKeeper {
  readonly #options: CountKeeperOptions;
  readonly #counts: LogIndices;
  readonly #counted: LogIndices;
  /** Of the last look, by uuid. */
  #stamps: ReadonlyMap<string, string> = new Map();

  constructor(options: CountKeeperOptions) {
    const { client, config } = options;
    const patterns = [indexPattern(config.index), droppedPattern(config.index)];
    this.#options = options;
    this.#counts = { client, indices: encodeURIComponent(countsIndex(config.index)) };
    this.#counted = { client, indices: patterns.map(encodeURIComponent).join(',') };
  }

  /** Looks once. Throws an `AppError` when the engine cannot be asked. */
  async look(signal: AbortSignal): Promise<void> {
    const known = await this.#known(signal);
    // Asked afterwards: an index that was counted is there, or it is gone.
    const live = await liveIndices(this.#counted, signal);
    if (live === undefined) return;
    const stamps = await stampsOf(this.#counted, signal);
    for (const [uuid, stamp] of stamps) {
      const index = live.get(uuid);
      if (index !== undefined && this.#isDue(index, stamp, known.get(uuid)))
        await this.#count(index, stamp, known.get(uuid), signal);
    }
    this.#stamps = stamps;
    for (const [uuid, counted] of known) if (!live.has(uuid)) await this.#bury(counted, signal);
  }

  /** Whether an index has to be counted: it has changed, and rests, or was not counted for long. */
  #isDue({ uuid, createdMs }: LiveIndex, stamp: string, counted: CountedIndex | undefined): boolean {
    if (counted?.stamp === stamp) return false;
    if (this.#stamps.get(uuid) === stamp) return true;
    return this.#options.scheduler.nowMs() - (counted?.countedMs ?? createdMs) >= BUSY_COUNT_MS;
  }

  async #count(
    index: LiveIndex,
    stamp: string,
    before: CountedIndex | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const countedMs = this.#options.scheduler.nowMs();
    // That the index is known stands there before any file has an entry of it: no entry is forgotten when it goes.
    if (before === undefined) await this.#writeIndex({ ...index, countedMs, stamp: '', records: 0 }, signal);
    const logs = { ...this.#counts, indices: encodeURIComponent(index.index) };
    let records = 0;
    let after = '';
    for (;;) {
      const page = await tallyFiles({ logs, after }, signal);
      const fileIds = [...page.keys()];
      if (fileIds.length > 0)
        await this.#update(fileIds, (held, id) => countOf(held, id, index, page.get(id)), signal);
      for (const { count } of page.values()) records += count;
      if (page.size < TALLY_FILES_MAX) break;
      after = fileIds.at(-1) ?? '';
    }
    await this.#writeIndex({ ...index, countedMs, stamp, records }, signal);
  }

  /** Moves what an index held that is gone. */
  async #bury(counted: CountedIndex, signal: AbortSignal): Promise<void> {
    const isEarly = isDeletedEarly(
      this.#options.config.lifecycle,
      counted.createdMs,
      this.#options.scheduler.nowMs(),
    );
    for (;;) {
      const body = { size: TALLY_FILES_MAX, query: { term: { indices: counted.uuid } } };
      const { hits } = await sendSearch(this.#counts, JSON.stringify(body), signal);
      const fileIds = hits.map(({ document }) => (JSON.parse(document) as { file: string }).file);
      if (fileIds.length === 0) break;
      const moved = await this.#update(
        fileIds,
        (held) => (held === undefined ? undefined : withoutIndex(held, counted.uuid, isEarly)),
        signal,
      );
      await this.#refresh(signal);
      if (moved === 0) break;
    }
    await this.#options.client.request({
      method: 'DELETE',
      path: `/${this.#counts.indices}/_doc/${encodeURIComponent(indexDocumentId(counted.uuid))}`,
      query: { refresh: true },
      signal,
      purpose: PURPOSE,
      accepts: [404],
    });
    const { index, records } = counted;
    const text = isEarly
      ? `The index ${index} was deleted before the lifecycle policy would have (store.lifecycle.deleteAgeMs).`
      : `The index ${index} is gone: its records are expired.`;
    this.#options.telemetry.log(isEarly ? 'warn' : 'info', 'store_index_gone', text, { records });
  }

  /** Replaces the counts of files, whoever else does so meanwhile. Returns how many are others than before. */
  async #update(
    fileIds: readonly string[],
    change: (held: FileCounts | undefined, fileId: string) => FileCounts | undefined,
    signal: AbortSignal,
  ): Promise<number> {
    let open = fileIds;
    let replaced = 0;
    for (let attempt = 0; attempt < ATTEMPTS_MAX && open.length > 0; attempt += 1) {
      const held = await this.#read(open, signal);
      const lines: string[] = [];
      const written: string[] = [];
      for (const fileId of open) {
        const before = held.get(fileId);
        const after = change(before?.counts, fileId);
        if (after === undefined || after === before?.counts) continue;
        const action =
          before === undefined ? { create: { _id: fileId } } : { index: { _id: fileId, ...before.version } };
        lines.push(`${JSON.stringify(action)}\n${JSON.stringify(fileDocument(after))}\n`);
        written.push(fileId);
      }
      const refused = lines.length === 0 ? [] : await this.#bulk(lines, signal);
      replaced += written.length - refused.length;
      open = refused.map((at) => written[at] ?? '');
    }
    if (open.length > 0)
      throw new AppError('too_busy', `cannot ${PURPOSE}`, { details: { files: open.length } });
    return replaced;
  }

  async #read(fileIds: readonly string[], signal: AbortSignal): Promise<Map<string, Held>> {
    const answer = (await this.#options.client.json({
      method: 'POST',
      path: `/${this.#counts.indices}/_mget`,
      body: JSON.stringify({ ids: fileIds }),
      signal,
      purpose: PURPOSE,
    })) as { readonly docs: readonly HeldDocument[] };
    const held = new Map<string, Held>();
    for (const { _id: id, found, _source: source, _seq_no, _primary_term } of answer.docs) {
      if (found !== true || source === undefined) continue;
      const version = { if_seq_no: _seq_no ?? 0, if_primary_term: _primary_term ?? 0 };
      held.set(id, { counts: source.counts, version });
    }
    return held;
  }

  /** Sends lines; returns which of them met a newer version. */
  async #bulk(lines: readonly string[], signal: AbortSignal): Promise<number[]> {
    const answer = (await this.#options.client.json({
      method: 'POST',
      path: `/${this.#counts.indices}/_bulk`,
      query: { filter_path: 'items.*.status,items.*.error' },
      contentType: 'application/x-ndjson',
      body: lines.join(''),
      signal,
      purpose: PURPOSE,
    })) as {
      readonly items: readonly Readonly<
        Record<string, { readonly status: number; readonly error?: unknown }>
      >[];
    };
    const refused: number[] = [];
    for (const [at, item] of answer.items.entries()) {
      const [{ status, error } = { status: 500, error: undefined }] = Object.values(item);
      if (status === 409) refused.push(at);
      else if (status >= 300)
        throw new AppError('unreachable', `cannot ${PURPOSE}`, {
          details: { status, reason: JSON.stringify(error) },
        });
    }
    return refused;
  }

  async #writeIndex(counted: CountedIndex, signal: AbortSignal): Promise<void> {
    await this.#options.client.request({
      method: 'PUT',
      path: `/${this.#counts.indices}/_doc/${encodeURIComponent(indexDocumentId(counted.uuid))}`,
      query: { refresh: true },
      body: JSON.stringify(indexDocument(counted)),
      signal,
      purpose: PURPOSE,
    });
  }

  async #known(signal: AbortSignal): Promise<Map<string, CountedIndex>> {
    const body = { size: INDICES_MAX, track_total_hits: false, query: { exists: { field: 'uuid' } } };
    const { hits } = await sendSearch(this.#counts, JSON.stringify(body), signal);
    const counted = hits.map(({ document }) => (JSON.parse(document) as { counted: CountedIndex }).counted);
    return new Map(counted.map((one) => [one.uuid, one]));
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const path = `/${this.#counts.indices}/_refresh`;
    await this.#options.client.request({ method: 'POST', path, signal, purpose: PURPOSE });
  }
}

interface HeldDocument {
  readonly _id: string;
  readonly found?: boolean;
  readonly _source?: { readonly counts: FileCounts };
  readonly _seq_no?: number;
  readonly _primary_term?: number;
}

function countOf(
  held: FileCounts | undefined,
  fileId: string,
  { uuid, index, createdMs }: LiveIndex,
  tally: Tally | undefined,
): FileCounts {
  const { count = 0, sum = 0n } = tally ?? {};
  return withIndex(held, fileId, { uuid, index, createdMs, records: count, offsetSum: String(sum) });
}

/** Whether an index that is gone was younger than the policy lets indices become; without a policy nobody knows. */
export function isDeletedEarly(
  { isManaged, deleteAgeMs }: ElasticsearchConfig['lifecycle'],
  createdMs: number,
  nowMs: number,
): boolean {
  return isManaged && (deleteAgeMs === undefined || nowMs - createdMs < deleteAgeMs);
}
