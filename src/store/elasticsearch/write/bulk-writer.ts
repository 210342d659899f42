/**
 * Sends bulk requests until every document stands in the store or has been refused for an error of its own. Nothing is
 * given up: what fails for another reason is sent again, alone, for as long as the caller's signal lets it.
 */
import { AppError, messageOf } from '../../../base/errors.ts';
import type { Scheduler } from '../../../base/scheduler.ts';
import type { DeadLetterError } from '../../../record/dead-letter.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { JudgedItems } from './bulk-answer.ts';
import { BULK_FILTER, judgeAnswer } from './bulk-answer.ts';
import type { BulkGate } from './bulk-gate.ts';
import type { BulkAnswer } from './bulk-limit-state.ts';
import type { BulkItem, BulkPayload } from './bulk-payload.ts';
import { halves, selectItems } from './bulk-payload.ts';
import type { EngineAnswer, EngineClient } from '../engine/engine-client.ts';
import { faultOf } from '../engine/engine-error.ts';
import type { WaitCause } from './item-verdict.ts';
import { WAIT_TEXTS, verdictOf } from './item-verdict.ts';
import type { WaitBoard, WaitProblem } from './wait-board.ts';

const BULK_MS_MAX = 120_000;

/** Of the engine's words in a problem: they may quote a document. */
const REASON_LENGTH_MAX = 300;

/** A document that the engine fails at (500) this often, while others pass, is to blame itself. */
const FAILURES_MAX = 8;

/** A request that never gets an answer is halved after so many attempts, if the engine answers others meanwhile. */
const UNANSWERED_MAX = 3;

/** A request that the engine has no room for (429) is halved after so many attempts. */
const OVERLOADED_MAX = 5;

/** An index that was created and is missing all the same may be so a few times, while the engine's nodes hear of it. */
const MISSING_MAX = 3;
const STILL_MISSING: WaitProblem = { cause: 'missing', text: 'an index is missing although it was created' };

export interface BulkWriterOptions {
  readonly client: EngineClient;
  readonly gate: BulkGate;
  readonly board: WaitBoard;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  /** Creates an index that the engine did not create by itself. */
  readonly createIndex: (name: string, signal: AbortSignal) => Promise<void>;
}

export interface Delivered {
  /** Whether each request was answered document by document, so that nothing of the payload is still being sent. */
  readonly isWhollyAnswered: boolean;
  readonly created: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly item: BulkItem; readonly error: DeadLetterError }[];
}

const BULK_REQUEST = {
  method: 'POST',
  path: '/_bulk',
  query: { filter_path: BULK_FILTER },
  contentType: 'application/x-ndjson',
  timeoutMs: BULK_MS_MAX,
  purpose: 'write to the store',
  accepts: 'any',
} as const;

/** What became of one request as a whole. */
type Outcome =
  | { readonly kind: 'judged'; readonly judged: JudgedItems; readonly pauseMs: number }
  /** The engine takes no request like this: half of it may do. */
  | { readonly kind: 'refused'; readonly error: DeadLetterError; readonly isTooLarge: boolean }
  | { readonly kind: 'wait'; readonly cause: WaitCause; readonly reason: string; readonly pauseMs: number }
  | { readonly kind: 'unanswered'; readonly reason: string };

/** What is left of a request after an attempt, and why. */
interface Rest {
  readonly items: readonly BulkItem[];
  /** Undefined: nothing keeps it from being sent again at once. */
  readonly problem: WaitProblem | undefined;
  /** Undefined: longer with every attempt. */
  readonly delayMs?: number | undefined;
}

export class BulkWriter {
  readonly #options: BulkWriterOptions;
  /** Documents created so far: that others pass shows that the engine is not to blame. */
  #created = 0;

  constructor(options: BulkWriterOptions) {
    this.#options = options;
  }

