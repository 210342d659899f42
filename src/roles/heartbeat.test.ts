import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Agent, AgentFileStatus } from '../agent/agent-types.ts';
import type { Obstacle } from '../agent/obstacles.ts';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { HEARTBEAT_MS, isHeartbeat, type HeartbeatRecord } from '../record/heartbeat.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { createHeartbeat } from './heartbeat.ts';

function fileOf(size: number, readOffset: number, acknowledgedOffset: number): AgentFileStatus {
  const names = { namespace: undefined, pod: undefined, container: undefined };
  const place = { id: 'a'.repeat(20), path: '/x.log', source: 'files', state: 'active' as const };
  return { ...place, ...names, size, readOffset, acknowledgedOffset };
}

class World {
  readonly scheduler = new VirtualScheduler();
  readonly telemetry = new MemoryTelemetry();
  readonly sent: HeartbeatRecord[] = [];
  files: AgentFileStatus[] = [];
  obstacles: Obstacle[] = [];
  isKnown = true;
  /** Called with each sending; by default it is taken at once. */
  take: () => Promise<void> = () => Promise.resolve();
  readonly service;

  constructor() {
    const isKnown = (): boolean => this.isKnown;
    this.service = createHeartbeat({
      agent: {
        files: () => this.files,
        obstacles: () => this.obstacles,
        get followed() {
          return isKnown() ? ({} as Agent['followed']) : undefined;
        },
      },
      producer: {
        sendLedger: async (records: readonly LedgerRecord[]) => {
          this.sent.push(...records.filter(isHeartbeat));
          await this.take();
        },
      },
      node: 'n1',
      cluster: 'c1',
      version: '1.2.3',
      scheduler: this.scheduler,
      telemetry: this.telemetry,
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    });
  }

  get last(): HeartbeatRecord['agent'] | undefined {
    return this.sent.at(-1)?.agent;
  }
}

test('an agent says every interval what it has not delivered, and since when the oldest of it waits', async () => {
  const world = new World();
  void world.service.run();
  await world.scheduler.advance(0);
  const idle = { files: 0, unreadBytes: 0, unacknowledgedBytes: 0, intervalMs: HEARTBEAT_MS };
  assert.deepEqual(world.last, { cluster: 'c1', version: '1.2.3', state: 'running', ...idle });
  world.files = [fileOf(100, 70, 40), { ...fileOf(10, 10, 10), id: 'b'.repeat(20) }];
  await world.scheduler.advance(HEARTBEAT_MS);
  assert.deepEqual(
    [world.last?.files, world.last?.unreadBytes, world.last?.unacknowledgedBytes],
    [2, 30, 30],
  );
  const since = world.last?.oldestUnread;
  await world.scheduler.advance(2 * HEARTBEAT_MS);
  assert.equal(world.last?.oldestUnread, since, 'nothing was acknowledged since');
  const sequences = world.sent.map(({ sequence }) => sequence);
  assert.equal(world.sent.length, 4);
  assert.deepEqual(
    sequences,
    sequences.toSorted((left, right) => left - right),
  );
  assert.equal(new Set(world.sent.map(({ fileId }) => fileId)).size, 1);
});

test('the last word says that the agent stopped, with what was left', async () => {
  const world = new World();
  world.files = [fileOf(100, 100, 90)];
  const running = world.service.run();
  await world.scheduler.advance(0);
  const stopped = world.service.stop();
  await world.scheduler.advance(0);
  await Promise.all([running, stopped]);
  assert.deepEqual([world.last?.state, world.last?.unacknowledgedBytes], ['stopped', 10]);
});

test('an agent says what it cannot look into for a while, and nothing of what passes', async () => {
  const world = new World();
  const error = Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: 'EACCES' });
  const sinceMs = world.scheduler.monotonicMs();
  world.obstacles = [
    { path: '/x', kind: 'file', error, sinceMs },
    { path: '/y', kind: 'directory', error, sinceMs },
  ];
  void world.service.run();
  await world.scheduler.advance(0);
  assert.deepEqual([world.last?.unreadable, world.last?.firstUnreadable], [undefined, undefined]);
  await world.scheduler.advance(HEARTBEAT_MS);
  const remedy = 'give the agent read permission, or leave it out with `exclude`';
  assert.deepEqual(
    [world.last?.unreadable, world.last?.firstUnreadable],
    [2, `/x: permission denied; ${remedy}`],
  );
  world.obstacles = [];
  await world.scheduler.advance(HEARTBEAT_MS);
  assert.equal(world.last?.unreadable, undefined);
});

test('an agent says of a file without an id that no ledger tells of it, once it has waited for a while', async () => {
  const world = new World();
  void world.service.run();
  const half = { ...fileOf(5, 0, 0), id: undefined, path: '/half.log' };
  const empty = { ...fileOf(0, 0, 0), id: undefined, path: '/empty.log' };
  await world.scheduler.advance(HEARTBEAT_MS - 1);
  world.files = [half, empty, fileOf(9, 9, 9)];
  await world.scheduler.advance(1);
  assert.equal(world.last?.unreadable, undefined, 'it may be known in a moment');
  await world.scheduler.advance(HEARTBEAT_MS);
  const text = '/half.log: its first line is not whole, or not read yet';
  assert.deepEqual([world.last?.unreadable, world.last?.firstUnreadable], [1, text]);
  world.files = [{ ...half, id: 'b'.repeat(20) }];
  await world.scheduler.advance(HEARTBEAT_MS);
  assert.equal(world.last?.unreadable, undefined);
});

test('while the transport is away one heartbeat waits, and the end does not wait long for it', async () => {
  const world = new World();
  world.take = () => new Promise(() => undefined);
  void world.service.run();
  await world.scheduler.advance(10 * HEARTBEAT_MS);
  assert.equal(world.sent.length, 1);
  let isStopped = false;
  void world.service.stop().then(() => (isStopped = true));
  await world.scheduler.advance(1_000);
  assert.ok(isStopped);
});

test('an agent that does not know its files yet says nothing, also at its end', async () => {
  const world = new World();
  world.isKnown = false;
  const running = world.service.run();
  await world.scheduler.advance(60_000);
  assert.equal(world.sent.length, 0);
  world.isKnown = true;
  await world.scheduler.advance(1_000);
  assert.equal(world.sent.length, 1);
  world.isKnown = false;
  const stopped = world.service.stop();
  await world.scheduler.advance(0);
  await Promise.all([running, stopped]);
  assert.equal(world.sent.length, 1);
});
