/**
 * Where partitions are to be read: which broker leads each, and at which offset those begin that were given without
 * one. Leaders change at any time, so it is asked again whenever a broker cannot be reached or leads a partition no more.
 */
import type { Scheduler } from '../../../base/scheduler.ts';
import type { KafkaRequests } from '../client/kafka-requests.ts';
import { problemOf } from '../client/kafka-problem.ts';
import { listOffset } from '../client/list-offset.ts';
import type { ProblemBook } from '../client/problem-book.ts';
import type { Reading } from './reading.ts';

export interface PartitionPlacesOptions {
  readonly cluster: KafkaRequests;
  readonly scheduler: Scheduler;
  readonly problems: ProblemBook;
  /** The partitions that are read now; their `leader` is set here. */
  readonly readings: ReadonlyMap<string, Reading>;
  readonly closing: AbortSignal;
  /** Called with the first offset of a partition that has none. */
  readonly begin: (reading: Reading, offset: number) => void;
  /** Called when more partitions may have a place. */
  readonly onFound: () => void;
}

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

export class PartitionPlaces {
  readonly #options: PartitionPlacesOptions;
  /** Leaders that could not be asked, which the transport's problems name. */
  readonly #awayLeaders = new Set<number>();
  #isRefreshing = false;

  constructor(options: PartitionPlacesOptions) {
    this.#options = options;
  }

  /** Finds out the leaders of partitions, and the first offsets of those that have just begun; returns when all are known. */
  async refresh(): Promise<void> {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const { scheduler, problems, closing, onFound } = this.#options;
    let delayMs = RETRY_MS_MIN;
    try {
      while (!closing.aborted && this.#unplaced().length > 0) {
        try {
          await this.#findLeaders();
          await this.#findStarts();
          problems.note('find partitions', undefined);
          this.#forgetLeaders();
        } catch (error) {
          if (!closing.aborted)
            problems.note('find partitions', problemOf(error, 'find the leaders of partitions'));
        }
        onFound();
        if (this.#unplaced().length === 0) return;
        await scheduler.sleep(delayMs, closing);
        delayMs = Math.min(RETRY_MS_MAX, delayMs * 2);
      }
    } finally {
      this.#isRefreshing = false;
    }
  }

  /** Notes that a leader answers. */
  noteReached(leader: number): void {
    this.#awayLeaders.delete(leader);
    this.#options.problems.note(subjectOf(leader), undefined);
  }

  /** Notes why a leader cannot be asked. */
  noteAway(leader: number, error: unknown): void {
    this.#awayLeaders.add(leader);
    this.#options.problems.note(subjectOf(leader), problemOf(error, 'read from Kafka'));
  }

  /** The leader may be another one by now: nothing is asked of this one until it is named again. */
  leave(leader: number): void {
    const led = [...this.#options.readings.values()].filter((reading) => reading.leader === leader);
    for (const reading of led) reading.leader = -1;
  }

  /** Nothing is read any more, so that no broker is missed. */
  forgetLeaders(): void {
    for (const leader of this.#awayLeaders) this.#options.problems.forget(subjectOf(leader));
    this.#awayLeaders.clear();
  }

  /** Asks the leader of a partition for its first offset, or for the one behind its last record. */
  offsetOf({ assignment, leader }: Reading, place: 'earliest' | 'latest'): Promise<number> {
    const { topic, number: partition } = assignment;
    return listOffset(this.#options.cluster, { topic, partition, leader }, place);
  }

  /** A broker that leads nothing any more that is read here need not come back. */
  #forgetLeaders(): void {
    const { readings, problems } = this.#options;
    const leaders = new Set([...readings.values()].map(({ leader }) => leader));
    for (const leader of this.#awayLeaders) {
      if (leaders.has(leader) || leaders.has(-1)) continue;
      this.#awayLeaders.delete(leader);
      problems.note(subjectOf(leader), undefined);
    }
  }

  #unplaced(): Reading[] {
    const readings = [...this.#options.readings.values()];
    return readings.filter(({ leader, state }) => leader < 0 || state === undefined);
  }

  async #findLeaders(): Promise<void> {
    const { cluster, readings } = this.#options;
    const names = [...new Set([...readings.values()].map(({ assignment }) => assignment.topic))];
    const { topics } = await cluster.describe(names);
    for (const reading of readings.values()) {
      const { topic, topicId, number } = reading.assignment;
      const facts = topics.find(({ name, id }) => name === topic && id === topicId);
      reading.leader = facts?.leaders[number] ?? -1;
    }
  }

  async #findStarts(): Promise<void> {
    for (const reading of this.#options.readings.values()) {
      const { start } = reading.assignment;
      if (reading.state !== undefined || reading.leader < 0) continue;
      if (typeof start === 'number') continue;
      this.#options.begin(reading, await this.offsetOf(reading, start));
    }
  }
}

function subjectOf(leader: number): string {
  return `read from broker ${leader}`;
}
