import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Service } from '../base/service.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { DrainBudget } from './drain-budget.ts';
import { runUntilStopped } from './lifecycle.ts';

interface Fake {
  readonly service: Service;
  fail(error: Error): void;
}

function fakeService(name: string, log: string[], stop?: () => Promise<void>): Fake {
  const running = Promise.withResolvers<void>();
  return {
    service: {
      name,
      run: () => running.promise,
      async stop() {
        log.push(`stop ${name}`);
        await stop?.();
        running.resolve();
      },
      problem: () => undefined,
    },
    fail: (error) => running.reject(error),
  };
}

function options(services: readonly Fake[], log: string[]): Parameters<typeof runUntilStopped>[0] {
  return {
    services: services.map(({ service }) => service),
    budget: new DrainBudget(0, nodeScheduler),
    telemetry: new MemoryTelemetry(),
    onStopping: (reason) => void log.push(reason),
    onStopped: (isDrained) => Promise.resolve(void log.push(isDrained ? 'drained' : 'not drained')),
  };
}

void test('a signal stops the services one after the other, and the exit code is 0', async () => {
  const log: string[] = [];
  const services = [fakeService('agent', log), fakeService('indexer', log)];
  const running = runUntilStopped(options(services, log));
  process.emit('SIGTERM', 'SIGTERM');
  assert.equal(await running, 0);
  assert.deepEqual(log, ['SIGTERM', 'stop agent', 'stop indexer', 'drained']);
});

void test('a service that fails stops the others, and its error is what the process ends with', async () => {
  const log: string[] = [];
  const services = [fakeService('agent', log), fakeService('indexer', log)];
  const running = runUntilStopped(options(services, log));
  services[1]?.fail(new Error('broken'));
  await assert.rejects(running, /broken/);
  assert.deepEqual(log, ['stop agent', 'stop indexer', 'not drained']);
});

void test('a service that cannot stop cleanly does not keep the others from it', async () => {
  const log: string[] = [];
  const stuck = fakeService('agent', log, () => Promise.reject(new Error('no')));
  const running = runUntilStopped(options([stuck, fakeService('indexer', log)], log));
  process.emit('SIGINT', 'SIGINT');
  assert.equal(await running, 0);
  assert.deepEqual(log, ['SIGINT', 'stop agent', 'stop indexer', 'not drained']);
});
