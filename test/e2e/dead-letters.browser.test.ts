/** The page of dead letters in a real Chromium against the real program, whose queue has letters from before. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import { documentOf } from '../../src/indexer/testing/batches.ts';
import type { DeadLetter } from '../../src/record/dead-letter.ts';
import { eventIdOf } from '../../src/record/identity.ts';
import { openJournalDeadLetters } from '../../src/transport/journal-dead-letters.ts';
import { buildWeb } from '../../tools/build-web.ts';
import { browserSkip, launchBrowser, openPage } from './browser.ts';
import { Installation } from './installation.ts';
import type { LogboomProcess } from './logboom-process.ts';
import { runLogboom } from './logboom-process.ts';

const SEEN_MS_MAX = 20_000;

const FILE_ID = 'c'.repeat(20);

function letterAt(offset: number, type: string, reason = 'cannot take'): DeadLetter {
  return {
    id: eventIdOf(FILE_ID, offset),
    fileId: FILE_ID,
    offset,
    lane: 1,
    time: '2026-11-23T04:30:00.000000000Z',
    document: documentOf(`refused line ${offset}`, { offset, fileId: FILE_ID }),
    error: { type, reason: `${reason} [user] of line ${offset}` },
    index: 'logboom-shop-2026.11.23',
    source: undefined,
    attempts: 1,
  };
}

void describe('the page of dead letters', { skip: browserSkip }, () => {
  let installation: Installation;
  let program: LogboomProcess;
  let browser: Browser;

  before(async () => {
    await buildWeb({ isForced: false });
    installation = await Installation.create();
    const directory = path.join(installation.data, 'dead-letters');
    mkdirSync(directory, { recursive: true });
    const queue = await openJournalDeadLetters({
      fileSystem: nodeFileSystem,
      directory,
      scheduler: nodeScheduler,
    });
    await queue.send([
      letterAt(10, 'mapping'),
      letterAt(20, 'mapping'),
      letterAt(30, 'limits'),
      letterAt(40, 'limits', 'too many fields below'),
    ]);
    await queue.close();
    program = await installation.start();
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await program?.stop();
    installation?.[Symbol.dispose]();
  });

  void test('letters are listed by error, shown with their documents, replayed and discarded', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/`);
    const { page } = visit;
    await page.getByRole('link', { name: 'Dead letters' }).click();
    await page.getByRole('button', { name: 'mapping' }).click({ timeout: SEEN_MS_MAX });
    const letters = page.getByRole('region', { name: 'Letters with mapping' });
    await letters.getByRole('button', { name: eventIdOf(FILE_ID, 20) }).click({ timeout: SEEN_MS_MAX });
    await letters.locator('pre', { hasText: '"message": "refused line 20"' }).waitFor();
    await letters.locator('> .remedies').getByRole('button', { name: 'Replay 2' }).click();
    await page.getByRole('button', { name: 'mapping' }).waitFor({ state: 'detached', timeout: SEEN_MS_MAX });

    // Two errors of one type are two groups, and a query selects letters of any of them.
    const table = page.getByRole('table');
    await table.getByText('cannot take [user] of line #').waitFor();
    await table.getByText('too many fields below [user] of line #').waitFor();
    await page.getByLabel('Query over the documents').fill('"line 40"');
    await page.getByRole('button', { name: 'Select' }).click();
    const selected = page.getByRole('region', { name: 'Letters with "line 40"' });
    await selected.getByRole('button', { name: eventIdOf(FILE_ID, 40) }).waitFor({ timeout: SEEN_MS_MAX });
    await selected.getByRole('button', { name: 'Replay it' }).click();
    await table.getByText('too many fields').waitFor({ state: 'detached', timeout: SEEN_MS_MAX });

    await page.getByRole('button', { name: 'Discard…' }).first().click();
    await page.getByRole('button', { name: 'Keep' }).click();
    await page.getByRole('button', { name: 'Discard…' }).first().click();
    await page.getByRole('button', { name: 'Discard 1 letter for good' }).click();
    await page.getByText('None: the store has everything').waitFor({ timeout: SEEN_MS_MAX });
    await page.getByText('1 earlier letter discarded').waitFor();

    const server = `127.0.0.1:${installation.port}`;
    const found = await runLogboom(['search', 'refused', '--since', '10000d', '--server', server]);
    assert.match(found.stdout, /refused line 10\n.*refused line 20\n.*refused line 40\n$/);
    assert.deepEqual(visit.complaints, []);
  });
});
