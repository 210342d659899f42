import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { DrainBudget } from './drain-budget.ts';

void test('an agent that waits for all of its time leaves the indexer some, and both end in time', async () => {
  for (const totalMs of [20_000, 1_000, 0]) {
    const scheduler = new VirtualScheduler();
    const budget = new DrainBudget(totalMs, scheduler);
    await scheduler.advance(60_000);
    budget.begin();
    await scheduler.advance(budget.agentMs);
    const { indexerMs } = budget;
    assert.ok(totalMs === 0 || (budget.agentMs > totalMs / 2 && indexerMs > 0));
    assert.ok(budget.agentMs + indexerMs <= totalMs);
    await scheduler.advance(totalMs);
    assert.equal(budget.indexerMs, 0);
  }
});

void test('without an agent the indexer has nearly all of it', () => {
  assert.equal(new DrainBudget(20_000, new VirtualScheduler()).indexerMs, 19_000);
});
