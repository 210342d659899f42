import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFieldValue, formatQuery } from './format.ts';
import { parseQuery, QUERY_LENGTH_MAX } from './parser.ts';

/** Each query with its canonical text, which shows how it was understood. */
function understands(cases: Readonly<Record<string, string>>): void {
  for (const [text, canonical] of Object.entries(cases)) {
    assert.equal(formatQuery(parseQuery(text).query), canonical, text);
  }
}

function kindsOf(text: string): string[] {
  const { tokens } = parseQuery(text);
  return tokens
    .filter(({ kind }) => kind !== 'blank')
    .map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`);
}

test('nothing and a star are everything', () => {
  understands({ '': '*', '  ': '*', '*': '*', '**': '*', '* error': 'error', 'not *': 'not *' });
});

test('terms beside each other must all match, and “and” binds more than “or”', () => {
  understands({
    'a b c': 'a b c',
    'a and b AND c': 'a b c',
    'a or b c': 'a or b c',
    '(a or b) c': '(a or b) c',
    '(a b) c': 'a b c',
    'a or (b or c)': 'a or b or c',
    'not a b': 'not a b',
    'not (a or b)': 'not (a or b)',
    'a a': 'a',
  });
});

test('minus, exclamation mark and “not” negate; twice is once too often', () => {
  understands({
    '-a': 'not a',
    '!a': 'not a',
    'not a': 'not a',
    'not not a': 'a',
    'not -a': 'a',
    '-"a b"': 'not "a b"',
  });
  understands({
    '-(a b)': 'not (a b)',
    '-level:debug': 'not (log.level:debug or level:debug)',
    '--verbose': '"--verbose"',
    'a - b': 'a "-" b',
  });
});

test('names that everybody uses stand for the fields of documents', () => {
  understands({
    'level:error': 'log.level:error or level:error',
    'namespace:shop': 'kubernetes.namespace:shop or namespace:shop',
    'pod:web-1': 'kubernetes.pod.name:web-1 or pod:web-1',
    'app:web': 'service.name:web or app:web',
    'path:/var/log/x.log': 'log.file.path:"/var/log/x.log" or path:"/var/log/x.log"',
    'node:n1': 'kubernetes.node.name:n1 or host.name:n1 or node:n1',
    'kubernetes.labels.app.kubernetes.io/name:web': 'kubernetes.labels.app.kubernetes.io/name:web',
    'fields.status:500': 'fields.status:500',
    'trace.id:abc': 'trace.id:abc or fields.trace.id:abc',
  });
});

test('a name without a place of its own is looked for where agents put it and where other shippers leave it', () => {
  understands({
    'log_type:"nginx"': 'fields.log_type:nginx or log_type:"nginx"',
    'custom.thing>5': 'fields.custom.thing>5 or custom.thing>"5"',
    '@version:(1)': 'fields.@version:1 or @version:"1"',
    'tags:beats': 'tags:beats or fields.tags:beats',
  });
});

test('a name that is not known to be a field is also searched as text', () => {
  understands({
    'status:500': 'fields.status:500 or status:"500" or "status:500"',
    'Pool.java:88': 'fields.Pool.java:88 or Pool.java:"88" or "Pool.java:88"',
  });
  const { query } = parseQuery('status:500', { isKnownField: (name) => name === 'status' });
  assert.equal(formatQuery(query), 'fields.status:500 or status:"500"');
});

test('quotes, groups, comparisons and a star make a field of any name', () => {
  understands({
    'customer:"ann b"': 'fields.customer:"ann b" or customer:"ann b"',
    'kubernetes:*': 'kubernetes:* or fields.kubernetes:*',
    'status:(500 or 502)': 'fields.status:500 or status:"500" or fields.status:502 or status:"502"',
    'tag:(a -b)': '(fields.tag:a or tag:"a") not (fields.tag:b or tag:"b")',
    'status:*': 'fields.status:* or status:*',
    'status>=500': 'fields.status>=500 or status>="500"',
    'status >= 500': 'fields.status>=500 or status>="500"',
    'status:>=500': 'fields.status>=500 or status>="500"',
    'took<1.5e3': 'fields.took<1.5e3 or took<"1.5e3"',
    'fields.took>-1': 'fields.took>"-1"',
    'link~"a b"*"c"': 'fields.link~"a b"*"c" or link~"a b"*"c"',
    'level: error': 'log.level:error or level:error',
    'level:/err|warn/': 'log.level:/err|warn/ or level:/err|warn/',
  });
});

test('pasted text is text', () => {
  understands({
    '12:30:45': '"12:30:45"',
    '10.0.0.1:80': '"10.0.0.1:80"',
    'List<String>': '"List<String>"',
    'a->b': '"a->b"',
    'main(String[] args)': '"main(String[]" "args)"',
    'at a.B.c(Pool.java:88)': 'at "a.B.c(Pool.java:88)"',
    '[main] ERROR: x': '"[main]" "ERROR:" x',
    '{"a":"b c"}': '"{\\"a\\":\\"b" "c\\"}"',
    '/var/log/x.log': '"/var/log/x.log"',
    'C:\\temp\\x': 'fields.C:"\\\\temp\\\\x" or C:"\\\\temp\\\\x" or "C:\\\\temp\\\\x"',
    'level=error': '"level=error"',
    '<html>': '"<html>"',
    ':)': '":)"',
  });
});

test('wildcards are pieces, also with blanks between in quotes; in quotes a star is a star', () => {
  assert.deepEqual(parseQuery('a*b*').query, { kind: 'text', pattern: { pieces: ['a', 'b', ''] } });
  assert.deepEqual(parseQuery('*"a b"*"c*"').query, { kind: 'text', pattern: { pieces: ['', 'a b', 'c*'] } });
  assert.deepEqual(parseQuery('"a*"').query, { kind: 'text', pattern: { pieces: ['a*'] } });
  assert.deepEqual(parseQuery('"say \\"hi\\" c:\\\\x \\n"').query, {
    kind: 'text',
    pattern: { pieces: ['say "hi" c:\\x \\n'] },
  });
});

test('what makes no sense is ignored with a hint', () => {
  const cases: Readonly<Record<string, string>> = {
    'and a': 'a',
    'a or': 'a',
    'a and or b': 'a or b',
    'a not': 'a',
    '(a': 'a',
    'a )': 'a',
    '()': '*',
    '"a b': '"a b"',
    'level:': '*',
    'stream:stderr pod:': 'stream:stderr',
    'a && b': 'a b',
    '@timestamp>=yesterday': '*',
  };
  for (const [text, canonical] of Object.entries(cases)) {
    const { query, hints, errors } = parseQuery(text);
    assert.equal(formatQuery(query), canonical, text);
    if (text !== '()') assert.ok(hints.length > 0, text);
    assert.deepEqual(errors, []);
  }
});

test('hints propose what was probably meant', () => {
  const hintOf = (text: string): string =>
    parseQuery(text)
      .hints.map(({ message }) => message)
      .join();
  assert.match(hintOf('level!=error'), /-level:error/);
  assert.match(hintOf('a || b'), /“or”/);
  assert.match(hintOf('-5'), /quote “-5”/);
  for (const typo of ['namespcae', 'namespac', 'namesspace', 'namespade'])
    assert.match(hintOf(`${typo}:shop`), /“namespace”/);
  for (const fine of ['namespace', 'level', 'name', 'spaces', 'leaves'])
    assert.equal(hintOf(`${fine}:x`), '');
});

test('a regular expression that does not compile is an error at its place, and has no effect', () => {
  const { query, errors } = parseQuery('a /b(c/');
  assert.equal(formatQuery(query), 'a');
  assert.deepEqual(errors, [
    { message: 'the regular expression is invalid: missing closing ): b(c', start: 3, end: 6 },
  ]);
  assert.deepEqual(kindsOf('a /b(c/'), ['text a', 'invalid /b(c/']);
});

test('tokens tell a query bar how to colour the text', () => {
  assert.deepEqual(kindsOf('level:error and -"a b" or status>=5 /x/ ('), [
    'field level',
    'operator :',
    'value error',
    'keyword and',
    'negation -',
    'phrase "a b"',
    'keyword or',
    'field status',
    'operator >=',
    'value 5',
    'regex /x/',
    'parenthesis (',
  ]);
});

test('a regular expression behind an unknown name reads the same in its canonical text', () => {
  const { query } = parseQuery('x~/a+/');
  assert.equal(formatQuery(query), 'fields.x:/a+/ or x:(/a+/) or "x~/a+/"');
  assert.deepEqual(parseQuery(formatQuery(query)).query, query);
});

test('neither depth nor length breaks the parser', () => {
  assert.equal(formatQuery(parseQuery(`${'('.repeat(4_000)}a${')'.repeat(4_000)}`).query), 'a');
  assert.equal(formatQuery(parseQuery(`${'not '.repeat(2_001)}a`).query), 'not a');
  const { tokens, hints } = parseQuery('a'.repeat(QUERY_LENGTH_MAX + 5));
  assert.equal(tokens.at(-1)?.kind, 'ignored');
  assert.equal(hints.length, 1);
});

test('a clicked value becomes a term, quoted where it has to be', () => {
  assert.equal(formatFieldValue('pod', 'web-1'), 'pod:web-1');
  assert.equal(formatFieldValue('message', 'a "b" *'), 'message:"a \\"b\\" *"');
  assert.equal(formatFieldValue('x', ''), 'x:""');
  // Without quotes it would also be searched as text.
  assert.equal(formatFieldValue('log_type', 'nginx'), 'log_type:"nginx"');
  assert.equal(formatFieldValue('fields.user', 'ann'), 'fields.user:ann');
});
