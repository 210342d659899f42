/**
 * Dead letters in a compacted topic: the key is the letter's id, so the last letter of an id holds, and a tombstone
 * takes it away.
 */
import { AppError } from '../../base/errors.ts';
import type { DeadLetter } from '../../record/dead-letter.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { DeadLetterQueue } from '../transport.ts';
import { FETCH } from './client/kafka-apis.ts';
import { errorNameOf } from './client/kafka-cluster.ts';
import type { KafkaRequests } from './client/kafka-requests.ts';
import { KafkaError, problemOf } from './client/kafka-problem.ts';
import type { RecordSender } from './produce/kafka-producer.ts';
import { listOffset } from './client/list-offset.ts';
import type { ProblemBook } from './client/problem-book.ts';
import type { SendItem } from './produce/producer-state.ts';
import { readFrames, RecordReader, type RecordCursor } from './records/record-decoder.ts';
import type { TopicDirectory } from './client/topic-directory.ts';

export interface KafkaDeadLettersOptions {
  readonly topic: string;
  readonly cluster: KafkaRequests;
  readonly topics: TopicDirectory;
  readonly sender: RecordSender;
  readonly scheduler: Scheduler;
  readonly problems: ProblemBook;
  readonly closing: AbortSignal;
}

/** Ids that one reading of the queue keeps in memory, about 100 bytes each. */
const LETTERS_MAX = 2_000_000;

const FETCH_BYTES_MAX = 8 * 2 ** 20;
const PARTITION_BYTES_MAX = 2 ** 20;
const WAIT_MS_MAX = 200;
const RETRY_MS = 500;

interface Span {
  readonly partition: number;
  readonly leader: number;
  readonly start: number;
  /** Behind the last record when the reading began. */
  readonly end: number;
}

export class KafkaDeadLetters implements DeadLetterQueue {
  readonly #options: KafkaDeadLettersOptions;

  constructor(options: KafkaDeadLettersOptions) {
    this.#options = options;
  }

  send(letters: readonly DeadLetter[]): Promise<void> {
    const items = letters.map((letter) => itemOf(letter.id, Buffer.from(`${JSON.stringify(letter)}\n`)));
    return this.#options.sender.send(this.#options.topic, 'dead', items);
  }

  remove(ids: readonly string[]): Promise<void> {
    const items = ids.map((id) => itemOf(id, undefined));
    return this.#options.sender.send(this.#options.topic, 'dead', items);
  }

