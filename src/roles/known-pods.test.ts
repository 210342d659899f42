/** What the commands say of pods: by what the agent of the data directory wrote down, without asking the API. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { podFactsOf } from '../agent/kubernetes/pod-facts.ts';
import { podsPathOf } from '../agent/kubernetes/pods-file.ts';
import { PodsState } from '../agent/kubernetes/pods-state.ts';
import { answerStatus, FakeKubernetes } from '../agent/kubernetes/testing/fake-kubernetes.ts';
import { podObject } from '../agent/kubernetes/testing/pod-objects.ts';
import { ConfigError } from '../base/errors.ts';
import { loadConfig } from '../config/load-config.ts';
import { examineKubernetes } from './doctor-kubernetes.ts';
import { explain } from './explain.ts';
import { findAccess } from './pod-watching.ts';
import { planRotation } from './rotate-plan-view.ts';

// A machine that runs tests may be a pod itself.
delete process.env['KUBERNETES_SERVICE_HOST'];

class Scene {
  readonly root: string;
  readonly data: string;
  readonly file: string;
  readonly kubeconfig: string;

  constructor(context: TestContext) {
    this.root = mkdtempSync(path.join(tmpdir(), 'logboom-pods-'));
    context.after(() => rmSync(this.root, { recursive: true }));
    this.data = path.join(this.root, 'data');
    this.kubeconfig = path.join(this.root, 'kubeconfig');
    const log = path.join(this.root, 'logs/shop/web/web-1/log');
    mkdirSync(log, { recursive: true });
    mkdirSync(path.join(this.data, 'agent'), { recursive: true });
    this.file = path.join(log, 'app.log');
    writeFileSync(this.file, 'a line\n');
  }

  load(more = '') {
    const text = `data: ${this.data}
node: { name: node-1 }
sources: [ { kind: apps, root: ${this.root}/logs } ]
rotate: [ { match: { labels: { app: web } } } ]
${more}`;
    return loadConfig({
      flags: [],
      environment: {},
      file: { name: 'logboom.yaml', text },
      hostName: 'host-1',
      workingDirectory: '/',
      hasDirectory: () => false,
    });
  }

  know(labels: Readonly<Record<string, string>>): void {
    const state = new PodsState();
    const facts = podFactsOf(podObject({ uid: 'u1', name: 'web-1', namespace: 'shop', labels }));
    assert.ok(facts !== undefined);
    state.put(facts);
    writeFileSync(podsPathOf(this.data), state.save());
  }

  writeKubeconfig(server: string): void {
    const contexts = [{ name: 'a', context: { cluster: 'b' } }];
    const clusters = [{ name: 'b', cluster: { server } }];
    writeFileSync(this.kubeconfig, JSON.stringify({ 'current-context': 'a', contexts, clusters }));
  }
}

void test('explain and a dry run choose a policy by the labels that the agent knew last', (context) => {
  const scene = new Scene(context);
  const subject = { subject: scene.file, fields: {} };
  const unknown = explain({ loaded: scene.load(), ...subject });
  assert.match(
    unknown.lines.join('\n'),
    /rotation: built-in, punch: .* the labels of shop\/web-1 are not known/,
  );
  scene.know({ app: 'web' });
  const { lines, json } = explain({ loaded: scene.load(), ...subject });
  assert.match(lines.join('\n'), /rotation: rotate\[0\], punch: .*, by label app=web/);
  assert.match(lines.join('\n'), /kubernetes\.labels\.app: web/);
  assert.equal(
    (json['members'] as Record<string, string>)['container.image.name'],
    'registry.example/web:1.4',
  );
  const [planned] = planRotation(scene.load().config).files;
  assert.equal(planned?.policy, 'rotate[0]');
  const off = explain({ loaded: scene.load('kubernetes: { enabled: false }'), ...subject });
  assert.match(off.lines.join('\n'), /rotation: built-in/);
});

void test('doctor tells who may not list or watch, which rule is missing, and when the node has no pod', async (context) => {
  const scene = new Scene(context);
  assert.deepEqual(await examineKubernetes(scene.load().config), [], 'outside of a cluster nobody asks');
  const api = new FakeKubernetes();
  scene.writeKubeconfig(await api.start());
  const { config } = scene.load(`kubernetes: { kubeconfig: ${scene.kubeconfig} }`);
  const examine = async (): Promise<string> => {
    const [finding] = await examineKubernetes(config);
    return `${finding?.status} ${finding?.text} ${finding?.remedy}`;
  };
  assert.match(await examine(), /^warn .*no pod on a node named node-1 .*kubernetes\.node/);
  api.put({ uid: 'u1' });
  assert.match(await examine(), /^ok .*tells of 1 pod on node-1, and lets them be watched/);
  for (const kind of ['list', 'watch'] as const) {
    api.faults.push({ kind, fault: answerStatus(403, 'pods is forbidden') });
    const text = await examine();
    assert.match(text, new RegExp(`^fail cannot ${kind} the pods .*HTTP 403: pods is forbidden`));
    assert.match(
      text,
      /ClusterRole with the rule \{ apiGroups: \[""\], resources: \[pods\], verbs: \[list, watch\] \}/,
    );
  }
  await api.stop();
  assert.match(await examine(), /^fail cannot reach http:.*ECONNREFUSED/);
});

void test('labels that are asked for where no API is known, and a kubeconfig that cannot be read, are mistakes', (context) => {
  const scene = new Scene(context);
  const mistakeOf = (more: string): string => {
    try {
      findAccess(scene.load(more).config);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return `${error.message} ${error.hint}`;
    }
    return '';
  };
  assert.match(mistakeOf('kubernetes: { enabled: true }'), /neither a kubeconfig nor .* token/);
  const missing = mistakeOf(`kubernetes: { kubeconfig: ${scene.kubeconfig} }`);
  assert.match(missing, /kubernetes\.kubeconfig: cannot read .*ENOENT/);
  assert.equal(mistakeOf('kubernetes: { enabled: auto }'), '');
});
