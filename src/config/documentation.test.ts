import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { fromJSONSchema } from 'zod';
import { renderMarkdown, renderSchema } from './documentation.ts';
import { environmentNameOf, flagNameOf } from './names.ts';
import { OPTIONS } from './options.ts';
import { parseScalar } from './scalars.ts';
import { isScalarShape } from './shape.ts';

const docs = path.join(import.meta.dirname, '../../docs');
const fixtures = path.join(import.meta.dirname, '../../test/testdata/config');

void test('docs/configuration.md and docs/logboom.schema.json are up to date (tools/gen-docs.ts writes them)', () => {
  assert.equal(readFileSync(path.join(docs, 'configuration.md'), 'utf8'), renderMarkdown());
  assert.equal(readFileSync(path.join(docs, 'logboom.schema.json'), 'utf8'), renderSchema());
});

void test('every option has a name of its own in every form', () => {
  assert.equal(new Set(OPTIONS.map(({ path: name }) => flagNameOf(name))).size, OPTIONS.length);
  assert.equal(new Set(OPTIONS.map(({ path: name }) => environmentNameOf(name))).size, OPTIONS.length);
  assert.equal(flagNameOf('agent.lineBytesMax'), '--agent-line-bytes-max');
  assert.equal(environmentNameOf('agent.lineBytesMax'), 'LOGBOOM_AGENT_LINE_BYTES_MAX');
});

void test('defaults and examples are values of their options', () => {
  for (const { path: name, shape, default: value, example } of OPTIONS) {
    if (!isScalarShape(shape)) continue;
    for (const given of [value, example]) {
      if (typeof given !== 'string' && typeof given !== 'number') continue;
      assert.ok('value' in parseScalar(shape, String(given)), `${name}: ${given}`);
    }
  }
});

void test('the schema takes every good configuration, and refuses what is misspelt or misplaced', () => {
  const schema = fromJSONSchema(JSON.parse(renderSchema()) as Parameters<typeof fromJSONSchema>[0]);
  const isTaken = (name: string): boolean => {
    const value: unknown = parse(readFileSync(path.join(fixtures, name), 'utf8'));
    return schema.safeParse(value ?? {}).success;
  };
  for (const name of readdirSync(fixtures).filter((file) => file.endsWith('.good.yaml'))) {
    assert.equal(isTaken(name), true, name);
  }
  for (const name of [
    'unknown-key',
    'unknown-inner-key',
    'misplaced-key',
    'unknown-step',
    'wrong-duration',
  ]) {
    assert.equal(isTaken(`${name}.bad.yaml`), false, name);
  }
});
