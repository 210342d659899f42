/** What the README shows works: its configuration is valid, its commands and queries exist. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runLogboom } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const README = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8');

function blocksOf(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );
}

void test('the configuration in the README is valid', async () => {
  const samples = blocksOf('yaml');
  assert.ok(samples.length > 0);
  using directory = new TemporaryDirectory('readme');
  for (const sample of samples) {
    writeFileSync(directory.join('logboom.yaml'), sample);
    const { code, output } = await runLogboom(['check', '--config', directory.join('logboom.yaml')]);
    assert.equal(code, 0, output);
  }
});

void test('the commands in the README exist', async () => {
  const commands = blocksOf('sh').flatMap((text) =>
    [...text.matchAll(/^npm start -- ([a-z]+)/gm)].map(([, name = '']) => name),
  );
  assert.ok(commands.length > 0);
  for (const command of new Set([...commands, 'up', 'doctor', 'explain', 'check', 'audit'])) {
    const { code, output } = await runLogboom([command, '--help']);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`logboom ${command}`));
  }
});
