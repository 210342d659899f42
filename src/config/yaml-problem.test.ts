import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../base/errors.ts';
import { loadConfig } from './load-config.ts';

function errorOf(text: string): string {
  try {
    loadConfig({
      flags: [],
      environment: {},
      file: { name: 'logboom.yaml', text },
      hostName: 'host-1',
      workingDirectory: '/w',
      hasDirectory: () => false,
    });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return [error.message, error.hint].join('\n');
  }
  return 'no error';
}

void test('broken YAML is told with file, line, column, a sentence and what to do', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['a: [\n', /logboom\.yaml:1:4: YAML: the \[ is not closed\n\s*Add \] where it ends/],
    ['a: {b: 1\n', /logboom\.yaml:1:4: YAML: the \{ is not closed\n\s*Add \} where it ends/],
    ['a: [1, [2]\nb: 1\n', /logboom\.yaml:1:4: YAML: the \[ is not closed/],
    ['a: "x\nb: 1\n', /logboom\.yaml:1:4: YAML: the quote " is not closed/],
    ["a: 'x\n", /logboom\.yaml:1:4: YAML: the quote ' is not closed/],
    ['store:\n\tkind: x\n', /logboom\.yaml:2:1: YAML: the line begins with a tab\n\s*Indent with spaces/],
    ['data: a\ndata: b\n', /logboom\.yaml:2:1: YAML: this key stands here twice\n\s*Keep one/],
    [
      'data: b: c\n',
      /logboom\.yaml:1:7: YAML: a second `key: value` stands in the value of a key\n\s*Put quotes/,
    ],
    ['data: @x\n', /logboom\.yaml:1:7: YAML: a value cannot begin with this character\n\s*Put quotes/],
    ['a:\n  b: 1\n c: 2\n', /logboom\.yaml:3:1: YAML: the line is not indented like the ones/],
    ['data: "\\q"\n', /logboom\.yaml:1:8: YAML: this escape is none/],
    ['data: a\n---\ndata: b\n', /logboom\.yaml:2:1: YAML: a second document begins/],
    ['? [a\n', /logboom\.yaml:1:3: YAML: the \[ is not closed/],
  ];
  for (const [text, message] of cases) {
    const found = errorOf(text);
    assert.match(found, message, text);
    assert.doesNotMatch(found, /Flow|implicit|scalar|Nested mappings|mapping items/);
  }
});
