/**
 * Carries batches from the decoders to the transport. Before a batch leaves, what must be repeated when its bytes
 * are read again stands in the journal; while that cannot be written, nothing leaves, reading stops at the credit
 * limit, and the files are the buffer (G9).
 *
 * The first batches of a file wait until its checkpoint is on the disk: after a power loss its bytes may stand under
 * another inode or in another life, and with another id they would be shown twice (G4). So do documents of gaps: what
 * is told as lost must be known as lost afterwards (G5).
 */
import { AppError, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { BufferPool } from '../../capture/buffer-pool.ts';
import type { EncodedBatch } from '../../capture/decoder-types.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Producer } from '../../transport/transport.ts';
import { ShipState, type Ticket } from './ship-state.ts';

export interface ShipperOptions {
  readonly producer: Producer;
  readonly telemetry: Telemetry;
  /** Where the bodies of batches come from, and go back to. */
  readonly buffers: BufferPool;
  /** Bytes that may be encoded and not acknowledged. */
  readonly bytesMax: number;
  /** Journals times, cuts and new files; throws the system's error when it cannot. */
  readonly prepare: () => void;
  /** Whether what a batch of this file depends on, all within `written` entries, survives a power loss. */
  readonly isDurable: (fileId: string, written: number) => boolean;
  /** Begins to make all entries durable, after which `flush` is called again; returns how many there are. */
  readonly persist: () => number;
  /** Called when acknowledgements have arrived. */
  readonly onAcknowledged: (fileId: string) => void;
}

/** A batch that has its place in the order of its file, and has not left. */
interface Waiting {
  readonly ticket: Ticket;
  readonly batch: EncodedBatch;
  /** How many entries the journal had when it had to wait first. */
  readonly written: number;
}

export class Shipper {
  readonly state = new ShipState();
  readonly #options: ShipperOptions;
  #outbox: EncodedBatch[] = [];
  #outboxBytes = 0;
  /** Bounded by the credit: their bytes count as held. */
  #waiting: Waiting[] = [];
  #problem: string | undefined;
  #isClosed = false;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  /** Bytes that were encoded and are not acknowledged. */
  get heldBytes(): number {
    return this.#outboxBytes + this.state.inFlightBytes;
  }

  /** Whether reading may go on; one batch beyond the limit passes, so that one that is larger than it passes too. */
  get hasCredit(): boolean {
    return !this.#isClosed && this.heldBytes < this.#options.bytesMax;
  }

  get isEmpty(): boolean {
    return this.#outbox.length === 0 && this.state.inFlightCount === 0;
  }

  /** Whether the transport was closed: nothing can be sent any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  emit(batches: readonly EncodedBatch[]): void {
    for (const batch of batches) {
      this.#outbox.push(batch);
      this.#outboxBytes += batch.body.length;
    }
  }

  /** Sends what was given, of each file in order. Returns whether everything has left or waits for the disk. */
  flush(): boolean {
    try {
      this.#options.prepare();
      this.#note(undefined);
    } catch (error) {
      if (systemCodeOf(error) === undefined && !(error instanceof AppError)) throw error;
      this.#note(`cannot write the checkpoint journal: ${messageOf(error)}`);
      return false;
    }
    const batches = this.#outbox;
    this.#outbox = [];
    this.#outboxBytes = 0;
    this.#sendWaiting();
    for (const batch of batches) this.#open(batch);
    return true;
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = waiting.filter(({ batch, written }) => !this.#options.isDurable(batch.fileId, written));
    const left = new Set(this.#waiting);
    for (const one of waiting) if (!left.has(one)) this.#send(one);
    if (left.size > 0) this.#options.persist();
  }

  #open(batch: EncodedBatch): void {
    const ticket = this.state.open(batch);
    if (batch.count === 0) this.#acknowledge(ticket, batch);
    else if (this.#options.isDurable(batch.fileId, Number.POSITIVE_INFINITY)) this.#send({ ticket, batch });
    else this.#waiting.push({ ticket, batch, written: this.#options.persist() });
  }

  #send({ ticket, batch }: Pick<Waiting, 'ticket' | 'batch'>): void {
    this.#options.telemetry.count('logboom_agent_records_total', batch.count);
    this.#options.producer.send(batch).then(
      () => this.#acknowledge(ticket, batch),
      () => this.#close(),
    );
  }

  /** A producer rejects only when it was closed, which is how a process ends: no news for its log. */
  #close(): void {
    this.#isClosed = true;
    this.#problem = 'the transport is closed';
  }

  #acknowledge(ticket: Ticket, batch: EncodedBatch): void {
    this.state.acknowledge(ticket, batch);
    const { telemetry, onAcknowledged } = this.#options;
    if (batch.count > 0) telemetry.count('logboom_agent_acknowledged_records_total', batch.count);
    for (const [reason, bytes] of Object.entries(batch.dropped)) {
      telemetry.count('logboom_agent_dropped_bytes_total', bytes, { reason });
    }
    for (const [kind, count] of Object.entries(batch.flaws)) {
      telemetry.count('logboom_agent_flaws_total', count, { kind });
    }
    this.#options.buffers.release(batch.body);
    onAcknowledged(batch.fileId);
  }

  /** Says once per change of state what keeps batches from leaving. */
  #note(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#options.telemetry.log('info', 'shipping_resumed', 'shipping goes on');
    else this.#options.telemetry.log('warn', 'shipping_stopped', `${problem}; collection waits`);
  }
}
