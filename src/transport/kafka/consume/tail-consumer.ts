import type { Consumer, Delivery } from '../../transport.ts';
import type { KafkaConsumerOptions } from './kafka-consumer.ts';
import { PartitionFetcher } from './partition-fetcher.ts';

/**
 * A consumer that belongs to no group: it reads every partition of the logs from the end on, and nothing that it
 * commits is kept. Topics that appear later are read from their beginning.
 */
export class TailConsumer implements Consumer {
  readonly #fetcher: PartitionFetcher;
  readonly #closing = new AbortController();
  readonly #onClosed: () => void;
  #isFirst = true;

  constructor(options: KafkaConsumerOptions) {
    const { cluster, scheduler, telemetry, problems, config, foreignFileId, onClosed } = options;
    const { bufferBytesMax } = config;
    const parts = { cluster, scheduler, telemetry, problems, bufferBytesMax, foreignFileId };
    this.#fetcher = new PartitionFetcher({ ...parts, purpose: 'tail' });
    this.#onClosed = onClosed;
    void options.subscription.follow(this.#closing.signal, (topics) => {
      const start = this.#isFirst ? 'latest' : 'earliest';
      this.#isFirst = false;
      const assignments = topics
        .filter(({ isLedger }) => !isLedger)
        .flatMap(({ name, id, partitionCount }) =>
          Array.from({ length: partitionCount }, (_, number) => ({
            topic: name,
            topicId: id,
            number,
            kind: 'log' as const,
            start: start as 'latest' | 'earliest',
          })),
        );
      this.#fetcher.assign(assignments);
    });
  }

  /** Whether the end of every partition is known: what is sent from then on is delivered. */
  get isPositioned(): boolean {
    const { size } = this.#fetcher.assignments;
    return size > 0 && this.#fetcher.committable().size === size;
  }

  poll(bytesMax: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    return this.#fetcher.poll(bytesMax, signal);
  }

  async commit(partition: number, nextPosition: bigint): Promise<void> {
    this.#fetcher.commit(partition, nextPosition);
  }

  /** Nothing is ever revoked. */
  onRevoke(): void {}

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#fetcher.close();
    this.#onClosed();
  }
}
