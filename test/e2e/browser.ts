/** A real Chromium for tests of the page. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const CHROMIUM_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Quiet ones: a test must not phone anybody. */
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = CHROMIUM_PATHS.find((file) => existsSync(file));
const isForced = process.env['CI'] === 'true';
/** Why tests of the page are skipped, or false. */
export const browserSkip = executablePath === undefined && !isForced ? 'Chromium is not installed' : false;

/** Starts a browser. One that is launched without a profile of its own gets a fresh temporary one. */
export async function launchBrowser(): Promise<Browser> {
  assert.ok(executablePath !== undefined, 'Chromium is not installed, and CI=true asks for it');
  return chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions. */
  readonly complaints: string[];
}

/** Opens an address in a profile of its own. */
export async function openPage(browser: Browser, address: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(address);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
