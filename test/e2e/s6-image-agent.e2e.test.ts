/** The agent collects what containers of the S6 base image write, through rotation and while it is away. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportAll, type LogDocument, searchList } from './api-client.ts';
import { Installation } from './installation.ts';
import { runLogboom, waitFor } from './logboom-process.ts';
import { Container } from './s6-container.ts';
import { assembleRoot, findContainerObstacle } from './s6-image-root.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const WRITTEN = 12_000;
const LONG_BYTES = 20_000;

void test(
  'each line of a container is found once, under its names and stream, also when the agent was killed',
  {
    skip: findContainerObstacle() ?? false,
  },
  async () => {
    using directory = new TemporaryDirectory('s6-agent');
    const root = directory.join('root');
    assembleRoot(root, 'dash');
    using installation = await Installation.create();
    // As with subPathExpr: the container sees the directory of its pod alone.
    const log = path.join(installation.apps, 'shop/web/web-0/log');
    mkdirSync(log, { recursive: true });
    const first = await installation.start();
    const command = `writer ${WRITTEN} ${WRITTEN / 2} 3; busybox head -c ${LONG_BYTES} /dev/zero | busybox tr '\\0' x`;
    await using container = new Container({
      root,
      state: directory.join('runtime'),
      command: ['logboom-run', 'sh', '-c', command],
      volumes: { '/log': log },
      environment: {
        LOGBOOM_NAMESPACE: 'shop',
        LOGBOOM_APP: 'web',
        LOGBOOM_CONTAINER: 'front',
        LOGBOOM_LOG_DIRECTORY: '/log',
        LOGBOOM_FILE_BYTES: '64KiB',
        LOGBOOM_FILES: '1000',
      },
    });
    await waitFor(
      'the first lines',
      20_000,
      async () => (await searchList(installation.baseUrl, 'err')).length > 0,
    );
    await first.kill();
    assert.equal(await container.exited, 0, container.stderr);
    const archives = readdirSync(path.join(log, 'front/stdout')).filter((name) => name.startsWith('@'));
    assert.ok(archives.length > 5, 'the files were rotated');

    await using second = await installation.start();
    await waitFor(
      'the last line',
      30_000,
      async () => (await searchList(installation.baseUrl, 'xxxx')).length > 0,
    );
    await sleep(1000);
    const messages: Record<string, string[]> = {};
    const places = new Set<string>();
    for await (const document of exportAll(installation.baseUrl, '*')) {
      (messages[document.stream] ??= []).push(document.message);
      places.add(placeOf(document, log));
    }
    assert.deepEqual([...places].toSorted(), [
      'shop web-0 front stderr: front/stderr',
      'shop web-0 front stdout: front/stdout',
    ]);
    const tail = ' the quick brown fox jumps over the lazy dog, again and again and again';
    const numbers = Array.from({ length: WRITTEN }, (_, index) => index);
    assert.deepEqual(
      messages['stderr'],
      numbers.map((index) => `err ${index}`),
    );
    assert.deepEqual(messages['stdout'], [
      ...numbers.map((index) => `out ${index}${tail}`),
      'x'.repeat(LONG_BYTES),
    ]);
    const audit = await runLogboom(['audit', '--json', '--server', installation.baseUrl]);
    assert.equal(audit.code, 0, audit.output);
    const explained = await runLogboom([
      'explain',
      path.join(log, 'front/stderr/current'),
      '--config',
      installation.configFile,
    ]);
    assert.match(explained.stdout, /stream: stderr/);
    assert.match(explained.stdout, /kubernetes\.container\.name: front\n/);
    assert.equal((await second.stop()).code, 0, second.output);
  },
);

/** The names of a record, and the s6 directory that it was read in. */
function placeOf({ kubernetes, stream, log: { file } }: LogDocument, log: string): string {
  const names = [kubernetes?.namespace, kubernetes?.pod?.name, kubernetes?.container?.name, stream];
  return `${names.join(' ')}: ${path.relative(log, path.dirname(file.path))}`;
}
