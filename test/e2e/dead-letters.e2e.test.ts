/** Dead letters with real processes: a document that ends the process, and one that a real engine refuses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { AuditAnswer, DeadLettersAnswer } from '../../src/api/api-types.ts';
import type { JavaService } from '../services/java-service.ts';
import { javaSkipReason } from '../services/maven.ts';
import { startOpenSearch } from '../services/opensearch.ts';
import { findFreePort, LogboomProcess, runLogboom, waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** More starts than it may take to find the document. */
const STARTS_MAX = 10;

const SEEN_MS_MAX = 60_000;

void test('a document that really ends the process is given up after a few starts, and everything else is stored', () => {
  using directory = new TemporaryDirectory('poison');
  const notes = directory.join('indexer');
  for (let start = 1; start <= STARTS_MAX; start++) {
    const script = path.join(import.meta.dirname, 'aborting-indexer.ts');
    const { signal, stdout, stderr } = spawnSync(process.execPath, [script, notes], {
      cwd: directory.path,
      encoding: 'utf8',
    });
    if (signal === 'SIGABRT') continue;
    assert.deepEqual(
      JSON.parse(stdout),
      { records: 50, letters: [{ offset: 33, type: 'process_crash' }] },
      stderr,
    );
    assert.ok(start > 3, `it was given up at start ${start}, which may be anybody's fault`);
    assert.equal(existsSync(path.join(notes, 'running.json')), false);
    return;
  }
  assert.fail('the document was never given up');
});

void describe('one process against OpenSearch', { skip: javaSkipReason() ?? false }, () => {
  const directory = new TemporaryDirectory('dead-letters');
  const logFile = directory.join('logs/shop/cart/cart-0/log/app.log');
  const configFile = directory.join('logboom.yaml');
  let engine: JavaService;
  let program: LogboomProcess;
  let server: string;

  const restart = async (pipelines: string): Promise<void> => {
    const sources = `sources:\n  - { kind: apps, root: ${directory.join('logs')} }\n`;
    writeFileSync(configFile, `${sources}agent: { ledgerMs: 500ms }\nindexer:\n  pipelines: ${pipelines}\n`);
    if (program !== undefined) assert.equal((await program.stop()).code, 0);
    const args = ['up', '--config', configFile, '--data', directory.join('data')];
    program = new LogboomProcess({ args: [...args, '--elasticsearch', engine.url, '--listen', server] });
    await program.waitUntilReady(`http://${server}`);
  };
  const json = async <T>(...args: string[]): Promise<T> => {
    const { stdout, output } = await runLogboom([...args, '--json', '--server', server]);
    assert.ok(stdout.startsWith('{'), output);
    return JSON.parse(stdout) as T;
  };
  const audit = (): Promise<AuditAnswer> => json('audit', '--wait', '30s');
  const ask = async (method: string, url: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${engine.url}/${url}`, { method, headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };

  before(async () => {
    engine = await startOpenSearch();
    server = `127.0.0.1:${await findFreePort()}`;
    mkdirSync(path.dirname(logFile), { recursive: true });
    const lines = Array.from({ length: 20 }, (_, index) => `order ${index}\n`);
    const poison = (user: string): string =>
      `{"ecs":{"version":"8.11.0"},"message":"poison","http":{"request":"${user}"}}\n`;
    const absurd = '{"ecs":{"version":"8.11.0"},"message":"absurd","http":{"response":"nobody"}}\n';
    const refused = [poison('alice'), poison('bob'), absurd];
    writeFileSync(logFile, [...lines.slice(0, 10), ...refused, ...lines.slice(10)].join(''));
    await restart('[]');
  });

  after(async () => {
    await program?.kill();
    await engine?.[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  void test('what the engine refuses outlives the process, is accounted for, and is found after a replay', async () => {
    await waitFor(
      'the dead letters',
      SEEN_MS_MAX,
      async () => (await json<DeadLettersAnswer>('replay')).letters === 3,
    );
    const refused = await audit();
    assert.deepEqual([refused.verdict, refused.records, refused.deadLettered], ['accounted', 23, 3]);
    const { groups } = await json<DeadLettersAnswer>('replay');
    assert.deepEqual(
      groups.map(({ type, count }) => [type, count]),
      [
        ['mapper_parsing_exception', 2],
        ['mapper_parsing_exception', 1],
      ],
      JSON.stringify(groups),
    );
    const [users, clients] = groups.map(({ id }) => id ?? '');
    const listed = await runLogboom(['replay', 'list', '--group', users ?? '', '--json', '--server', server]);
    assert.equal(listed.stdout.trimEnd().split('\n').length, 2, listed.output);
    const again = await runLogboom(['replay', 'run', '--group', clients ?? '', '--server', server]);
    assert.equal(again.code, 1);
    assert.match(
      again.output,
      /1 dead letter replayed: 0 stored, 1 refused again\.\n.*mapper_parsing_exception/,
    );
    const steps = '[{ kind: json }, { kind: rename, from: http.request, to: request }]';
    await restart(`[{ name: cart, match: { app: cart }, steps: ${steps} }]`);
    const mended = await runLogboom(['replay', 'run', '--group', users ?? '', '--server', server]);
    assert.equal(mended.code, 0, mended.output);
    assert.match(mended.output, /2 dead letters replayed: 2 stored/);
    const stored = await audit();
    assert.deepEqual(
      [stored.verdict, stored.records, stored.deadLettered, stored.missing],
      ['accounted', 23, 1, 0],
    );
    const discard = ['replay', 'discard', '--query', 'absurd', '--yes', '--server', server];
    assert.match((await runLogboom(discard)).output, /Discarded 1 dead letter\./);
    const given = await audit();
    assert.deepEqual(
      [given.verdict, given.deadLettered, given.droppedByPipeline, given.missing],
      ['accounted', 0, 1, 0],
    );
  });

  void test('a loss and a duplicate that somebody planted in the engine are found', async () => {
    const query = { match_phrase: { message: 'order 3' } };
    const found = (await ask('POST', 'logboom-shop-*/_search', { query })) as {
      hits: { hits: { _id: string; _index: string; _source: object }[] };
    };
    const hit = found.hits.hits.find(({ _source }) => JSON.stringify(_source).includes('"order 3"'));
    assert.ok(hit !== undefined);
    await ask('PUT', `logboom-shop-2020.01.01/_create/${hit._id}?refresh=true`, hit._source);
    const twice = await audit();
    assert.deepEqual([twice.verdict, twice.twice, twice.missing], ['discrepancy', 1, 0]);
    await ask('DELETE', `logboom-shop-2020.01.01/_doc/${hit._id}?refresh=true`, {});
    await ask('DELETE', `${hit._index}/_doc/${hit._id}?refresh=true`, {});
    const lost = await audit();
    assert.deepEqual([lost.verdict, lost.twice, lost.missing], ['discrepancy', 0, 1]);
  });
});
