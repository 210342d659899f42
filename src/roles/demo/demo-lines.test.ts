import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cartLine,
  checkoutLine,
  ingressLine,
  ledgerLine,
  recommenderLine,
  schedulerLine,
} from './demo-lines.ts';
import { seededRandom } from './random.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 4, 30);

function texts(generate: typeof cartLine, count = 2000): string[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => generate(random, NOW_MS).text);
}

void test('the demo writes JSON, access logs and traces of three languages', () => {
  for (const text of texts(checkoutLine)) assert.ok(JSON.parse(text));
  for (const text of texts(ingressLine)) {
    assert.match(
      text,
      /^[\d.]+ - - \[23\/Nov\/2026:04:30:00 \+0000\] "(GET|POST) \S+ HTTP\/2\.0" \d{3} \d+ /,
    );
  }
  assert.ok(texts(ledgerLine).some((text) => /\n\tat com\.example[^]*Caused by: /.test(text)));
  assert.ok(texts(recommenderLine).some((text) => text.includes('\nTraceback (most recent call last):\n')));
  assert.ok(texts(schedulerLine).some((text) => /^panic: [^]*goroutine \d+ \[running\]/.test(text)));
  assert.ok(texts(cartLine).some((text) => text.startsWith('configuration reloaded:\n')));
});

void test('no line of the demo ends with a newline or is empty', () => {
  for (const generate of [cartLine, checkoutLine, ingressLine, ledgerLine, recommenderLine, schedulerLine]) {
    for (const text of texts(generate)) assert.match(text, /^\S[^]*\S$/);
  }
});
