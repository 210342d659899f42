/**
 * Hands new documents to the clients that follow them.
 *
 * Invariants: without clients, publishing costs nothing; a document is decoded and parsed at most once for all
 * clients; a client that reads too slowly gets what fits in its queue, and a count of what did not.
 */
import type { Query } from '../query/ast.ts';
import type { JsonObject, Matcher } from '../query/match.ts';
import { compileMatcher } from '../query/match.ts';
import type { RecordBatch } from '../record/record-batch.ts';

/** What a client's queue holds at most. */
const QUEUE_DOCUMENTS_MAX = 2_000;
const QUEUE_CHARACTERS_MAX = 8 * 1024 * 1024;

/** Clients that follow at the same time; further ones are refused. */
export const TAIL_CLIENTS_MAX = 100;

export interface TailSubscription {
  /** Takes what has arrived, oldest first, up to `charactersMax` (but at least one document if there is one). */
  take(charactersMax: number): readonly string[];
  /** Takes the count of documents that were left out since the last call. */
  takeSkipped(): number;
  close(): void;
}

interface Client {
  readonly matches: Matcher;
  readonly onAvailable: () => void;
  queue: string[];
  characters: number;
  skipped: number;
}

export class TailHub {
  readonly #clients = new Set<Client>();
  readonly #decoder = new TextDecoder();

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Offers documents to the clients. The batches are only read during the call. */
  publish(batches: readonly RecordBatch[]): void {
    if (this.#clients.size === 0) return;
    const before = new Map(
      [...this.#clients].map((client) => [client, client.queue.length + client.skipped]),
    );
    for (const batch of batches) this.#publishBatch(batch);
    for (const [client, count] of before) {
      if (client.queue.length + client.skipped > count) client.onAvailable();
    }
  }

  /** Follows what matches; `onAvailable` is called when there is something to take. Undefined when too many follow. */
  subscribe(query: Query, onAvailable: () => void): TailSubscription | undefined {
    if (this.#clients.size >= TAIL_CLIENTS_MAX) return undefined;
    const client: Client = {
      matches: compileMatcher(query),
      onAvailable,
      queue: [],
      characters: 0,
      skipped: 0,
    };
    this.#clients.add(client);
    return {
      take: (charactersMax) => takeDocuments(client, charactersMax),
      takeSkipped: () => {
        const { skipped } = client;
        client.skipped = 0;
        return skipped;
      },
      close: () => this.#clients.delete(client),
    };
  }

  #publishBatch(batch: RecordBatch): void {
    for (let index = 0, start = 0; index < batch.count; index += 1) {
      const end = batch.ends[index] ?? start;
      const open = [...this.#clients].filter((client) => !isFull(client));
      if (open.length < this.#clients.size) {
        for (const client of this.#clients) if (isFull(client)) client.skipped += 1;
      }
      if (open.length > 0) this.#offer(open, this.#decoder.decode(batch.body.subarray(start, end - 1)));
      start = end;
    }
  }

  #offer(clients: readonly Client[], text: string): void {
    const document = parseDocument(text);
    if (document === undefined) return;
    for (const client of clients) {
      if (!client.matches(document)) continue;
      client.queue.push(text);
      client.characters += text.length;
    }
  }
}

function isFull({ queue, characters }: Client): boolean {
  return queue.length >= QUEUE_DOCUMENTS_MAX || characters >= QUEUE_CHARACTERS_MAX;
}

function takeDocuments(client: Client, charactersMax: number): readonly string[] {
  let count = 0;
  let characters = 0;
  for (const text of client.queue) {
    if (count > 0 && characters + text.length > charactersMax) break;
    count += 1;
    characters += text.length;
  }
  const taken = client.queue.slice(0, count);
  client.queue = client.queue.slice(count);
  client.characters -= characters;
  return taken;
}

function parseDocument(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}
