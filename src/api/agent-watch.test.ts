import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { HEARTBEAT_MS, heartbeatRecord, type Heartbeat } from '../record/heartbeat.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { ApiOptions } from './api-options.ts';
import type { AgentStatus, AuditAnswer } from './api-types.ts';
import { createTestApi, type TestApi } from './test-api.ts';

const SIGNAL = new AbortController().signal;

class World {
  readonly store = new MemoryStore();
  readonly #sequences = new Map<string, number>();
  readonly api: TestApi;

  private constructor(store: MemoryStore, api: TestApi) {
    this.store = store;
    this.api = api;
  }

  static async open(changes: Partial<ApiOptions> = {}): Promise<World> {
    const store = new MemoryStore();
    return new World(store, await createTestApi(store, changes));
  }

  get scheduler(): VirtualScheduler {
    return this.api.scheduler;
  }

  /** An agent says something; its clock is `skewMs` ahead. */
  async say(node: string, words: Partial<Heartbeat> = {}, skewMs = 0): Promise<void> {
    const timeNs = this.scheduler.nowNs() + BigInt(skewMs) * 1_000_000n;
    const sequence = Math.max((this.#sequences.get(node) ?? 0) + 1, Number(timeNs / 1_000_000n));
    this.#sequences.set(node, sequence);
    const moment = { node, sequence, time: formatTimestamp(timeNs) };
    const counts = { files: 1, unreadBytes: 0, unacknowledgedBytes: 0 };
    const defaults = { cluster: 'c', version: '1', state: 'running', intervalMs: HEARTBEAT_MS } as const;
    const id = `6e6f6465${Buffer.from(node).toString('hex').padStart(12, '0')}`;
    await this.store.appendLedger(
      [heartbeatRecord(id, moment, { ...defaults, ...counts, ...words })],
      SIGNAL,
    );
  }

  async tellFile(node: string, bytesWritten: number, acknowledgedOffset: number): Promise<void> {
    const counts = { bytesWritten, bytesRead: acknowledgedOffset, acknowledgedOffset, records: 0 };
    const names = { namespace: 'shop', pod: 'web-1', container: 'web', node, path: '/x.log' };
    const time = formatTimestamp(this.scheduler.nowNs());
    const rest = { offsetSum: '0', state: 'active', dropped: {}, gaps: [] } as const;
    const record: LedgerRecord = { fileId: 'a'.repeat(20), sequence: 1, time, ...names, ...counts, ...rest };
    await this.store.appendLedger([record], SIGNAL);
  }

  async states(): Promise<Record<string, string>> {
    const { json } = await this.api.get('/api/v1/stats');
    return Object.fromEntries((json['agents'] as AgentStatus[]).map(({ node, state }) => [node, state]));
  }

  async audit(): Promise<AuditAnswer> {
    return (await this.api.get('/api/v1/audit')).json as unknown as AuditAnswer;
  }

  async forget(node: string): Promise<{ status: number; body: string }> {
    const headers = { 'content-type': 'application/json' };
    const request = {
      method: 'POST',
      url: '/api/v1/agents/forget',
      headers,
      payload: JSON.stringify({ node }),
    } as const;
    const { statusCode, body } = await this.api.app.inject(request);
    return { status: statusCode, body };
  }
}

test('an agent that is not heard for three intervals is silent, and an audit cannot tell until it speaks again', async () => {
  const world = await World.open();
  await world.say('a', { unreadBytes: 5, unacknowledgedBytes: 7 });
  await world.say('b');
  const saidAt = formatTimestamp(world.scheduler.nowNs()).slice(0, 19);
  assert.deepEqual(
    [(await world.audit()).verdict, await world.states()],
    ['accounted', { a: 'running', b: 'running' }],
  );
  await world.scheduler.advance(3 * HEARTBEAT_MS);
  await world.say('b');
  assert.equal((await world.states())['a'], 'running');
  await world.scheduler.advance(1);
  const silent = await world.audit();
  const reason = `agent of node a silent since ${saidAt}Z: 12 bytes undelivered then`;
  assert.deepEqual([silent.verdict, silent.problems.map((problem) => problem.reason)], ['unknown', [reason]]);
  assert.deepEqual([silent.agents.running, silent.agents.silent.length, silent.files], [1, 1, 0]);
  assert.equal(world.api.telemetry.lines.filter(({ event }) => event === 'agent_silent').length, 1);
  await world.say('a');
  assert.equal((await world.audit()).verdict, 'accounted');
  assert.equal(world.api.telemetry.lines.filter(({ event }) => event === 'agent_back').length, 1);
});

test('an agent elsewhere that cannot look into files keeps an audit from telling, running or stopped', async () => {
  const world = await World.open({ agentNode: 'own' });
  const firstUnreadable = '/x.log: permission denied; give the agent read permission';
  for (const state of ['running', 'stopped'] as const) {
    await world.say('a', { state, unreadable: 3, firstUnreadable });
    const audit = await world.audit();
    const reason = `agent of node a cannot account for ${firstUnreadable}; nor for 2 more`;
    assert.deepEqual([audit.verdict, audit.problems.map((problem) => problem.reason)], ['unknown', [reason]]);
  }
  await world.say('a');
  // That of this process was asked just now: what its last heartbeat said may be over.
  await world.say('own', { unreadable: 1, firstUnreadable });
  assert.equal((await world.audit()).verdict, 'accounted');
});

test('clocks that differ make nobody silent who is heard, and nobody immortal', async () => {
  const world = await World.open();
  for (let look = 0; look < 10; look++) {
    await world.say('early', {}, -600_000);
    await world.say('late', {}, 600_000);
    const states = await world.states();
    if (look > 0) assert.deepEqual(states, { early: 'running', late: 'running' });
    await world.scheduler.advance(HEARTBEAT_MS);
  }
  for (let look = 0; look < 4; look++) {
    await world.states();
    await world.scheduler.advance(HEARTBEAT_MS);
  }
  assert.deepEqual(await world.states(), { early: 'silent', late: 'silent' });
});

test('a server that starts while an agent is silent already knows it at its first look', async () => {
  const world = await World.open();
  await world.say('a', {}, -10 * HEARTBEAT_MS);
  assert.equal((await world.audit()).verdict, 'unknown');
});

test('who stopped in good order is no unknown, who stopped with bytes left is', async () => {
  const world = await World.open();
  await world.say('a', { state: 'stopped' });
  await world.scheduler.advance(100 * HEARTBEAT_MS);
  const good = await world.audit();
  assert.deepEqual([good.verdict, good.agents.stopped.map(({ node }) => node)], ['accounted', ['a']]);
  assert.equal(good.toldAt, null);
  await world.say('b', { state: 'stopped', unacknowledgedBytes: 1 });
  assert.deepEqual(
    [(await world.audit()).verdict, await world.states()],
    ['unknown', { b: 'silent', a: 'stopped' }],
  );
});

test('an agent that is silent for a week holds up no verdict any more', async () => {
  const world = await World.open();
  await world.say('a');
  await world.scheduler.advance(8 * 24 * 3_600_000);
  assert.deepEqual([(await world.audit()).verdict, await world.states()], ['accounted', { a: 'gone' }]);
});

test('the agent of the own process is never silent', async () => {
  const world = await World.open({ agentNode: 'a' });
  await world.say('a');
  await world.scheduler.advance(10 * HEARTBEAT_MS);
  const { verdict, agents } = await world.audit();
  assert.deepEqual([verdict, agents.running, await world.states()], ['accounted', 0, { a: 'running' }]);
});

test('what the agent of a forgotten node had not delivered is a possible loss, until it speaks again', async () => {
  const world = await World.open();
  await world.say('a', { unreadBytes: 60 });
  await world.tellFile('a', 100, 40);
  const running = await world.forget('a');
  assert.equal(running.status, 400);
  assert.match(running.body, /cannot forget the agent of node a: it is running/);
  await world.scheduler.advance(4 * HEARTBEAT_MS);
  assert.equal((await world.audit()).problemCount, 2);
  assert.deepEqual(await world.forget('a'), { status: 200, body: '{"forgotten":1}' });
  const given = await world.audit();
  assert.deepEqual(
    [given.verdict, given.lagBytes, given.possibleLoss, given.possibleLossBytes, given.toldAt],
    ['accounted', 0, 1, 60, null],
  );
  assert.deepEqual(await world.states(), {});
  assert.equal((await world.forget('a')).status, 404);
  await world.say('a', { unreadBytes: 60 });
  const back = await world.audit();
  assert.deepEqual([back.verdict, back.lagBytes, back.possibleLoss], ['unknown', 60, 0]);
});

test('a heartbeat is the last word of a node in an audit', async () => {
  const world = await World.open();
  await world.tellFile('a', 0, 0);
  await world.scheduler.advance(HEARTBEAT_MS);
  await world.say('a');
  assert.equal((await world.audit()).toldAt, formatTimestamp(world.scheduler.nowNs()));
});

test('a store that cannot say which agents there are leaves the verdict open, and stats as they are', async () => {
  const world = await World.open();
  world.store.agents = () => Promise.reject(new Error('the ledger is away'));
  const { verdict, problems } = await world.audit();
  assert.deepEqual(
    [verdict, problems[0]?.reason],
    ['unknown', 'cannot tell which agents are silent: the ledger is away'],
  );
  assert.deepEqual(await world.states(), {});
});

test('heartbeats arrive through the route of the ledger, and what is none is refused', async () => {
  const world = await World.open();
  const time = formatTimestamp(world.scheduler.nowNs());
  const agent = { cluster: 'c', version: '1', state: 'running', intervalMs: 1, files: 0, unreadBytes: 0 };
  const post = (body: object) => {
    const record = heartbeatRecord(
      `6e6f6465${'0'.repeat(12)}`,
      { node: 'n', sequence: 1, time },
      agent as Heartbeat,
    );
    const headers = { 'content-type': 'application/x-ndjson' };
    const payload = JSON.stringify({ ...record, agent: body });
    return world.api.app.inject({ method: 'POST', url: '/api/v1/ledger', headers, payload });
  };
  assert.equal((await post(agent)).statusCode, 400);
  const oldestUnread = '2026-11-23T04:30:00.000000000Z';
  const unreadable = { unreadable: 2, firstUnreadable: '/x: permission denied' };
  assert.equal((await post({ ...agent, unreadable: -1 })).statusCode, 400);
  assert.equal(
    (await post({ ...agent, unacknowledgedBytes: 3, oldestUnread, ...unreadable })).statusCode,
    200,
  );
  const { json } = await world.api.get('/api/v1/stats');
  assert.deepEqual(json['agents'], [
    {
      node: 'n',
      cluster: 'c',
      version: '1',
      state: 'running',
      saidAt: time,
      files: 0,
      unreadBytes: 0,
      unacknowledgedBytes: 3,
      oldestUnread,
      ...unreadable,
    },
  ]);
});