  /** Delivers one request's documents. Throws `aborted` when the signal is. */
  async deliver(payload: BulkPayload, signal: AbortSignal): Promise<Delivered> {
    const delivery = new Delivery(this.#created);
    try {
      await this.#deliver(payload, delivery, signal);
    } finally {
      this.#options.board.done(delivery);
    }
    return delivery;
  }

  async #deliver(payload: BulkPayload, delivery: Delivery, signal: AbortSignal): Promise<void> {
    let pending = payload;
    for (let attempt = 0; pending.count > 0; attempt += 1) {
      if (signal.aborted)
        throw new AppError('aborted', 'cannot write to the store', { cause: signal.reason });
      const outcome = await this.#send(pending, signal);
      if (outcome.kind !== 'judged') delivery.isWhollyAnswered = false;
      if (await this.#mustHalve(outcome, pending, delivery, { attempt, signal }))
        return this.#halve(pending, outcome, delivery, signal);
      const rest = await this.#settle(outcome, pending, delivery, signal);
      if (rest.items.length === 0) return;
      pending = selectItems(pending, rest.items);
      this.#countDocuments('retried', pending.count);
      const { problem = attempt < MISSING_MAX ? undefined : STILL_MISSING, delayMs } = rest;
      if (problem !== undefined)
        await this.#options.board.wait(delivery, problem, { attempt, signal, delayMs });
    }
  }

  /** Sends a request when its turn has come, and says what became of it. */
  async #send(payload: BulkPayload, signal: AbortSignal): Promise<Outcome> {
    const { gate, scheduler, client, telemetry } = this.#options;
    await gate.enter();
    const sentMs = scheduler.monotonicMs();
    const bytes = payload.bytes.length;
    let answered: BulkAnswer | undefined;
    let outcome: Outcome;
    let pauseMs = 0;
    try {
      outcome = await client
        .request({ ...BULK_REQUEST, body: payload.bytes, signal })
        .then((answer) => outcomeOf(answer, payload))
        .catch(outcomeOfError);
      const nowMs = scheduler.monotonicMs();
      telemetry.observe('logboom_store_bulk_seconds', (nowMs - sentMs) / 1000);
      if (outcome.kind !== 'unanswered')
        answered = { sentMs, nowMs, bytes, isRefused: isOverloaded(outcome) };
    } finally {
      pauseMs = gate.leave(answered);
    }
    telemetry.count('logboom_store_bulk_requests_total', 1, { outcome: outcome.kind });
    telemetry.count('logboom_store_bulk_bytes_total', bytes);
    telemetry.gauge('logboom_store_bulk_limit', gate.limit);
    return 'pauseMs' in outcome ? { ...outcome, pauseMs } : outcome;
  }

