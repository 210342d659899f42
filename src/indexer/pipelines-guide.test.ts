import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from '../config/load-config.ts';
import { GROK_PATTERNS } from './pipeline/grok-patterns.ts';
import { LEVEL_WORDS, LEVELS } from './pipeline/level-names.ts';
import { runPipelineTests } from './pipeline-tests.ts';

const guide = readFileSync(new URL('../../docs/guide/pipelines.md', import.meta.url), 'utf8');

test("the guide's example loads, and its tests pass", () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  const { config } = loadConfig({
    flags: [],
    environment: {},
    file: { name: 'logboom.yaml', text },
    hostName: 'node-1',
    workingDirectory: '/',
    hasDirectory: () => false,
  });
  const results = runPipelineTests(config.indexer.pipelines);
  assert.deepEqual(results, [{ pipeline: 'ingress', test: 'an access line', isPassed: true, diff: '' }]);
});

test('the guide names every word of every level, and every named pattern', () => {
  for (const level of LEVELS) {
    const row = new RegExp(`^\\| \`${level}\` +\\| ([^|]*)\\|`, 'm').exec(guide)?.[1];
    assert.equal(row?.trim(), LEVEL_WORDS[level].join(', '));
  }
  for (const name of Object.keys(GROK_PATTERNS)) assert.ok(guide.includes(`\`${name}\``), name);
});
