/**
 * The page in a real Chromium against the real program: what was written is found, what is just written appears,
 * and the browser has nothing to complain about.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../tools/build-web.ts';
import { browserSkip, launchBrowser, openPage } from './browser.ts';
import { Installation } from './installation.ts';
import type { LogboomProcess } from './logboom-process.ts';

/** Collecting, storing and drawing on a busy machine; usually it takes a second. */
const SEEN_MS_MAX = 20_000;

const STACK_TRACE = [
  'java.net.SocketTimeoutException: connect timed out',
  '\tat java.base/java.net.Socket.connect(Socket.java:751)',
  '\tat com.example.Pool.get(Pool.java:88)',
];

void describe('the page', { skip: browserSkip }, () => {
  let installation: Installation;
  let program: LogboomProcess;
  let browser: Browser;
  let logFile: string;

  before(async () => {
    await buildWeb({ isForced: false });
    installation = await Installation.create();
    logFile = path.join(installation.files, 'shop.log');
    const lines = Array.from(
      { length: 400 },
      (_, index) => `{"level":"info","msg":"order ${index} accepted","order":${index}}`,
    );
    appendFileSync(
      logFile,
      [...lines, '{"level":"error","msg":"payment declined","order":7}', ...STACK_TRACE, ''].join('\n'),
    );
    program = await installation.start();
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await program?.stop();
    installation?.[Symbol.dispose]();
  });

  void test('a search finds what was written, and a record opens in place', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/`);
    const { page } = visit;
    await page.locator('.row').first().waitFor({ timeout: SEEN_MS_MAX });
    await page.keyboard.press('/');
    await page.keyboard.type('payment');
    await page.keyboard.press('Enter');
    const row = page.locator('.row', { hasText: 'payment declined' });
    await row.waitFor({ timeout: SEEN_MS_MAX });
    assert.equal(await row.locator('mark').textContent(), 'payment');
    assert.match(page.url(), /\?q=payment$/);
    await row.locator('.line').click();
    const field = row.locator('.field', { hasText: 'log.file.path' });
    assert.equal(await field.locator('.field-value').textContent(), logFile);
    assert.deepEqual(visit.complaints, []);
  });

  void test('a stack trace is one record: its first line in the list, all of it when opened', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/?q=SocketTimeoutException`);
    const row = visit.page.locator('.row');
    await row.waitFor({ timeout: SEEN_MS_MAX });
    assert.equal(await row.locator('.first-line').textContent(), STACK_TRACE[0]);
    assert.equal(await row.locator('.fold').textContent(), '+2 lines');
    await visit.page.keyboard.press('j');
    await visit.page.keyboard.press('Enter');
    await row.locator('.detail').waitFor();
    assert.equal(await row.locator('.message').textContent(), STACK_TRACE.join('\n'));
    assert.deepEqual(visit.complaints, []);
  });

  void test('a line that is appended while the page is open is found by the next search', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/?q=%22just+written%22`);
    const { page } = visit;
    await page.getByText('No lines in this range').waitFor({ timeout: SEEN_MS_MAX });
    appendFileSync(logFile, '{"level":"warn","msg":"just written to the file"}\n');
    const row = page.locator('.row', { hasText: 'just written to the file' });
    await searchUntil(page, async () => (await row.count()) === 1);
    assert.equal(await row.locator('.level').textContent(), 'warn');
    assert.deepEqual(visit.complaints, []);
  });

  void test('Live shows a line as it is written, without a search', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/?q=heartbeat`);
    const { page } = visit;
    await page.getByRole('button', { name: 'Live', exact: true }).click();
    await page.getByText('Live · 0 new').waitFor({ timeout: SEEN_MS_MAX });
    for (let number = 1; number <= 3; number += 1) {
      appendFileSync(logFile, `heartbeat ${number}\n`);
      await page.locator('.row', { hasText: `heartbeat ${number}` }).waitFor({ timeout: SEEN_MS_MAX });
    }
    const messages = await page.locator('.row .message').allTextContents();
    assert.deepEqual(messages, ['heartbeat 3', 'heartbeat 2', 'heartbeat 1'], 'newest first, each once');
    assert.deepEqual(visit.complaints, []);
  });

  void test('scrolling loads page after page, and every record is there once', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/?q=accepted`);
    const { page } = visit;
    const seen = new Set<string>();
    await page.locator('.row').first().waitFor({ timeout: SEEN_MS_MAX });
    await page.locator('.list').focus();
    for (let press = 0; press < 100 && seen.size < 400; press += 1) {
      for (const message of await page.locator('.row .message').allTextContents()) seen.add(message);
      await page.keyboard.press('PageDown');
      await page.waitForTimeout(30);
    }
    assert.equal(seen.size, 400);
    assert.match((await page.locator('.tools-state').textContent()) ?? '', /^400 lines loaded/);
    assert.deepEqual(visit.complaints, []);
  });

  void test('facets narrow and widen the query, the back button takes it back, the theme is kept', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/`);
    const { page } = visit;
    const level = page.locator('.facet', { hasText: 'Level' }).getByRole('button', { name: /^error/ });
    await level.click({ timeout: SEEN_MS_MAX });
    await page.waitForURL(/\?q=level:error$/);
    await level.click({ modifiers: ['Shift'] });
    await page.waitForURL(/\?q=not\+level:error$/);
    await page.goBack();
    await page.waitForURL(/\?q=level:error$/);
    // The address changes before the page is drawn anew.
    await page.waitForFunction(`document.querySelector('[aria-label="Query"]').value === 'level:error'`);
    await page.getByRole('button', { name: /^Theme: as the system/ }).click();
    await page.reload();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    assert.deepEqual(visit.complaints, []);
  });

  void test('a regular expression that is wrong is explained, with its place, and nothing seems to load', async () => {
    await using visit = await openPage(browser, `${installation.baseUrl}/?q=/[/`);
    const alert = visit.page.locator('.notice[role=alert]');
    await alert.waitFor({ timeout: SEEN_MS_MAX });
    assert.match((await alert.textContent()) ?? '', /regular expression/);
    assert.equal(await alert.locator('button').count(), 0, 'the same query would fail again');
    assert.equal((await visit.page.locator('.histogram figcaption').textContent())?.trim(), '');
    assert.equal(await visit.page.locator('[aria-busy=true]').count(), 0);
  });

  for (const width of [320, 390]) {
    void test(`on a phone ${width} pixels wide everything in the header can be touched`, async () => {
      await using visit = await openPage(browser, `${installation.baseUrl}/`);
      const { page } = visit;
      await page.setViewportSize({ width, height: 700 });
      for (const button of await page.locator('.header > button').all()) {
        const box = await button.boundingBox();
        assert.ok(box !== null && box.x + box.width <= width, JSON.stringify(box));
      }
      const links = await page.locator('.header nav a').all();
      assert.equal(links.length, 3);
      for (const link of links) await link.click({ timeout: SEEN_MS_MAX });
      assert.match(page.url(), /dead-letters$/);
      assert.deepEqual(visit.complaints, []);
    });
  }
});

/** Presses Search again and again until `check` holds. */
async function searchUntil(page: Page, check: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + SEEN_MS_MAX;
  while (!(await check())) {
    assert.ok(Date.now() < deadlineMs, `not found within ${SEEN_MS_MAX} ms`);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.waitForTimeout(200);
  }
}
