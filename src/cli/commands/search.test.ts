import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SearchAnswer } from '../../api/api-types.ts';
import { answerJson, runCommand } from '../testing/run-command.ts';

const DOCUMENT = {
  '@timestamp': '2026-11-23T04:30:00.123456789Z',
  message: 'card declined',
  log: { level: 'error', file: { path: '/x/0.log' } },
  kubernetes: { namespace: 'shop', pod: { name: 'cart-0' } },
};

void test('search prints the newest records, oldest of them first, page by page', async () => {
  const urls: URL[] = [];
  const answer = (url: URL): Response => {
    urls.push(url);
    const isFirst = url.searchParams.get('cursor') === null;
    const times = isFirst ? ['03', '02'] : ['01'];
    const records = times.map((second) => ({
      ...DOCUMENT,
      '@timestamp': `2026-11-23T04:30:${second}.000000000Z`,
    }));
    return answerJson({ records, cursor: isFirst ? 'next' : null } satisfies SearchAnswer);
  };
  const { out, code } = await runCommand(['search', 'card', 'declined', '--limit', '5', '--since', '15m'], {
    answer,
  });
  assert.equal(code, 0);
  assert.deepEqual(
    out.split('\n').map((line) => line.slice(17, 19)),
    ['01', '02', '03', ''],
  );
  assert.match(out, /^2026-11-23T04:30:01\.000Z error shop\/cart-0 {2}card declined\n/);
  assert.equal(urls[0]?.pathname, '/api/v1/search');
  assert.deepEqual(Object.fromEntries(urls[0]?.searchParams ?? []), {
    query: 'card declined',
    start: 'now-15m',
    limit: '5',
    order: 'desc',
  });
  assert.equal(urls[1]?.searchParams.get('limit'), '3');
});

void test('search tells a person of a query without effect and of no records, and a script nothing', async () => {
  const answer = () => answerJson({ records: [], cursor: null });
  const person = await runCommand(['search', 'level:error', 'and', '('], { answer, isTerminal: true });
  assert.match(person.err, /^note: .*\nNo records since 1h\.\n$/s);
  const script = await runCommand(['search', 'level:error', 'and', '('], { answer });
  assert.deepEqual([person.out, script.out, script.err], ['', '', '']);
});

void test('search --json prints one document per line as the server has it', async () => {
  const { out } = await runCommand('search --json', {
    answer: () => answerJson({ records: [DOCUMENT], cursor: null }),
  });
  assert.equal(out, `${JSON.stringify(DOCUMENT)}\n`);
  const exact = '{"message":"m","fields":{"id":12345678901234567890,"huge":1e400}}';
  const answer = (): Response => new Response(`{"records":[${exact}],"cursor":null}`);
  assert.equal((await runCommand('search --json', { answer })).out, `${exact}\n`);
});

void test('the token goes along, and a refusal says how to give one', async () => {
  let header: string | null = null;
  const answer = (_url: URL, init: RequestInit | undefined): Response => {
    header = new Headers(init?.headers).get('authorization');
    return answerJson({ error: { code: 'unauthorized', message: 'no' } }, 401);
  };
  const { code, err } = await runCommand('stats', { answer, environment: { LOGBOOM_TOKEN: 'sesame' } });
  assert.equal(header, 'Bearer sesame');
  assert.equal(code, 111);
  assert.match(err, /it wants a token\n {2}Give its server\.token with --token or LOGBOOM_TOKEN/);
});

void test('a query that the server cannot read is the mistake of the person: 100', async () => {
  const body = {
    error: { code: 'bad_request', message: 'cannot read the regex at 3', hint: 'Close the bracket.' },
  };
  const { code, err } = await runCommand(['search', '/(/'], { answer: () => answerJson(body, 400) });
  assert.equal(code, 100);
  assert.equal(err, 'logboom: cannot read the regex at 3\n  Close the bracket.\n');
});

void test('something else that listens at the address is told apart', async () => {
  const { code, err } = await runCommand('stats', { answer: () => new Response('<html>', { status: 500 }) });
  assert.equal(code, 111);
  assert.match(err, /Is a Logboom server listening there\?/);
});

void test('export streams what comes, to standard output or a file', async () => {
  const answer = (): Response => new Response('{"a":1}\n{"a":2}\n');
  assert.equal((await runCommand('export', { answer })).out, '{"a":1}\n{"a":2}\n');
  const { context, out } = await runCommand('export --output /out.ndjson', {
    answer,
    files: { '/keep': '' },
  });
  assert.equal(out, '');
  assert.equal(
    new TextDecoder().decode(context.memoryFileSystem.readFile('/out.ndjson')),
    '{"a":1}\n{"a":2}\n',
  );
});

void test('export says which option names a file that can be written', async () => {
  const answer = (): Response => new Response('{"a":1}\n');
  const { code, err } = await runCommand('export --output /missing/out.ndjson', { answer });
  assert.equal(code, 111);
  assert.match(err, /^logboom: cannot write \/missing\/out\.ndjson .*\n {2}Name a file .* --output\.\n$/s);
});