  /** Reads the topic twice, first the ids only: so the memory that it takes does not grow with the letters. */
  async *read(signal: AbortSignal): AsyncIterable<DeadLetter> {
    const ended = AbortSignal.any([signal, this.#options.closing]);
    const spans = await this.#spans(ended);
    for (const span of spans) {
      const latest = new Map<string, number>();
      for await (const cursor of this.#records(span, ended)) {
        const id = keyOf(cursor);
        if (cursor.valueStart < 0) latest.delete(id);
        else latest.set(id, cursor.offset);
        if (latest.size > LETTERS_MAX) throw tooManyLetters();
      }
      for await (const cursor of this.#records(span, ended)) {
        if (cursor.valueStart < 0 || latest.get(keyOf(cursor)) !== cursor.offset) continue;
        const letter = parseLetter(cursor.data.toString('utf8', cursor.valueStart, cursor.valueEnd));
        if (letter !== undefined) yield letter;
      }
    }
  }

  async #spans(signal: AbortSignal): Promise<Span[]> {
    const { topics, topic, cluster } = this.#options;
    const facts = await topics.waitFor(topic, 'dead', signal);
    if (facts === undefined) return [];
    const spans = facts.leaders.map((leader, partition) =>
      this.#retrying(signal, async () => ({
        partition,
        leader,
        start: await listOffset(cluster, { topic, partition, leader }, 'earliest'),
        end: await listOffset(cluster, { topic, partition, leader }, 'latest'),
      })),
    );
    return (await Promise.all(spans)).filter((span) => span !== undefined);
  }

  async *#records({ partition, leader, start, end }: Span, signal: AbortSignal): AsyncIterable<RecordCursor> {
    let offset = start;
    while (offset < end && !signal.aborted) {
      const bytes = await this.#retrying(signal, () => this.#fetch(leader, partition, offset));
      if (bytes === undefined) return;
      for (const frame of readFrames(bytes)) {
        const reader = new RecordReader(frame);
        while (reader.next()) {
          const { cursor } = reader;
          if (cursor.offset >= offset && cursor.offset < end) yield cursor;
        }
        offset = Math.max(offset, frame.nextOffset);
      }
    }
  }

  async #fetch(leader: number, partition: number, offset: number): Promise<Buffer> {
    const { cluster, topic } = this.#options;
    const position = { partition, offset: BigInt(offset), bytesMax: PARTITION_BYTES_MAX };
    const topics = [{ topic, partitions: [position] }];
    const response = await cluster.call(leader, 'data', FETCH, {
      waitMsMax: WAIT_MS_MAX,
      bytesMax: FETCH_BYTES_MAX,
      topics,
    });
    const result = response.results[0];
    const error = errorNameOf(response.errorCode) ?? errorNameOf(result?.errorCode ?? 0);
    if (result === undefined || error !== undefined)
      throw new KafkaError(error ?? 'UNKNOWN_SERVER_ERROR', topic);
    return result.records;
  }

  /** Tries until it works; undefined when aborted before. */
  async #retrying<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T | undefined> {
    const { problems, scheduler, topic } = this.#options;
    while (!signal.aborted) {
      try {
        const result = await attempt();
        problems.note('read dead letters', undefined);
        return result;
      } catch (error) {
        if (!signal.aborted) problems.note('read dead letters', problemOf(error, `read the topic ${topic}`));
      }
      await scheduler.sleep(RETRY_MS, signal);
    }
    return undefined;
  }
}

/** Returns a letter in JSON that has at most `bytesMax` bytes: its document is cut, and says so. */
export function shrinkLetter(value: Uint8Array, bytesMax: number): Buffer {
  const letter = parseLetter(new TextDecoder().decode(value));
  if (letter === undefined) return Buffer.from(value.subarray(0, bytesMax));
  const { length } = letter.document;
  const reason = `${letter.error.reason.slice(0, 1_000)} (document cut, it had ${length} characters)`;
  for (let kept = Math.min(length, bytesMax); kept > 0; kept = Math.floor(kept / 2)) {
    const document = letter.document.slice(0, kept).toWellFormed();
    const shrunk = Buffer.from(JSON.stringify({ ...letter, document, error: { ...letter.error, reason } }));
    if (shrunk.length <= bytesMax) return shrunk;
  }
  return Buffer.from(JSON.stringify({ ...letter, document: '', error: { ...letter.error, reason } }));
}

function itemOf(id: string, body: Buffer | undefined): Omit<SendItem, 'onDone'> {
  return { key: Buffer.from(id), body, ends: Uint32Array.of(body?.length ?? 0), count: 1 };
}

function keyOf({ data, keyStart, keyEnd }: RecordCursor): string {
  return keyStart < 0 ? '' : data.toString('utf8', keyStart, keyEnd);
}

function parseLetter(text: string): DeadLetter | undefined {
  try {
    const letter = JSON.parse(text) as Partial<DeadLetter> | null;
    const isLetter = typeof letter?.id === 'string' && typeof letter.document === 'string';
    return isLetter && typeof letter.error === 'object' ? (letter as DeadLetter) : undefined;
  } catch {
    return undefined;
  }
}

function tooManyLetters(): AppError {
  return new AppError('too_busy', 'cannot list the dead letters', {
    hint: `There are more than ${LETTERS_MAX} of them: remove a part first.`,
  });
}
