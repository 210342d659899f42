/** Which topics are read: those of the template that there are, and the ledger's. */
import type { Scheduler } from '../../../base/scheduler.ts';
import type { KafkaRequests } from '../client/kafka-requests.ts';
import { problemOf } from '../client/kafka-problem.ts';
import type { ProblemBook } from '../client/problem-book.ts';
import type { TopicDirectory } from '../client/topic-directory.ts';
import type { TopicTemplate } from '../topic-template.ts';

export interface SubscribedTopic {
  readonly name: string;
  readonly id: string;
  readonly partitionCount: number;
  readonly isLedger: boolean;
}

export interface SubscriptionOptions {
  readonly cluster: KafkaRequests;
  readonly topics: TopicDirectory;
  readonly template: TopicTemplate;
  readonly scheduler: Scheduler;
  readonly problems: ProblemBook;
}

/** How often topics that are new, or were created anew, are looked for. */
const REFRESH_MS = 5_000;

const RETRY_MS = 500;

export class Subscription {
  readonly #options: SubscriptionOptions;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Calls `onChange` with all topics whenever they are others than before, until `signal` is aborted. */
  async follow(signal: AbortSignal, onChange: (topics: readonly SubscribedTopic[]) => void): Promise<void> {
    const { template, topics, scheduler, problems } = this.#options;
    // Nothing is read before the topics are there: what is missing is created, or said to be missing.
    void topics.waitFor(template.ledgerTopic, 'ledger', signal);
    if (template.fixedName !== undefined) void topics.waitFor(template.fixedName, 'log', signal);
    let known = '';
    while (!signal.aborted) {
      let delayMs = REFRESH_MS;
      try {
        const found = await this.find();
        problems.note('find topics', undefined);
        const facts = JSON.stringify(found);
        if (found.length > 0 && facts !== known && !signal.aborted) onChange(found);
        if (found.length < 2) delayMs = RETRY_MS;
        known = facts;
      } catch (error) {
        delayMs = RETRY_MS;
        if (!signal.aborted) problems.note('find topics', problemOf(error, 'find topics'));
      }
      await scheduler.sleep(delayMs, signal);
    }
  }

  /** Returns the topics that there are now, by name. */
  async find(): Promise<SubscribedTopic[]> {
    const { cluster, template } = this.#options;
    const { fixedName, ledgerTopic } = template;
    const { topics } = await cluster.describe(fixedName === undefined ? undefined : [fixedName, ledgerTopic]);
    return topics
      .filter(({ name, error, leaders }) => {
        const isWanted = name === ledgerTopic || template.isLogTopic(name);
        return isWanted && error === undefined && leaders.length > 0;
      })
      .map(({ name, id, leaders }) => ({
        name,
        id,
        partitionCount: leaders.length,
        isLedger: name === ledgerTopic,
      }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }
}
