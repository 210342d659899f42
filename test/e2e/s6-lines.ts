/** What the image's `s6-log` has written, for tests. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Returns the lines of an s6 directory in their order; none where there is no directory. A file on a full disk may end
 * in the middle of a line: `s6-log` rotates it there when what still had room fills it to the byte, and the next file
 * begins with the rest. What `s6-log` did not finish (`.u`) it does not go on with either.
 */
export function readS6Lines(s6Directory: string): string[] {
  const names = existsSync(s6Directory) ? readdirSync(s6Directory).toSorted() : [];
  const texts = names
    .filter((name) => name.startsWith('@') || name === 'previous' || name === 'current')
    .toSorted((left, right) => rank(left) - rank(right))
    .map((name) => {
      const text = readFileSync(path.join(s6Directory, name), 'utf8');
      return name.endsWith('.u') ? `${text}\n` : text;
    });
  return splitLines(texts.join(''));
}

function rank(name: string): number {
  return ['previous', 'current'].indexOf(name) + 1;
}

/** Returns the lines of a text that are not empty. */
export function splitLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Asserts that the numbered lines of the writer are there once each and whole. */
export function assertWriter(lines: readonly string[], kind: 'out' | 'err', written: number): void {
  const tail =
    kind === 'out' ? ' the quick brown fox jumps over the lazy dog, again and again and again' : '';
  const expected = Array.from({ length: written }, (_, index) => `${kind} ${index}${tail}`);
  const found = new Set(lines);
  assert.deepEqual(expected.filter((line) => !found.has(line)).slice(0, 5), [], 'lines are missing');
  assert.equal(lines.length, written, 'lines are there twice');
}
