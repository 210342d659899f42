import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../base/prng.ts';
import { VirtualScheduler } from '../../../base/virtual-scheduler.ts';
import { MemoryTelemetry } from '../../../telemetry/memory-telemetry.ts';
import { EngineClient } from '../engine/engine-client.ts';
import type { HttpAnswer, HttpRequest } from '../engine/http-connection.ts';
import { BulkGate } from './bulk-gate.ts';
import { BulkLimitState } from './bulk-limit-state.ts';
import type { BulkPayload } from './bulk-payload.ts';
import { payloadOf } from './bulk-payload.ts';
import { BulkWriter } from './bulk-writer.ts';
import { WaitBoard } from './wait-board.ts';

/** What an engine with little memory takes of requests on their way. */
const PRESSURE_BYTES = 128 << 10;

const DOCUMENT = 'x'.repeat(1_000);
const MS_PER_BYTE = 0.01;
const REQUESTS_EACH = 25;

/** As many as an indexer appends at the same time. */
const AT_ONCE = 6;

/** An engine that works at one request after the other, and refuses what it has no memory for beside them. */
class SmallEngine {
  readonly stored = new Map<string, number>();
  refusedCount = 0;
  /** Time that it had something to do. */
  busyMs = 0;
  #inUseBytes = 0;
  #busyUntilMs = 0;
  readonly #scheduler: VirtualScheduler;
  readonly #random: () => number;

  constructor(scheduler: VirtualScheduler, random: () => number) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  async send({ path, body }: HttpRequest): Promise<HttpAnswer> {
    const ok = { status: 200, headers: {}, text: '{"errors":false}' };
    if (!path.startsWith('/_bulk')) return ok;
    const bytes = body?.length ?? 0;
    await this.#scheduler.sleep(2 + this.#random() * 3);
    if (this.#inUseBytes + bytes > PRESSURE_BYTES) return this.#refuse(bytes);
    this.#inUseBytes += bytes;
    const takesMs = bytes * MS_PER_BYTE * (0.5 + this.#random());
    const nowMs = this.#scheduler.monotonicMs();
    this.busyMs += takesMs;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + takesMs;
    await this.#scheduler.sleep(this.#busyUntilMs - nowMs);
    this.#inUseBytes -= bytes;
    for (const [, id = ''] of Buffer.from(body ?? '')
      .toString('latin1')
      .matchAll(/"_id":"([^"]+)"/g)) {
      this.stored.set(id, (this.stored.get(id) ?? 0) + 1);
    }
    return ok;
  }

  /** In the words of OpenSearch. */
  #refuse(bytes: number): HttpAnswer {
    this.refusedCount += 1;
    const used = `coordinating_and_primary_bytes=${this.#inUseBytes}, replica_bytes=0, all_bytes=${this.#inUseBytes}`;
    const asked = `coordinating_operation_bytes=${bytes}, max_coordinating_and_primary_bytes=${PRESSURE_BYTES}`;
    const reason = `rejected execution of coordinating operation [${used}, ${asked}]`;
    const error = { type: 'rejected_execution_exception', reason };
    return { status: 429, headers: {}, text: JSON.stringify({ error, status: 429 }) };
  }
}

function openWriter(engine: SmallEngine, scheduler: VirtualScheduler): BulkWriter {
  const telemetry = new MemoryTelemetry();
  const client = new EngineClient({
    config: {
      urls: ['http://one:9200'],
      auth: { kind: 'none' },
      bulk: { bytesMax: 1, inFlightMax: 8, compression: 'none' },
    },
    connect: () => ({ send: (request) => engine.send(request), close: () => Promise.resolve() }),
    nowMs: () => scheduler.monotonicMs(),
  });
  return new BulkWriter({
    client,
    gate: new BulkGate(new BulkLimitState(8)),
    board: new WaitBoard(scheduler, telemetry),
    scheduler,
    telemetry,
    createIndex: () => Promise.resolve(),
  });
}

function requestOf(name: string, count: number): BulkPayload {
  let at = 0;
  const lines: string[] = [];
  const items = Array.from({ length: count }, (_, documentIndex) => {
    const id = `${name}-${documentIndex}`;
    const line = `{"create":{"_index":"logs","_id":"${id}"}}\n{"message":"${DOCUMENT}"}\n`;
    lines.push(line);
    const start = at;
    at += line.length;
    return {
      batchIndex: 0,
      documentIndex,
      index: 'logs',
      id,
      timeMs: 0,
      usualIndex: undefined,
      start,
      end: at,
    };
  });
  return payloadOf(Buffer.from(lines.join('')), items);
}

/** Delivers requests of 25 to 175 KB, some at a time; returns how many documents they had. */
async function deliverAll(writer: BulkWriter, name: string, random: () => number): Promise<number> {
  let sum = 0;
  let next = 0;
  const deliverSome = async (): Promise<void> => {
    while (next < REQUESTS_EACH) {
      const count = Math.floor(25 + random() * 150);
      sum += count;
      await writer.deliver(requestOf(`${name}-${next++}`, count), new AbortController().signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, deliverSome));
  return sum;
}

for (const seed of [1, 2, 3, 4]) {
  void test(`two indexers that an engine has not memory for at once both get done, and keep it busy (seed ${seed})`, async () => {
    const random = createRandom(seed);
    const scheduler = new VirtualScheduler({ random });
    const engine = new SmallEngine(scheduler, random);
    const sent = ['one', 'other'].map((name) => deliverAll(openWriter(engine, scheduler), name, random));
    let isDone = false;
    const all = Promise.all(sent).finally(() => (isDone = true));
    for (let turn = 0; turn < 2_000 && !isDone; turn += 1) {
      await new Promise((resolve) => void setImmediate(resolve));
      await scheduler.advance(500);
    }
    assert.ok(isDone, 'both get done');
    const count = (await all).reduce((sum, one) => sum + one, 0);
    assert.equal(engine.stored.size, count);
    assert.deepEqual(
      [...engine.stored.values()].filter((times) => times !== 1),
      [],
    );
    assert.ok(engine.refusedCount > 20, 'they were in the way of each other');
    assert.ok(scheduler.monotonicMs() < 2 * engine.busyMs, 'the engine had work most of the time');
  });
}
