import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonScanner, MEMBERS_MAX } from './json-scanner.ts';
import { JsonShapes } from './json-shapes.ts';
import { KnownLineReader } from './known-line-reader.ts';

/** What is found in a line, by whichever way. */
interface Found {
  readonly text: string;
  readonly members: readonly (readonly number[])[];
  readonly special: readonly number[];
}

const scanner = new JsonScanner();
const line = Buffer.alloc(64 * 1024);

function foundIn(text: Buffer, shapes: JsonShapes): Found {
  const { keyStarts, valueStarts, valueEnds, valueTypes, memberCount, objectStart, objectEnd } = scanner;
  const members = Array.from({ length: memberCount }, (_, member) => [
    keyStarts[member] ?? 0,
    valueStarts[member] ?? 0,
    valueEnds[member] ?? 0,
    valueTypes[member] ?? 0,
  ]);
  const { messageMember, levelMember, levelCount, beforeMessage } = shapes;
  const special = [messageMember, levelMember, levelCount, messageMember < 0 ? -1 : beforeMessage];
  return { text: text.toString(), members, special: [...special, objectStart, objectEnd] };
}

/** The way that knows nothing beforehand, and learns; undefined where the line needs the general path, or is none. */
function scan(text: string, shapes: JsonShapes): Found | undefined {
  const bytes = Buffer.from(text);
  if (!scanner.scan(bytes, 0, bytes.length) || scanner.flags !== 0 || !shapes.match(scanner, bytes))
    return undefined;
  return foundIn(bytes, shapes);
}

/** Reads a line as it stands in a document. */
function read(text: string, shapes: JsonShapes): Found | undefined {
  const source = Buffer.from(`"message":${JSON.stringify(text)},"stream":"stdout"`);
  const end = source.length - ',"stream":"stdout"'.length - 1;
  const reader = new KnownLineReader(scanner, shapes);
  const length = reader.read(source, '"message":"'.length, end, line);
  return length < 0 ? undefined : foundIn(line.subarray(0, length), shapes);
}

const key = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('msg', 'message', 'level', 'severity', 'a', 'b.c', 'ü', '', 'log'),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
);

const scalar = fc.oneof(
  fc.constantFrom(
    '',
    'info',
    'a "quoted" word',
    'C:\\tmp\\',
    '\\',
    'two\nlines',
    '\u0001\u007f',
    '\u2028',
    '"',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(0, 7, -1.5, 123456789012345, 1234567890.12345, 0.1, 1e21, 2 ** 53),
  fc.boolean(),
  fc.constant(null),
);

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 6, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(tie('any'), { maxLength: 2 }) },
    { weight: 2, arbitrary: fc.dictionary(key, tie('any'), { maxKeys: 3 }) },
  ),
})).any;

const printed = fc
  .tuple(
    fc.array(fc.tuple(key, value), { maxLength: 6 }),
    fc.constantFrom('', ' '),
    fc.constantFrom('', '\\/'),
  )
  .map(([members, blank, slash]) => {
    const texts = members.map(([name, member]) => {
      const text = JSON.stringify(member) ?? 'null';
      return `${JSON.stringify(name)}:${blank}${slash === '' ? text : text.replaceAll('/', slash)}`;
    });
    return `{${texts.join(`,${blank}`)}}`;
  });

const edit = fc.tuple(
  fc.nat(300),
  fc.nat(2),
  fc.constantFrom(
    ...'{}[]",:019.eE+-\\ntufb \t\n\u0001'.split(''),
    '',
    '\\u12',
    '\\u0041',
    '\\\\',
    '\\"',
    '00',
    '1e5',
  ),
);

test('a line is read as a scan reads it, and what is no JSON is not read', () => {
  let readCount = 0;
  fc.assert(
    fc.property(printed, fc.array(edit, { maxLength: 3 }), (text, edits) => {
      const shapes = new JsonShapes();
      scan(text, shapes);
      let edited = text;
      for (const [place, removed, inserted] of edits) {
        const at = place % (edited.length + 1);
        edited = edited.slice(0, at) + inserted + edited.slice(at + removed);
      }
      const found = read(edited, shapes);
      if (found === undefined) return;
      readCount++;
      assert.deepEqual(found, scan(edited, shapes), edited);
      assert.equal(typeof JSON.parse(edited), 'object');
    }),
    { numRuns: 5000 },
  );
  assert.ok(readCount > 500, `${readCount} lines were read`);
});

test('lines as programs print them are read once their shape is known', () => {
  const lines = [
    '{}',
    '{"msg":"x"}',
    '{"level":"info","msg":"a \\"b\\" c\\\\d\\n","n":12,"f":-1.25,"ok":true,"no":false,"nil":null}',
    '{"time": "2026-11-23T04:30:00Z", "message": "grün", "tags": ["a", 1, null, true], "o": {}}',
    '{"a":{"b":{"c":{"d":1}},"e":2},"l":{"level":"warn"}}',
    '{"html":"\\u003ca\\u003E\\ud83d\\ude00\\/","b":"\\t\\"\\\\"}',
  ];
  for (const text of lines) {
    const shapes = new JsonShapes();
    assert.equal(read(text, shapes) === undefined, text !== '{}', text);
    const expected = scan(text, shapes);
    assert.ok(expected !== undefined);
    assert.deepEqual(read(text, shapes), expected, text);
  }
});

test('lines that bytes alone do not settle are left to the other way', () => {
  const shapes = new JsonShapes();
  const lines = [
    '{"a":1,"a":2}',
    '{"n":12345678901234567890}',
    '{"n":1e3}',
    '{"n":-0}',
    '{"a":[{"b":1}]}',
    '{"ecs.version":"1"}',
    `{${Array.from({ length: MEMBERS_MAX + 1 }, (_, index) => `"k${index}":1`).join(',')}}`,
    `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
    '{"a":1} x',
    '{"a":1',
    ' {"a":1}',
    '{"a" :1}',
    '{"a":01}',
    '{"a":"\\x"}',
    '{"a":"\\u12"}',
    '{"a":"\\u12g4"}',
    '{"a":"tab\there"}',
  ];
  for (const text of lines) {
    scan('{"a":1}', shapes);
    scan('{"n":1}', shapes);
    scan(text, shapes);
    assert.equal(read(text, shapes), undefined, text);
  }
});

test('a reader that fails again and again is asked seldom, and often again after it has read a line', () => {
  const shapes = new JsonShapes();
  scan('{"a":1}', shapes);
  const source = (text: string): Buffer => Buffer.from(`${JSON.stringify(text)},`);
  const [known, strange] = [source('{"a":1}'), source('{"b":1}')];
  const reader = new KnownLineReader(scanner, shapes);
  const isRead = (bytes: Buffer): boolean => reader.read(bytes, 1, bytes.length - 2, line) >= 0;
  for (let count = 0; count < 500; count++) assert.equal(isRead(strange), false);
  let tries = 1;
  while (!isRead(known)) tries++;
  assert.ok(tries > 1 && tries <= 64, `${tries} tries`);
  assert.ok(isRead(known));
  assert.ok(!isRead(strange) && isRead(known));
});
