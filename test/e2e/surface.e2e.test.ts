/** The surface that people's scripts rely on: addresses, parameters, shapes of answers, commands and exit codes. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportAll, getJson, searchAll, searchList, type LogDocument } from './api-client.ts';
import { Installation } from './installation.ts';
import { LogboomProcess, runLogboom, statusOf, waitFor } from './logboom-process.ts';

const POD = 'shop_cart-0_3f2a6a1e-0d5c-4a6e-9c1b-6f1f0a7b2c3d';

const STAMP = new Date().toISOString().replace('Z', '123456Z');

interface Histogram {
  readonly buckets: readonly {
    readonly time: string;
    readonly count: number;
    readonly by?: Record<string, number>;
  }[];
}

suite('the surface', () => {
  let installation: Installation;
  let running: LogboomProcess;

  before(async () => {
    installation = await Installation.create();
    const container = path.join(installation.pods, POD, 'server');
    mkdirSync(container, { recursive: true });
    const lines = Array.from(
      { length: 25 },
      (_, index) => `${STAMP} stdout F {"level":"info","msg":"order ${index}"}\n`,
    );
    lines.push(`${STAMP} stderr F {"level":"error","msg":"payment refused"}\n`);
    writeFileSync(path.join(container, '0.log'), lines.join(''));
    running = await installation.start();
    await waitFor('26 lines', 20_000, async () => (await searchList(installation.baseUrl, '')).length === 26);
  });

  after(async () => {
    await running.kill();
    installation[Symbol.dispose]();
  });

  const search = (parameters: string): Promise<{ records: LogDocument[]; cursor: string | null }> =>
    getJson(`${installation.baseUrl}/api/v1/search?${parameters}`);

  const command = (...args: string[]): ReturnType<typeof runLogboom> =>
    runLogboom([...args, '--server', installation.baseUrl]);

  void test('documents carry where a record stood and whose it is', async () => {
    const [document] = await searchList(installation.baseUrl, 'refused');
    assert.equal(document?.['@timestamp'], STAMP);
    assert.equal(document.message, 'payment refused');
    assert.equal(document.stream, 'stderr');
    assert.match(document.event.id, /^[0-9a-f]{20}-[0-9a-f]{12}$/);
    assert.ok(document.log.offset > 0);
    assert.equal(document.log.file.path, path.join(installation.pods, POD, 'server/0.log'));
    assert.equal(document.kubernetes?.namespace, 'shop');
    assert.equal(document.kubernetes.pod?.name, 'cart-0');
    assert.equal(document.kubernetes.container?.name, 'server');
    assert.equal(typeof (document as { host?: { name?: unknown } }).host?.name, 'string');
  });

  void test('pages are connected by cursors, in both orders, without a gap or a repetition', async () => {
    for (const order of ['asc', 'desc'] as const) {
      const ids: string[] = [];
      for await (const { event } of searchAll(installation.baseUrl, '', { order, limit: 7 }))
        ids.push(event.id);
      assert.equal(new Set(ids).size, 26);
      assert.equal(ids.length, 26);
    }
  });

  void test('a search without parameters has the newest hundred of the last hour', async () => {
    assert.equal((await search('')).records.length, 26);
    assert.equal((await search('query=level:error')).records.length, 1);
    assert.equal((await search('query=namespace:shop%20not%20level:error&limit=10')).records.length, 10);
    assert.equal((await search('start=now-2h&end=now-1h')).records.length, 0);
  });

  void test('what a client gets wrong is answered with 400 and an explanation', async () => {
    for (const bad of [
      'limit=0',
      'limit=1001',
      'start=yesterday',
      'order=up',
      'cursor=nonsense',
      'query=message~"["',
    ]) {
      const response = await fetch(`${installation.baseUrl}/api/v1/search?${bad.replaceAll('"', '%22')}`);
      const body = (await response.json()) as { error?: { code?: unknown; message?: unknown } };
      if (bad.startsWith('query')) assert.ok(response.status < 500, bad);
      else {
        assert.equal(response.status, 400, bad);
        assert.equal(typeof body.error?.code, 'string', bad);
        assert.equal(typeof body.error?.message, 'string', bad);
      }
    }
    assert.equal(await statusOf(`${installation.baseUrl}/api/v1/nothing`), 404);
  });

  void test('a cursor belongs to its query, range and order', async () => {
    const { cursor } = await search('query=order&limit=5&order=asc');
    assert.ok(cursor !== null);
    const encoded = encodeURIComponent(cursor);
    assert.equal(
      await statusOf(`${installation.baseUrl}/api/v1/search?query=other&limit=5&order=asc&cursor=${encoded}`),
      400,
    );
  });

  void test('the export streams every match, oldest first', async () => {
    const messages: string[] = [];
    for await (const { message } of exportAll(installation.baseUrl, 'order')) messages.push(message);
    assert.deepEqual(
      messages,
      Array.from({ length: 25 }, (_, index) => `order ${index}`),
    );
  });

  void test('the histogram counts by time and field', async () => {
    const { buckets }: Histogram = await getJson(
      `${installation.baseUrl}/api/v1/histogram?query=&start=now-1h&end=now&buckets=10&by=level`,
    );
    assert.ok(buckets.length <= 11);
    const sum = (pick: (bucket: Histogram['buckets'][number]) => number): number =>
      buckets.reduce((total, bucket) => total + pick(bucket), 0);
    assert.equal(
      sum(({ count }) => count),
      26,
    );
    assert.equal(
      sum(({ by }) => by?.['error'] ?? 0),
      1,
    );
  });

  void test('health, metrics and the description of the API are served', async () => {
    assert.equal(await statusOf(`${installation.baseUrl}/healthz`), 200);
    assert.equal(await statusOf(`${installation.baseUrl}/readyz`), 200);
    const metrics = await (await fetch(`${installation.baseUrl}/metrics`)).text();
    assert.match(metrics, /^# TYPE logboom_agent_records_total counter$/m);
    const description = await getJson<{ paths: object }>(`${installation.baseUrl}/openapi.json`);
    assert.ok(Object.keys(description.paths).includes('/api/v1/search'));
  });

  void test('the live tail shows a line that was just written', async () => {
    const abort = new AbortController();
    const response = await fetch(`${installation.baseUrl}/api/v1/tail?query=livetail`, {
      signal: abort.signal,
    });
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    appendFileSync(path.join(installation.files, 'live.log'), 'livetail says hello\nsomething else\n');
    let text = '';
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    while (!text.includes('livetail says hello')) {
      const part = await reader?.read();
      assert.ok(part !== undefined && !part.done, `the stream goes on: ${text}`);
      text += part.value;
    }
    abort.abort();
    assert.ok(!text.includes('something else'));
  });

  void test('logboom search prints one document per line, oldest first', async () => {
    const { code, output, stdout } = await command(
      'search',
      'order',
      '--since',
      '1h',
      '--limit',
      '5',
      '--json',
    );
    assert.equal(code, 0, output);
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as LogDocument).message);
    assert.deepEqual(messages, ['order 20', 'order 21', 'order 22', 'order 23', 'order 24']);
  });

  void test('logboom tail prints lines as they come', async () => {
    await using tail = new LogboomProcess({
      args: ['tail', 'followed', '--json', '--server', installation.baseUrl],
    });
    await waitFor('the tail to print', 20_000, async () => {
      appendFileSync(path.join(installation.files, 'live.log'), 'followed\n');
      await sleep(200);
      return tail.stdout.includes('"followed"');
    });
  });

  void test('logboom export writes every match', async () => {
    const { code, output, stdout } = await command('export', 'order', '--format', 'ndjson');
    assert.equal(code, 0, output);
    assert.equal(stdout.trim().split('\n').length, 25);
  });

  void test('logboom audit ends with 0 when everything is there, once', async () => {
    let last = '';
    await waitFor('the audit to end with 0', 30_000, async () => {
      const { code, output } = await command('audit', '--json');
      last = `${code}: ${output}`;
      return code === 0;
    }).catch((error: unknown) => {
      throw new Error(last, { cause: error });
    });
  });

  void test('commands without a server say so, and how to start one', async () => {
    const { code, output } = await runLogboom(['search', 'x', '--server', 'http://127.0.0.1:9']);
    assert.equal(code, 111, output);
    assert.match(output, /127\.0\.0\.1:9/);
    assert.match(output, /logboom up/);
    const audit = await runLogboom(['audit', '--server', 'http://127.0.0.1:9']);
    assert.equal(audit.code, 2, audit.output);
  });

  void test('a pod that lives 200 ms is collected whole', async () => {
    for (let round = 0; round < 5; round += 1) {
      const pod = path.join(
        installation.pods,
        `shop_brief-${round}_3f2a6a1e-0d5c-4a6e-9c1b-6f1f0a7b2c3${round}`,
      );
      mkdirSync(path.join(pod, 'job'), { recursive: true });
      const lines = Array.from({ length: 200 }, (_, index) => `${STAMP} stdout F brief ${round} ${index}\n`);
      writeFileSync(path.join(pod, 'job/0.log'), lines.slice(0, 100).join(''));
      await sleep(150);
      appendFileSync(path.join(pod, 'job/0.log'), lines.slice(100).join(''));
      await sleep(50);
      rmSync(pod, { recursive: true });
    }
    await waitFor(
      '1000 lines',
      20_000,
      async () => (await searchList(installation.baseUrl, 'brief')).length === 1000,
    );
  });
});
