import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeContext } from '../cli/testing/fake-context.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { programOf, sayStopped } from './intro.ts';
import type { StopFacts } from './intro.ts';

function said(facts: Partial<StopFacts>): string {
  const telemetry = new MemoryTelemetry();
  const all = { isDrained: true, records: 1_200, saved: 'checkpoint saved', ...facts };
  sayStopped(fakeContext(), telemetry, all);
  return telemetry.linesOf('stopped').map(({ level, text }) => `${level} ${text}`)[0] ?? '';
}

void test('the end says what was delivered, and what stays for the next start', () => {
  assert.equal(said({}), 'info drained: 1,200 records, checkpoint saved');
  assert.equal(
    said({ leftBytes: 123_456 }),
    'info stopped: 1,200 records, checkpoint saved; 123,456 bytes stay in their files and are collected at the next start',
  );
  assert.match(said({ leftBytes: 1 }), /; 1 byte stays in its file and is collected at the next start$/);
  assert.match(said({ isDrained: false }), /^warn stopped before everything was delivered/);
});

void test('the search that the start suggests is one that works where it was started', () => {
  const npm = { npm_package_name: 'logboom', npm_lifecycle_event: 'start' };
  assert.equal(programOf(npm), 'npm start --');
  assert.equal(programOf({ ...npm, npm_package_name: 'shop' }), 'logboom');
  assert.equal(programOf({ npm_lifecycle_event: 'npx' }), 'npx logboom');
  assert.equal(programOf({}), 'logboom');
});