  /** Takes in what is settled; returns what has to be sent again. */
  async #settle(
    outcome: Outcome,
    payload: BulkPayload,
    delivery: Delivery,
    signal: AbortSignal,
  ): Promise<Rest> {
    if (outcome.kind === 'unanswered') return { items: payload.items, problem: unanswered(outcome.reason) };
    if (outcome.kind === 'refused') {
      const { type, reason } = outcome.error;
      return { items: payload.items, problem: { cause: type, text: reason } };
    }
    if (outcome.kind === 'wait') {
      const { cause, reason, pauseMs } = outcome;
      return { items: payload.items, problem: waitProblem(cause, reason), delayMs: delayOf(cause, pauseMs) };
    }
    const { judged, pauseMs } = outcome;
    this.#created += judged.created;
    delivery.add(judged);
    this.#countDocuments('created', judged.created);
    this.#countDocuments('duplicate', judged.duplicates);
    this.#countDocuments('rejected', judged.rejected.length);
    await this.#deliverOversized(judged.oversized, payload, delivery, signal);
    const problem = await this.#createIndices(judged.missing, signal);
    const waiting = judged.waiting.filter((one) => !this.#isToBlame(one, delivery));
    const rest = [...judged.missing, ...waiting.map(({ item }) => item)];
    const [first] = waiting;
    if (first === undefined) return { items: rest, problem };
    return {
      items: rest.toSorted((left, right) => left.start - right.start),
      problem: waitProblem(first.cause, first.reason),
      delayMs: delayOf(first.cause, pauseMs),
    };
  }

  /** Sends documents beside fewer others that are more together than the engine has room for. */
  async #deliverOversized(
    oversized: JudgedItems['oversized'],
    payload: BulkPayload,
    delivery: Delivery,
    signal: AbortSignal,
  ): Promise<void> {
    const [first] = oversized;
    if (first === undefined) return;
    if (payload.count === 1) return this.#reject(delivery, first.item, first.error);
    const part = selectItems(
      payload,
      oversized.map(({ item }) => item),
    );
    for (const fewer of part.count > 1 ? halves(part) : [part]) await this.#deliver(fewer, delivery, signal);
  }

  /** Creates the indices that the engine did not; returns why that is not possible, if so. */
  async #createIndices(missing: readonly BulkItem[], signal: AbortSignal): Promise<WaitProblem | undefined> {
    for (const index of new Set(missing.map((item) => item.index))) {
      try {
        await this.#options.createIndex(index, signal);
      } catch (error) {
        const text = `the index ${index} is missing and cannot be created: ${reasonOf(error)}`;
        return { cause: `missing ${index}`, text };
      }
    }
    return undefined;
  }

  /** Rejects a document that the engine keeps failing at while others pass. */
  #isToBlame({ item, cause, reason }: JudgedItems['waiting'][number], delivery: Delivery): boolean {
    if (cause !== 'failed' || !delivery.hasFailedAlone(item, this.#created)) return false;
    this.#reject(delivery, item, { type: 'engine_failure', reason });
    return true;
  }

  /** Whether the documents are to be tried by halves; a single one is then refused for good. */
  async #mustHalve(
    outcome: Outcome,
    { count }: BulkPayload,
    delivery: Delivery,
    { attempt, signal }: { readonly attempt: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    if (outcome.kind === 'refused') {
      if (count > 1 || outcome.isTooLarge) return true;
      return this.#hasPassedSince(delivery);
    }
    // Room for all of it may never come, beside what the engine holds anyway.
    if (isOverloaded(outcome)) return outcome.kind === 'wait' && count > 1 && attempt >= OVERLOADED_MAX;
    if (outcome.kind !== 'unanswered' || attempt < UNANSWERED_MAX) return false;
    // One document may be the one that breaks the connection, or happen to meet a restart again and again.
    if (count === 1 && (attempt < FAILURES_MAX || !this.#hasPassedSince(delivery))) return false;
    return this.#answersOthers(signal);
  }

  /** Whether other documents have been stored since: where nothing passes, no document is to blame. */
  #hasPassedSince(delivery: Delivery): boolean {
    return delivery.created > 0 || this.#created > delivery.createdBefore;
  }

  async #answersOthers(signal: AbortSignal): Promise<boolean> {
    const purpose = 'ask the store how it is';
    try {
      await this.#options.client.request({ method: 'GET', path: '/_cluster/health', signal, purpose });
      return true;
    } catch {
      return false;
    }
  }

  /** Delivers both halves by themselves; of a single document there are none, and it is to blame. */
  async #halve(
    payload: BulkPayload,
    outcome: Outcome,
    delivery: Delivery,
    signal: AbortSignal,
  ): Promise<void> {
    const [only] = payload.items;
    if (payload.count > 1) {
      for (const half of halves(payload)) await this.#deliver(half, delivery, signal);
    } else if (only !== undefined) {
      const error =
        outcome.kind === 'refused'
          ? outcome.error
          : { type: 'no_answer', reason: 'the store never answers to this document, but to others' };
      this.#reject(delivery, only, error);
    }
  }

  #reject(delivery: Delivery, item: BulkItem, error: DeadLetterError): void {
    delivery.rejected.push({ item, error });
    this.#countDocuments('rejected', 1);
  }

  #countDocuments(outcome: string, count: number): void {
    if (count > 0) this.#options.telemetry.count('logboom_store_bulk_documents_total', count, { outcome });
  }
}

/** What has become of a request's documents so far. */
class Delivery implements Delivered {
  /** Documents of all deliveries that had been created before this one began. */
  readonly createdBefore: number;
  isWhollyAnswered = true;
  created = 0;
  duplicates = 0;
  readonly rejected: Delivered['rejected'][number][] = [];
  /** By id, for documents that the engine failed at: how often, and how many others had passed at first. */
  readonly #failures = new Map<string, { count: number; readonly createdBefore: number }>();

