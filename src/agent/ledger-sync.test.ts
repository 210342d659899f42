import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerRecord } from '../record/ledger.ts';
import { AgentWorld, APPS_SOURCE } from './testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';

/** A disk that takes its time to bring files to its surface. */
const SYNC_MS = 700;

test('the ledger says nothing that a power loss could take back: it waits for a slow disk', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const { fileSystem, producer, scheduler, config } = world;
  const sync = fileSystem.sync.bind(fileSystem);
  fileSystem.sync = async (fd) => {
    await scheduler.sleep(SYNC_MS);
    await sync(fd);
  };
  const send = producer.sendLedger.bind(producer);
  const early: LedgerRecord[] = [];
  producer.sendLedger = (records) => {
    const synced = new TextDecoder().decode(
      fileSystem.syncedBytes(`${config.data}/agent/checkpoints.journal`),
    );
    early.push(...records.filter((record) => !knows(synced, record)));
    return send(records);
  };
  world.start();
  for (let second = 0; second < 10; second += 1) {
    world.write(APP_LOG, `line ${second}\n`);
    await world.advance(1000);
  }
  await world.advance(20_000);
  assert.equal([...producer.ledger.values()][0]?.records, 10);
  assert.deepEqual(early, []);
  await world.stop();
});

/** Whether the entries of a checkpoint journal tell of what a ledger record tells of. */
function knows(entries: string, { fileId, sequence }: LedgerRecord): boolean {
  return entries.includes(`"id":"${fileId}"`) && entries.includes(`"ledgerSequence":${sequence}`);
}
