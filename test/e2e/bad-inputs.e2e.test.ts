/** What goes wrong on real machines: each hurts only what it touches, is told in words, and mends itself if it can. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { getJson, searchList } from './api-client.ts';
import { Installation } from './installation.ts';
import { statusOf, waitFor } from './logboom-process.ts';

/** Appended lines are searchable within 2 s at normal load; tests share their machine. */
const VISIBLE_MS_MAX = 20_000;

async function waitForLines(installation: Installation, query: string, count: number): Promise<void> {
  await waitFor(`${count} lines of ${query}`, VISIBLE_MS_MAX, async () => {
    return (await searchList(installation.baseUrl, query)).length >= count;
  });
  assert.equal(
    (await searchList(installation.baseUrl, query)).length,
    count,
    'not more lines than were written',
  );
}

function listFiles(directory: string, ending: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(directory, name));
}

void test('a line is found, and SIGTERM drains and ends with 0', async () => {
  using installation = await Installation.create();
  await using first = await installation.start();
  const file = path.join(installation.files, 'app.log');
  writeFileSync(file, 'alpha one\nalpha two\n');
  await waitForLines(installation, 'alpha', 2);
  appendFileSync(file, 'alpha three\n');
  const exit = await first.stop();
  assert.deepEqual(exit, { code: 0, signal: null }, first.output);
  await using second = await installation.start();
  await waitForLines(installation, 'alpha', 3);
  assert.equal((await second.stop()).code, 0, second.output);
});

void test('a port in use ends with 111 and names the address and the option', async () => {
  using installation = await Installation.create();
  const squatter = createServer();
  await new Promise<void>((resolve) => void squatter.listen(installation.port, '127.0.0.1', resolve));
  try {
    await using child = installation.launch();
    assert.equal((await child.exited).code, 111, child.output);
    assert.match(child.output, new RegExp(`127\\.0\\.0\\.1:${installation.port}`));
    assert.match(child.output, /--listen/);
  } finally {
    squatter.close();
  }
});

void test('a second process on the same data directory ends with 111 and names the directory', async () => {
  using installation = await Installation.create();
  await using first = await installation.start();
  await using second = installation.launch();
  assert.equal((await second.exited).code, 111, second.output);
  assert.ok(second.output.includes(installation.data), second.output);
  assert.equal(await statusOf(`${installation.baseUrl}/readyz`), 200, first.output);
});

void test('a corrupt segment is set aside, and the rest is served', async () => {
  using installation = await Installation.create({ extra: 'store: { journalAgeMsMax: 500 }' });
  const file = path.join(installation.files, 'app.log');
  await using first = await installation.start();
  writeFileSync(file, 'early one\nearly two\n');
  await waitForLines(installation, 'early', 2);
  await waitFor('a segment', VISIBLE_MS_MAX, () => listFiles(installation.data, '.parquet').length > 0);
  await first.stop();
  const [segment = ''] = listFiles(installation.data, '.parquet');
  const bytes = readFileSync(segment);
  writeFileSync(segment, bytes.fill(0x55, 4, bytes.length - 4));
  appendFileSync(file, 'late one\n');
  await using second = await installation.start();
  await waitForLines(installation, 'late', 1);
  await waitFor('the segment to be set aside', VISIBLE_MS_MAX, async () => {
    await searchList(installation.baseUrl, 'early');
    const stats = await getJson<{ quarantined: { path: string; reason: string }[] }>(
      `${installation.baseUrl}/api/v1/stats`,
    );
    return stats.quarantined.length === 1;
  });
  const { ready, warnings } = await getJson<{ ready: boolean; warnings: { part: string; reason: string }[] }>(
    `${installation.baseUrl}/readyz`,
  );
  assert.equal(ready, true, 'the rest is served');
  assert.equal(warnings[0]?.part, 'store');
  assert.match(warnings[0].reason, /cannot be read and were set aside: 1;/);
  assert.ok(!second.hasExited, second.output);
});

void test('a corrupt checkpoint journal costs no line and shows none twice', async () => {
  using installation = await Installation.create();
  const file = path.join(installation.files, 'app.log');
  writeFileSync(file, Array.from({ length: 500 }, (_, index) => `check ${index}\n`).join(''));
  await using first = await installation.start();
  await waitForLines(installation, 'check', 500);
  await first.stop();
  const journals = listFiles(installation.data, '').filter(
    (name) => /checkpoint/i.test(name) && isFile(name),
  );
  assert.ok(journals.length > 0, 'there is a checkpoint journal');
  for (const journal of journals) writeFileSync(journal, readFileSync(journal).fill(0xff, 20));
  appendFileSync(file, 'check 500\n');
  await using second = await installation.start();
  await waitForLines(installation, 'check', 501);
  assert.ok(!second.hasExited, second.output);
});

void test('a line of 100 MB is cut, with its length recorded, and memory stays bounded', async () => {
  using installation = await Installation.create();
  await using running = await installation.start();
  const file = path.join(installation.files, 'huge.log');
  const fd = openSync(file, 'a');
  const block = Buffer.alloc(1024 * 1024, 'x');
  writeSync(fd, 'huge before\nhuge ');
  for (let index = 0; index < 100; index += 1) writeSync(fd, block);
  writeSync(fd, '\nhuge after\n');
  closeSync(fd);
  await waitForLines(installation, 'huge', 3);
  const documents = await searchList(installation.baseUrl, 'huge');
  const cut = documents.find(({ message }) => message.startsWith('huge x'));
  assert.equal(cut?.log.original_length, 100 * 1024 * 1024 + 'huge '.length);
  assert.ok(cut.log.flags?.includes('truncated'));
  assert.ok(cut.message.length <= 1024 * 1024, 'the line is cut at lineBytesMax');
  assert.ok(peakMemoryBytes(running.pid) < 700 * 1024 * 1024, `peak memory ${peakMemoryBytes(running.pid)}`);
});

void test('a root that is missing is a warning, and is collected when it appears', async () => {
  using installation = await Installation.create();
  const late = installation.directory.join('late');
  const config = readFileSync(installation.configFile, 'utf8').replace(installation.apps, late);
  writeFileSync(installation.configFile, config);
  await using running = await installation.start();
  mkdirSync(path.join(late, 'shop/cart/cart-0/log'), { recursive: true });
  writeFileSync(path.join(late, 'shop/cart/cart-0/log/app.log'), 'appeared\n');
  await waitForLines(installation, 'appeared', 1);
  const [document] = await searchList(installation.baseUrl, 'namespace:shop appeared');
  assert.equal(document?.kubernetes?.pod?.name, 'cart-0', running.output);
});

void test('an unknown option is refused with a suggestion before anything starts', async () => {
  using installation = await Installation.create({ extra: 'stoer: { kind: embedded }' });
  await using child = installation.launch();
  assert.equal((await child.exited).code, 100, child.output);
  assert.match(child.output, /stoer/);
  assert.match(child.output, /store/);
});

/** Highest resident memory of a process so far, from proc(5). */
function peakMemoryBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

function isFile(name: string): boolean {
  try {
    readFileSync(name);
    return true;
  } catch {
    return false;
  }
}
