import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { createBatchProcessor } from './pipeline/batch-processor.ts';
import { fillRound, openRound } from './prepare-round.ts';
import { SeldomCounts } from './seldom-counts.ts';
import { batchOfDocuments, documentOf } from './testing/batches.ts';

test('documents on which a pipeline fails are told once a minute, with the id of one of them and why', async () => {
  const scheduler = new VirtualScheduler();
  const telemetry = new MemoryTelemetry();
  const seldom = new SeldomCounts(() => scheduler.monotonicMs());
  const maker = { processor: createBatchProcessor([]), scheduler, telemetry, seldom };
  const fileId = 'a'.repeat(20);
  const batch = batchOfDocuments(fileId, [documentOf('fine'), 'no document', 'none either']);
  const deliveries = [{ kind: 'log', batch, partition: 0, position: 0n, nextPosition: 1n } as const];
  const fill = async (): Promise<void> => {
    const round = openRound({ deliveries, suspect: undefined, isGivenUp: false }, scheduler);
    await fillRound(round, deliveries, maker);
    assert.equal(round.batches[0]?.count, 3);
  };
  await fill();
  await fill();
  assert.equal(telemetry.lines.length, 1);
  const [line] = telemetry.lines;
  assert.deepEqual([line?.event, line?.fields?.['documents']], ['pipeline_failed', 2]);
  assert.match(String(line?.fields?.['id']), /^a{20}-[0-9a-f]{12}$/);
  assert.match(JSON.stringify(line?.fields), /"reason":"[^"]+/);
  await scheduler.advance(60_000);
  await fill();
  assert.equal(telemetry.lines.at(-1)?.fields?.['documents'], 4);
});
