import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRIPT_NAMES, readScript, runScript } from './run-script.ts';
import { parseScript } from './script.ts';
import { SCENARIO_STORES } from './stores.ts';

for (const store of SCENARIO_STORES) {
  for (const name of SCRIPT_NAMES) {
    test(`${name} gives its answers on the ${store.name} store`, () => runScript(name, () => store.open()));
  }
}

test('there are scenarios', () => {
  const count = SCRIPT_NAMES.reduce((sum, name) => sum + readScript(name).cases.length, 0);
  assert.ok(count >= 300, String(count));
});

test('a script that is not understood names the line', () => {
  assert.throws(() => parseScript('doc a 1:0 {}\nhits a'), /line 2/);
  assert.throws(() => parseScript('doc a one {}'), /line 1/);
  assert.throws(() => parseScript('query x\nby level'), /line 2/);
  assert.throws(() => parseScript('query x'), /no hits/);
});
