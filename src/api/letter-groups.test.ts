import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOfLetter, shapeOfReason } from './letter-groups.ts';

test('the shape of a reason keeps the names of fields and leaves out what differs from document to document', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "failed to parse field [price] of type [long] in document with id '977002dc43a6b984fb94-000000004208'. Preview of field's value: 'it's cheap'",
      "failed to parse field [price] of type [long] in document with id …. Preview of field's value: …",
    ],
    [
      'object mapping for [user] tried to parse field [user] as object, but found a concrete value',
      'object mapping for [user] tried to parse field [user] as object, but found a concrete value',
    ],
    [
      'Limit of total fields [1000] has been exceeded while adding new fields [3]',
      'Limit of total fields [#] has been exceeded while adding new fields [#]',
    ],
    [
      'failed to parse date field [not a date] with format [strict_date_optional_time||epoch_millis]',
      'failed to parse date field […] with format [strict_date_optional_time||epoch_millis]',
    ],
    ['For input string: "abc\\n 1"', 'For input string: …'],
    [
      'Document contains at least one immense term in field="message" (whose UTF8 encoding is longer than the max length 32766), the prefix of the first immense term is: \'[97, 98]...\'',
      'Document contains at least one immense term in field="message" (whose UTF8 encoding is longer than the max length #), the prefix of the first immense term is: …',
    ],
    ['[1:234] no value of f29b8c1e-0b1c-4a5e-9d0f-0123456789ab at 10.0.0.1:9200', '[#] no value of … at #'],
    ['field2 of [items.17.name] on 2026-11-23T04:30:00.5Z', 'field2 of [items.#.name] on #'],
    ['two\nlines\t and  blanks', 'two lines and blanks'],
    ["cut 'in the middle", 'cut …'],
    ['', ''],
  ];
  for (const [reason, shape] of cases) assert.equal(shapeOfReason(reason), shape);
});

test('a reason of any length has a shape of bounded length, in bounded time', () => {
  for (const part of ["'a ", '"', 'deadbeef-', '1.', '[', 'value [']) {
    assert.ok(shapeOfReason(part.repeat(100_000)).length <= 300, part);
  }
});

test('letters of another type, index or shape are another group', () => {
  const kind = (type: string, reason: string, index: string | undefined) =>
    kindOfLetter({ error: { type, reason }, index }).id;
  const base = kind('limits', 'too many: 7', 'logs');
  assert.match(base, /^[0-9a-f]{10}$/);
  assert.equal(kind('limits', 'too many: 8', 'logs'), base);
  const others = [kind('other', 'too many: 7', 'logs'), kind('limits', 'too few: 7', 'logs')];
  assert.equal(new Set([base, ...others, kind('limits', 'too many: 7', undefined)]).size, 4);
});
