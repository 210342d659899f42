import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import type { ElasticsearchConfig } from '../../src/config/config.ts';
import { eventIdOf } from '../../src/record/identity.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import { ElasticsearchStore } from '../../src/store/elasticsearch/elasticsearch-store.ts';
import { openEngineClient } from '../../src/store/elasticsearch/engine/open-engine-client.ts';
import { MemoryTelemetry } from '../../src/telemetry/memory-telemetry.ts';
import type { JavaService } from '../services/java-service.ts';
import { engineConfig } from './engine-stores.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface OpenedStore extends AsyncDisposable {
  readonly store: ElasticsearchStore;
  readonly telemetry: MemoryTelemetry;
}

let benches = 0;

/** One test's place in an engine: indices of its own, and stores on them. */
export class EngineBench {
  readonly service: JavaService;
  readonly prefix: string;
  #offset = 0;

  constructor(service: JavaService) {
    this.service = service;
    this.prefix = `w${(benches += 1)}`;
  }

  /** Opens a store on the engine, or on what stands in front of it. */
  open(changes: Partial<ElasticsearchConfig> = {}): OpenedStore {
    const config = { ...engineConfig(this.service.url, this.prefix), ...changes };
    const client = openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
    const telemetry = new MemoryTelemetry();
    const store = new ElasticsearchStore({ config, client, scheduler: nodeScheduler, telemetry });
    return { store, telemetry, [Symbol.asyncDispose]: () => store.close() };
  }

  /** Returns documents in the agents' layout as one batch; `members` are those of each besides the usual ones. */
  batch(members: readonly Json[], fileId = 'a'.repeat(20)): DocumentBatch {
    const offsets = members.map(() => (this.#offset += 100));
    const parts = members.map((member, index) => {
      const { '@timestamp': time = new Date().toISOString(), message = `line ${index}`, ...rest } = member;
      const offset = offsets[index] ?? 0;
      const document = {
        '@timestamp': time,
        message,
        stream: 'stdout',
        log: { offset, file: { path: '/logs/app.log' } },
        event: { id: eventIdOf(fileId, offset) },
        kubernetes: { namespace: 'shop' },
        ...rest,
      };
      return Buffer.from(`${JSON.stringify(document)}\n`);
    });
    let end = 0;
    return {
      fileId,
      body: Buffer.concat(parts),
      count: parts.length,
      ends: Uint32Array.from(parts, (part) => (end += part.length)),
      offsets: Float64Array.from(offsets),
      lanes: new Uint8Array(parts.length),
      fieldTypes: new Map(),
      dropped: [],
    };
  }

  /** Returns `count` plain lines as one batch. */
  lines(count: number, fileId?: string): DocumentBatch {
    return this.batch(
      Array.from({ length: count }, (_, index) => ({ message: `GET /cart/${index} 200` })),
      fileId,
    );
  }

  /** Asks the engine itself; returns what it answers, parsed. */
  async ask(method: string, path: string, body?: Json): Promise<Json> {
    const answer = await fetch(this.service.url + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return (await answer.json()) as Json;
  }

  /** Returns the ids of all documents in the indices of this bench, sorted, with the index of each. */
  async stored(): Promise<string[]> {
    await this.ask('POST', `/${this.prefix}-*/_refresh`);
    const found: string[] = [];
    let after: unknown;
    for (;;) {
      const answer = await this.ask('POST', `/${this.prefix}-*/_search`, {
        size: 5_000,
        _source: false,
        sort: [{ '_logboom.file': 'asc' }, { '_logboom.high': 'asc' }, { '_logboom.low': 'asc' }],
        ...(after === undefined ? {} : { search_after: after }),
      });
      const { hits } = answer['hits'] as { hits: { _index: string; _id: string; sort: unknown }[] };
      found.push(...hits.map(({ _id }) => _id));
      if (hits.length === 0) return found;
      after = hits.at(-1)?.sort;
    }
  }

  /** Returns the names of this bench's indices, sorted. */
  async indices(): Promise<string[]> {
    const answer = (await this.ask('GET', `/_cat/indices/${this.prefix}-*?format=json`)) as unknown as {
      index: string;
    }[];
    return answer.map(({ index }) => index).toSorted();
  }
}

/** Returns the ids of a batch's documents. */
export function idsOf(batch: DocumentBatch): string[] {
  return Array.from(batch.offsets, (offset) => eventIdOf(batch.fileId, offset));
}
