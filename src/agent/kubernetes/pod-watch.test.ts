/** The watch against an API server of our own over real HTTP, in virtual time: every fault, and none of them for long. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MemoryFileSystem } from '../../base/memory-file-system.ts';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import { createKubernetesApi } from './kubernetes-api.ts';
import { PodWatch } from './pod-watch.ts';
import { podsPathOf } from './pods-file.ts';
import { answerStatus, FakeKubernetes, hang } from './testing/fake-kubernetes.ts';

const WAIT_MS_MAX = 2000;

/** Longer than any pause or patience of the watch. */
const LONG_MS = 400_000;

class Scene {
  readonly api = new FakeKubernetes();
  readonly scheduler = new VirtualScheduler();
  readonly telemetry = new MemoryTelemetry();
  readonly fileSystem = new MemoryFileSystem({ nowNs: () => this.scheduler.nowNs() });
  token: string | undefined;
  isRequired = false;
  #watch: PodWatch | undefined;
  #server = '';

  constructor(context: TestContext) {
    context.after(() => this.close());
  }

  get watch(): PodWatch {
    assert.ok(this.#watch !== undefined);
    return this.#watch;
  }

  async start(): Promise<void> {
    this.#server = await this.api.start();
    this.startWatch();
  }

  startWatch(): void {
    const { scheduler, telemetry, fileSystem, isRequired } = this;
    const access = {
      ca: undefined,
      certificate: undefined,
      key: undefined,
      isVerified: true,
      serverName: undefined,
    };
    const api = createKubernetesApi(() => ({ ...access, server: this.#server, token: this.token }));
    this.#watch = new PodWatch({
      openApi: () => Promise.resolve(api),
      node: 'node-1',
      data: '/data',
      waitMsMax: WAIT_MS_MAX,
      isRequired,
      fileSystem,
      scheduler,
      telemetry,
    });
    void this.#watch.run();
  }

  /** Lets real requests and virtual time go on until something holds. */
  async until(what: string, holds: () => boolean, stepMs = 20): Promise<void> {
    for (let ms = 0; ms < LONG_MS; ms += stepMs) {
      if (holds()) return;
      await this.scheduler.advance(stepMs);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.fail(`never: ${what}`);
  }

  labelOf(uid: string): string | undefined {
    return this.watch.find({ podUid: uid })?.labels['app'];
  }

  untilLabel(uid: string, label: string | undefined): Promise<void> {
    return this.until(`${uid} is ${label}`, () => this.labelOf(uid) === label);
  }

  untilWatching(): Promise<void> {
    return this.until('it is watched', () => this.api.watchCount === 1);
  }

  count(kind: 'list' | 'watch'): number {
    return this.api.requests.filter((request) => request.kind === kind).length;
  }

  async stopWatch(): Promise<void> {
    let isStopped = false;
    const stopped = this.watch.stop().then(() => (isStopped = true));
    await this.until('it stops', () => isStopped);
    await stopped;
  }

  async close(): Promise<void> {
    if (this.#watch !== undefined) await this.stopWatch();
    await this.api.stop();
  }
}

const shop = (uid: string, app: string) => ({ uid, name: `pod-${uid}`, labels: { app } });

void test('pods of the node are listed, and each change is told', async (context) => {
  const scene = new Scene(context);
  scene.api.put(shop('u1', 'web'));
  await scene.start();
  await scene.untilLabel('u1', 'web');
  await scene.untilWatching();
  const [list, watch] = scene.api.requests;
  assert.equal(list?.query.get('fieldSelector'), 'spec.nodeName=node-1');
  assert.equal(watch?.query.get('fieldSelector'), 'spec.nodeName=node-1');
  assert.equal(watch.query.get('allowWatchBookmarks'), 'true');
  let changes = 0;
  scene.watch.onChange(() => (changes += 1));
  scene.api.put(shop('u1', 'shop'));
  scene.api.put(shop('u2', 'db'));
  await scene.untilLabel('u1', 'shop');
  await scene.untilLabel('u2', 'db');
  assert.ok(changes > 0);
  scene.api.delete('u1');
  await scene.until(
    'u1 is gone',
    () => scene.telemetry.valueOf('logboom_kubernetes_pods', { state: 'gone' }) === 1,
  );
  assert.equal(scene.labelOf('u1'), 'shop', 'its files are still read');
  scene.watch.noteFollowed([{ podUid: 'u1' }]);
  await scene.scheduler.advance(130_000);
  scene.watch.noteFollowed([{ podUid: 'u1' }]);
  assert.equal(scene.labelOf('u1'), 'shop');
  scene.watch.noteFollowed([]);
  assert.equal(scene.labelOf('u1'), undefined, 'nobody needs it any more');
});

void test('after a watch ends, or is cut in the middle of an event, it goes on from the last version', async (context) => {
  const scene = new Scene(context);
  scene.api.put(shop('u1', 'web'));
  await scene.start();
  await scene.untilWatching();
  scene.api.emit({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '77' } } });
  await scene.until(
    'the bookmark is counted',
    () => scene.telemetry.valueOf('logboom_kubernetes_watch_events_total', { type: 'BOOKMARK' }) === 1,
  );
  scene.api.endWatches();
  await scene.until('a second watch', () => scene.count('watch') === 2);
  await scene.untilWatching();
  assert.equal(scene.api.requests.at(-1)?.query.get('resourceVersion'), '77');
  scene.api.write('{"type":"MODIFIED","object":{"metadata":{"uid":"u1","na');
  scene.api.endWatches('cut');
  await scene.until('a third watch', () => scene.count('watch') === 3);
  await scene.untilWatching();
  scene.api.write('{"type":"MODIFIED","object":{"metadata":{"uid":"u1","na');
  scene.api.endWatches('ended');
  await scene.until('a fourth watch', () => scene.count('watch') === 4);
  await scene.untilWatching();
  assert.equal(scene.count('list'), 1);
  scene.api.put(shop('u1', 'later'));
  await scene.untilLabel('u1', 'later');
});

void test('410 Gone, in the stream or as the answer, leads to a new list, and who is not in it is gone', async (context) => {
  const scene = new Scene(context);
  scene.api.put(shop('u1', 'web'));
  scene.api.put(shop('u2', 'db'));
  await scene.start();
  await scene.untilWatching();
  scene.api.deleteSilently('u2');
  scene.api.emit({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  await scene.until('a second list', () => scene.count('list') === 2);
  await scene.until(
    'u2 is gone',
    () => scene.telemetry.valueOf('logboom_kubernetes_pods', { state: 'gone' }) === 1,
  );
  await scene.untilWatching();
  scene.api.faults.push({ kind: 'watch', fault: answerStatus(410, 'too old resource version') });
  scene.api.endWatches();
  await scene.until('a third list', () => scene.count('list') === 3);
  await scene.untilWatching();
  assert.equal(scene.labelOf('u1'), 'web');
});

void test('a server that takes a request and does not answer, or a watch that says nothing, is asked anew', async (context) => {
  const scene = new Scene(context);
  scene.api.faults.push({ kind: 'list', fault: hang });
  scene.api.put(shop('u1', 'web'));
  await scene.start();
  await scene.untilLabel('u1', 'web');
  assert.equal(scene.count('list'), 2);
  assert.ok(scene.telemetry.lines.some(({ text }) => /does not answer/.test(text)));
  await scene.untilWatching();
  await scene.until('a second watch', () => scene.count('watch') === 2, 1000);
});

void test('what is no JSON, no event or no list is said once, tried again, and takes nothing away', async (context) => {
  const scene = new Scene(context);
  scene.api.put(shop('u1', 'web'));
  const text = '{"kind":"PodList","items":[{"metadata":';
  scene.api.faults.push({ kind: 'list', fault: (response) => response.end(text) });
  scene.api.faults.push({ kind: 'list', fault: (response) => response.end('{"kind":"Ingress"}') });
  await scene.start();
  await scene.untilLabel('u1', 'web');
  assert.equal(scene.count('list'), 3);
  for (const line of [
    'nonsense\n',
    '{"type":"PARTY"}\n',
    '7\n',
    '\n{"type":"ADDED","object":{"metadata":{}}}\n',
  ]) {
    await scene.untilWatching();
    scene.api.write(line);
    scene.api.put(shop('u1', `after ${line}`));
    if (line.startsWith('\n')) await scene.untilLabel('u1', `after ${line}`);
    else await scene.until('a new watch', () => scene.api.watchCount === 0);
  }
  assert.ok(
    scene.telemetry.lines.every(({ text: said }) => !said.includes('nonsense')),
    'what was sent is not repeated',
  );
});

void test('a token that is refused is read anew, and labels come as soon as it is right', async (context) => {
  const scene = new Scene(context);
  scene.api.token = 'second';
  scene.token = 'first';
  scene.api.put(shop('u1', 'web'));
  await scene.start();
  await scene.until('it is refused', () => scene.telemetry.lines.some(({ text }) => /HTTP 401/.test(text)));
  assert.equal(
    scene.watch.shouldWait({ podUid: 'u1' }, scene.scheduler.monotonicMs()),
    false,
    'nobody waits for it',
  );
  scene.token = 'second';
  await scene.untilLabel('u1', 'web');
  assert.ok(scene.telemetry.lines.some(({ event }) => event === 'kubernetes_back'));
});

void test('without the right, the rule that is missing is named, once, and /readyz says so where labels are required', async (context) => {
  const scene = new Scene(context);
  scene.isRequired = true;
  const message = 'pods is forbidden: User "x" cannot list resource "pods"';
  for (let time = 0; time < 4; time += 1) {
    scene.api.faults.push({ kind: 'list', fault: answerStatus(403, message) });
  }
  await scene.start();
  await scene.until('it was asked four times', () => scene.count('list') >= 4);
  const said = scene.telemetry.lines.filter(({ event }) => event === 'kubernetes_away');
  assert.equal(said.length, 1);
  assert.match(
    said[0]?.text ?? '',
    /is forbidden.*apiGroups: \[""\], resources: \[pods\], verbs: \[list, watch\]/,
  );
  assert.match(scene.watch.problem() ?? '', /HTTP 403/);
  await scene.untilWatching();
  assert.equal(scene.watch.problem(), undefined);
});

void test('a server that is too busy is asked again when it wishes', async (context) => {
  const scene = new Scene(context);
  scene.api.faults.push({ kind: 'list', fault: answerStatus(429, 'slow down', { 'retry-after': '7' }) });
  const startMs = scene.scheduler.monotonicMs();
  await scene.start();
  await scene.untilWatching();
  assert.ok(scene.scheduler.monotonicMs() - startMs >= 7000);
});

void test('first records wait for a pod that may still be told of, for no longer, and for nothing else', async (context) => {
  const scene = new Scene(context);
  scene.api.faults.push({ kind: 'list', fault: hang });
  await scene.start();
  const foundMs = scene.scheduler.monotonicMs();
  const names = { namespace: 'shop', pod: 'pod-u1', podUid: 'u1' };
  assert.equal(scene.watch.shouldWait(names, foundMs), true);
  assert.equal(scene.watch.shouldWait({}, foundMs), false, 'it is of no pod');
  await scene.scheduler.advance(WAIT_MS_MAX);
  assert.equal(scene.watch.shouldWait(names, foundMs), false, 'it has waited long enough');
  await scene.untilWatching();
  const later = scene.scheduler.monotonicMs();
  assert.equal(scene.watch.shouldWait(names, foundMs), false, 'the list would have had it');
  assert.equal(scene.watch.shouldWait(names, later), true, 'it may have been made since');
  scene.api.put(shop('u1', 'web'));
  await scene.untilLabel('u1', 'web');
  assert.equal(scene.watch.shouldWait(names, later), false);
});

void test('while the API is away, and after a restart, what was known stays', async (context) => {
  const scene = new Scene(context);
  scene.api.put(shop('u1', 'web'));
  await scene.start();
  await scene.untilWatching();
  const { port } = scene.api;
  await scene.api.stop();
  await scene.until('it is away', () => scene.telemetry.valueOf('logboom_kubernetes_up') === 0);
  assert.equal(scene.labelOf('u1'), 'web');
  assert.equal(scene.watch.shouldWait({ podUid: 'u2' }, scene.scheduler.monotonicMs()), false);
  assert.equal(scene.watch.problem(), undefined, 'labels are not required');
  await scene.stopWatch();
  scene.startWatch();
  assert.equal(scene.labelOf('u1'), 'web');
  await scene.api.start(port);
  await scene.untilWatching();
  assert.equal(scene.labelOf('u1'), 'web');
});

void test('a file of pods that somebody else wrote is said and ignored', async (context) => {
  const scene = new Scene(context);
  scene.fileSystem.makeDirectory('/data/agent');
  scene.fileSystem.append(podsPathOf('/data'), 'not ours');
  scene.api.put(shop('u1', 'web'));
  await scene.start();
  await scene.untilLabel('u1', 'web');
  assert.ok(scene.telemetry.lines.some(({ event }) => event === 'pods_file'));
});

void test('a node that Kubernetes does not know is warned of', async (context) => {
  const scene = new Scene(context);
  await scene.start();
  await scene.untilWatching();
  assert.ok(scene.telemetry.lines.some(({ text }) => /no pod on a node named node-1/.test(text)));
});
