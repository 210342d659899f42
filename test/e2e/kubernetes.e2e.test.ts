/**
 * Labels of pods through the whole program: an agent in a process of its own against an API server. With
 * LOGBOOM_E2E_KUBECONFIG it is a real one; the account of that file must be allowed to make a namespace and pods.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { FakeCluster, RealCluster, type TestCluster } from '../services/kubernetes.ts';
import { searchList } from './api-client.ts';
import { findFreePort, LogboomProcess, runLogboom, waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const FOUND_MS_MAX = 20_000;

const REAL_KUBECONFIG = process.env['LOGBOOM_E2E_KUBECONFIG'];

/** Only the long suite asks for a real cluster. */
const isRealWanted = REAL_KUBECONFIG !== undefined || process.env['LOGBOOM_E2E_KUBERNETES'] === '1';

class Scene {
  readonly directory: TemporaryDirectory;
  readonly cluster: TestCluster;
  readonly configFile: string;
  #port = 0;

  constructor(directory: TemporaryDirectory, cluster: TestCluster) {
    this.directory = directory;
    this.cluster = cluster;
    this.configFile = directory.join('logboom.yaml');
    for (const name of ['pods', 'logs']) mkdirSync(directory.join(name));
    writeFileSync(
      this.configFile,
      [
        `data: ${directory.join('data')}`,
        `kubernetes: { enabled: true, kubeconfig: ${cluster.kubeconfig}, node: ${cluster.node} }`,
        'sources:',
        `  - { kind: apps, root: ${directory.join('logs')} }`,
        `  - { kind: pods, root: ${directory.join('pods')} }`,
        'rotate:',
        '  - { match: { labels: { app: shop } }, size: 64KiB }',
        '  - { match: { labels: { app: web } }, size: 8MiB }',
      ].join('\n'),
    );
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<LogboomProcess> {
    this.#port = await findFreePort();
    const args = ['up', '--config', this.configFile, '--listen', `127.0.0.1:${this.#port}`];
    const child = new LogboomProcess({ args });
    await child.waitUntilReady(this.baseUrl);
    return child;
  }

  /** Writes a line as the container runtime does, and one as the application does past it. */
  write(pod: string, uid: string, text: string): void {
    const { namespace } = this.cluster;
    const runtime = this.directory.join('pods', `${namespace}_${pod}_${uid}`, 'app');
    const own = this.directory.join('logs', namespace, 'web', pod, 'log');
    for (const directory of [runtime, own]) mkdirSync(directory, { recursive: true });
    appendFileSync(`${runtime}/0.log`, `${new Date().toISOString()} stdout F ${text}\n`);
    appendFileSync(`${own}/app.log`, `${text}\n`);
  }

  /** Waits for both records of a text, and requires that they have this label. */
  async expect(text: string, label: string): Promise<void> {
    await waitFor(`both records of ${text}`, FOUND_MS_MAX, async () => (await this.#find(text)).length === 2);
    const labels = (await this.#find(text)).map(({ kubernetes }) => (kubernetes as Labelled).labels?.['app']);
    assert.deepEqual(labels, [label, label], text);
  }

  policyOf(pod: string): string | undefined {
    try {
      const { groups } = JSON.parse(
        readFileSync(this.directory.join('data/agent/rotate.json'), 'utf8'),
      ) as Status;
      return groups.find(({ path }) => path.includes(`/${pod}/`))?.policy;
    } catch {
      return undefined;
    }
  }

  #find(text: string) {
    return searchList(this.baseUrl, `"${text}"`);
  }
}

interface Labelled {
  readonly labels?: Readonly<Record<string, string>>;
}

interface Status {
  readonly groups: readonly { readonly path: string; readonly policy: string }[];
}

async function followLabels(directory: TemporaryDirectory, cluster: TestCluster): Promise<void> {
  const scene = new Scene(directory, cluster);
  const uid = await cluster.create('web-1', { app: 'web' });
  scene.write('web-1', uid, 'first of web');
  {
    await using child = await scene.start();
    await scene.expect('first of web', 'web');
    await waitFor('the policy', FOUND_MS_MAX, () => scene.policyOf('web-1') === 'rotate[1]');

    await cluster.label('web-1', { app: 'shop' });
    await waitFor('the other policy', FOUND_MS_MAX, () => scene.policyOf('web-1') === 'rotate[0]');
    scene.write('web-1', uid, 'second of web');
    await scene.expect('second of web', 'shop');
    const { output } = await runLogboom(['rotate', '--dry-run', '--config', scene.configFile]);
    assert.match(output, /rotate\[0\] is the first that fits, by label app=shop/);

    const late = await cluster.create('web-2', { app: 'late' });
    scene.write('web-2', late, 'first of late');
    await scene.expect('first of late', 'late');

    // A pod that is deleted while its last lines are unread.
    child.signal('SIGSTOP');
    scene.write('web-2', late, 'last of late');
    await cluster.remove('web-2');
    child.signal('SIGCONT');
    await scene.expect('last of late', 'late');
    assert.equal((await child.stop()).code, 0, child.output);
  }
  // And one that is deleted while no agent runs.
  scene.write('web-1', uid, 'last of web');
  await cluster.remove('web-1');
  await using child = await scene.start();
  await scene.expect('last of web', 'shop');
  const { output } = await runLogboom(['doctor', '--config', scene.configFile]);
  assert.match(output, /kubernetes +.* has no pod on a node named/);
  assert.equal((await child.stop()).code, 0, child.output);
}

void test('labels of pods are in records and choose policies, also those of pods that are deleted', async () => {
  using directory = new TemporaryDirectory('kubernetes');
  await using cluster = new FakeCluster(directory.join('kubeconfig'));
  await cluster.start();
  await followLabels(directory, cluster);
});

void test('records flow while the API refuses, and have labels as soon as it does not', async () => {
  using directory = new TemporaryDirectory('kubernetes');
  await using cluster = new FakeCluster(directory.join('kubeconfig'));
  cluster.api.token = 'second';
  await cluster.start('first');
  const scene = new Scene(directory, cluster);
  writeFileSync(
    scene.configFile,
    readFileSync(scene.configFile, 'utf8').replace('enabled: true', 'enabled: auto'),
  );
  const uid = await cluster.create('web-1', { app: 'web' });
  scene.write('web-1', uid, 'first of web');
  await using child = await scene.start();
  await waitFor('the first records', FOUND_MS_MAX, async () => {
    return (await searchList(scene.baseUrl, '"first of web" not kubernetes.labels.app:*')).length === 2;
  });
  assert.match(child.output, /HTTP 401/);
  const { code, output } = await runLogboom(['doctor', '--config', scene.configFile]);
  assert.notEqual(code, 0);
  assert.match(output, /HTTP 401/);
  cluster.writeKubeconfig(`http://127.0.0.1:${cluster.api.port}`, 'second');
  await waitFor('the API to answer', FOUND_MS_MAX, () => cluster.api.watchCount === 1);
  scene.write('web-1', uid, 'second of web');
  await scene.expect('second of web', 'web');
  assert.equal((await child.stop()).code, 0, child.output);
});

if (isRealWanted) {
  const reason = 'LOGBOOM_E2E_KUBECONFIG names no kubeconfig of a cluster';
  void describe('a real API server', { skip: REAL_KUBECONFIG === undefined ? reason : false }, () => {
    void test('labels are in records and choose policies, also those of pods that are deleted', async () => {
      using directory = new TemporaryDirectory('kubernetes');
      await using cluster = new RealCluster(REAL_KUBECONFIG ?? '');
      await cluster.start();
      await followLabels(directory, cluster);
    });
  });
}
