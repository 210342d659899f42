/** Random documents and queries of few letters, so that queries find something and types of fields conflict. */
import fc from 'fast-check';
import type { Query, RangeOperator, TextPattern } from '../../../query/ast.ts';
import type { JsonObject } from '../../../query/match.ts';

const LONG = 'xy'.repeat(70);

const WORDS = [
  'a',
  'A',
  'ab',
  'b',
  'foo_bar',
  'é',
  'É',
  'ß',
  'σ',
  'Σ',
  'ς',
  'İ',
  'i',
  'K',
  'k',
  'к',
  '接',
  '被',
  'こ',
  '_',
  '5',
  '5.0',
  '-1',
  '1e3',
  '1000',
  '0.5',
  'true',
  '🚀',
  '*',
  '?',
  '\\',
  '=',
  "'",
  '.',
  ' ',
  '',
  '\u007f',
  '\n',
  'a\u0301',
  'ﬀ',
  LONG,
  `${LONG}z`,
  'q'.repeat(300),
];

const SCALARS = [...WORDS, 0, -0, 1, 5, -1, 0.5, 1000, 1e21, 9007199254740992, true, false, null];

const KEYS = ['a', 'b', 'A', 'a.b', 'b.a', 'é', 'a b', '', 'a*', 'a=b'];

const FIELDS = [
  'message',
  'fields',
  'fields.a',
  'fields.b',
  'fields.A',
  'fields.a.b',
  'fields.b.a',
  'fields.a.b.a',
  'fields.é',
  'fields.',
  'fields.a*',
  'fields.a=b',
  'log',
  'log.level',
  'log.offset',
  'log.flags',
  'log.file.path',
  'event.id',
  'event.original',
  '@timestamp',
  'stream',
  'kubernetes',
  'kubernetes.namespace',
  'kubernetes.pod',
  'kubernetes.pod.name',
  'kubernetes.labels',
  'event',
  'host',
  'kubernetes.labels.a.b',
  'kubernetes.labels.a',
  'host.name',
  'service.name',
  'trace.id',
  'tags',
  'a.b',
];

/** Texts of a few words. */
export const randomText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 5 })
  .map((words) => words.join(''));

const word = fc.constantFrom(...WORDS);

const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...SCALARS),
    randomText,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 3 }),
  ),
})).value;

/** What the engine has a column of its own for must have its type, or the engine refuses the document. */
const ownText = fc.oneof(word, randomText);

/** Documents without the members that say which record it is: see `withPlace`. */
export const randomMembers: fc.Arbitrary<JsonObject> = fc.record(
  {
    message: randomText,
    stream: fc.constantFrom('stdout', 'stderr', 'file'),
    level: ownText,
    flags: fc.subarray(['partial', 'cr']),
    fields: fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 4 }),
    namespace: fc.constantFrom('shop', 'Shop', 'é', '5', null),
    pod: fc.constantFrom({ pod: { name: 'a' } }, { 'pod.name': 'a' }, { pod: { uid: null } }, { pod: {} }),
    labels: fc.dictionary(fc.constantFrom(...KEYS.filter((key) => key !== '')), ownText, { maxKeys: 2 }),
    host: ownText,
    trace: fc.oneof(ownText, fc.constant('abc')),
    tags: fc.array(ownText, { maxLength: 2 }),
    original: randomText,
  },
  { requiredKeys: ['message', 'stream'] },
);

const pattern: fc.Arbitrary<TextPattern> = fc.record({
  pieces: fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.oneof(word, randomText)) },
    { weight: 2, arbitrary: fc.array(word, { minLength: 1, maxLength: 3 }) },
  ),
});

const field = fc.constantFrom(...FIELDS);
const operator = fc.constantFrom<RangeOperator>('<', '<=', '>', '>=');

const REGEXES = [
  'a',
  '^a',
  'b$',
  '(?i)A',
  'a.b',
  'a+b?',
  '[ab]{2}',
  '\\d+',
  '^$',
  'a|b',
  'foo\\w',
  '\\*',
  'é',
  '接',
  '5\\.0',
  'xz',
];

const leaf: fc.Arbitrary<Query> = fc.oneof(
  fc.constant<Query>({ kind: 'all' }),
  fc.record({ kind: fc.constant('text' as const), pattern }),
  fc.record({ kind: fc.constant('field' as const), field, pattern }),
  fc.record({ kind: fc.constant('contains' as const), field, pattern }),
  fc.record({ kind: fc.constant('exists' as const), field }),
  fc.record({
    kind: fc.constant('range' as const),
    field,
    operator,
    value: fc.oneof(word, fc.constantFrom('2026-11-23T04:00:03Z', '10', '0')),
  }),
  fc.record({
    kind: fc.constant('regex' as const),
    field: fc.oneof(fc.constant(undefined), field),
    source: fc.constantFrom(...REGEXES),
  }),
);

/** Queries of every kind, nested. */
export const randomQuery: fc.Arbitrary<Query> = fc.letrec<{ query: Query }>((tie) => ({
  query: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constant('not' as const), operand: tie('query') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('query'), { minLength: 1, maxLength: 3 }),
    }),
  ),
})).query;

/** Returns the document that stands at an offset of a file. */
export function withPlace(members: JsonObject, fileId: string, offset: number, time: string): JsonObject {
  const { level, flags, namespace, pod, labels, host, trace, tags, original, fields, message, stream } =
    members;
  const log = { ...present({ level }), offset, file: { path: `/logs/${fileId}.log` }, ...present({ flags }) };
  const id = `${fileId}-${offset.toString(16).padStart(12, '0')}`;
  const kubernetes = {
    ...present({ namespace }),
    ...(pod as JsonObject | undefined),
    ...present({ labels }),
  };
  return {
    '@timestamp': time,
    message,
    ...present({ fields }),
    stream,
    log,
    event: { id, ...present({ original }) },
    ...(trace === undefined ? {} : { trace: { id: trace } }),
    ...present({ tags }),
    ...(Object.keys(kubernetes).length === 0 ? {} : { kubernetes }),
    ...(host === undefined ? {} : { host: { name: host } }),
  };
}

function present(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined));
}