  constructor(createdBefore: number) {
    this.createdBefore = createdBefore;
  }

  add({ created, duplicates, rejected }: JudgedItems): void {
    this.created += created;
    this.duplicates += duplicates;
    this.rejected.push(...rejected);
  }

  /** Whether the engine has failed at the document often enough, and others have passed since. */
  hasFailedAlone({ id }: BulkItem, created: number): boolean {
    const failure = this.#failures.get(id) ?? { count: 0, createdBefore: created };
    failure.count += 1;
    this.#failures.set(id, failure);
    return failure.count >= FAILURES_MAX && (created > failure.createdBefore || this.created > 0);
  }
}

function outcomeOf(answer: EngineAnswer, payload: BulkPayload): Outcome {
  const { status } = answer;
  if (status === 200) return { kind: 'judged', judged: judgeAnswer(payload, answer.text), pauseMs: 0 };
  const fault = faultOf(answer);
  const reason = fault.reason || `it answers ${status}`;
  if (status === 413)
    return { kind: 'refused', isTooLarge: true, error: { type: 'request_too_large', reason } };
  const verdict = verdictOf(status, fault);
  if (verdict.kind === 'wait') return { kind: 'wait', cause: verdict.cause, reason, pauseMs: 0 };
  if (verdict.kind === 'oversized') return { kind: 'refused', isTooLarge: true, error: verdict.error };
  // An engine names the type of its errors; anything else comes from something in front of it.
  const isEngine = status === 400 && !fault.type.startsWith('http_');
  if (!isEngine) return { kind: 'wait', cause: 'not_the_engine', reason, pauseMs: 0 };
  return { kind: 'refused', isTooLarge: false, error: { type: fault.type, reason } };
}

function outcomeOfError(error: unknown): Outcome {
  if (!(error instanceof AppError) || error.code === 'aborted') throw error;
  if (typeof error.details['status'] !== 'number') return { kind: 'unanswered', reason: reasonOf(error) };
  return { kind: 'wait', cause: 'unavailable', reason: reasonOf(error), pauseMs: 0 };
}

function isOverloaded(outcome: Outcome): boolean {
  if (outcome.kind === 'wait') return outcome.cause === 'overloaded';
  return outcome.kind === 'judged' && outcome.judged.waiting.some(({ cause }) => cause === 'overloaded');
}

/** Refusals for want of capacity have a pause of their own; the other causes wait longer with every attempt. */
function delayOf(cause: WaitCause, pauseMs: number): number | undefined {
  return cause === 'overloaded' ? pauseMs : undefined;
}

function waitProblem(cause: WaitCause, reason: string): WaitProblem {
  const said = reason === '' ? '' : ` (it says: ${reason.slice(0, REASON_LENGTH_MAX)})`;
  return { cause, text: `${WAIT_TEXTS[cause]}${said}` };
}

function unanswered(reason: string): WaitProblem {
  return { cause: 'unanswered', text: `the store does not answer: ${reason}` };
}

/** Returns what a person should read of an error: the engine's own words, and the remedy. */
export function problemOf(error: AppError): WaitProblem {
  const { status, reason } = error.details;
  const fault = {
    type: String(error.details['type'] ?? ''),
    reason: typeof reason === 'string' ? reason : '',
  };
  const verdict = typeof status === 'number' ? verdictOf(status, fault) : undefined;
  if (verdict?.kind === 'wait') return waitProblem(verdict.cause, fault.reason);
  if (verdict === undefined && error.code !== 'bad_request') return unanswered(reasonOf(error));
  return { cause: error.message, text: `the store refuses a request: ${reasonOf(error)}` };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof AppError)) return messageOf(error);
  const reason = error.details['reason'];
  const hint = error.hint === undefined ? '' : `. ${error.hint.replace(/\.$/, '')}`;
  return `${typeof reason === 'string' ? reason : error.message}${hint}`;
}
