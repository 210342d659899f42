/**
 * Pods of a Kubernetes for tests: of a real one that the environment names, or of our own over HTTP. Nobody runs the
 * pods; they stand on a node that does not exist, and the test writes what their containers would.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { readKubeconfig } from '../../src/agent/kubernetes/api-access.ts';
import { FakeKubernetes } from '../../src/agent/kubernetes/testing/fake-kubernetes.ts';

/** How long a new namespace may take to have its service account. */
const ACCOUNT_MS_MAX = 30_000;

type Labels = Readonly<Record<string, string>>;

export interface TestCluster extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly namespace: string;
  /** The node that the pods stand on. */
  readonly node: string;
  /** Makes a pod and returns its uid. */
  create(name: string, labels: Labels): Promise<string>;
  label(name: string, labels: Labels): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A cluster of our own: an API server over HTTP that knows pods and nothing else. */
export class FakeCluster implements TestCluster {
  readonly kubeconfig: string;
  readonly namespace = 'shop';
  readonly node = 'node-1';
  readonly api = new FakeKubernetes();
  readonly #uids = new Map<string, string>();

  constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig;
  }

  /** Listens, and writes the kubeconfig, with the token if there is one. */
  async start(token?: string): Promise<void> {
    this.writeKubeconfig(await this.api.start(), token);
  }

  writeKubeconfig(server: string, token = ''): void {
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server } }],
      users: [{ name: 'test', user: { token } }],
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config));
  }

  create(name: string, labels: Labels): Promise<string> {
    const uid = randomUUID();
    this.#uids.set(name, uid);
    this.api.put({ uid, name, namespace: this.namespace, labels });
    return Promise.resolve(uid);
  }

  label(name: string, labels: Labels): Promise<void> {
    this.api.put({ uid: this.#uids.get(name) ?? '', name, namespace: this.namespace, labels });
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.api.delete(this.#uids.get(name) ?? '');
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.stop();
  }
}

/** A namespace of a real cluster, which goes with everything in it at the end of the scope. */
export class RealCluster implements TestCluster {
  readonly kubeconfig: string;
  readonly namespace = `logboom-${randomUUID().slice(0, 8)}`;
  readonly node = `${this.namespace}-node`;

  constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig;
  }

  async start(): Promise<void> {
    await this.#send('POST', '/api/v1/namespaces', { metadata: { name: this.namespace } });
    const deadlineMs = Date.now() + ACCOUNT_MS_MAX;
    const path = `/api/v1/namespaces/${this.namespace}/serviceaccounts/default`;
    while ((await this.#try('GET', path)).status !== 200) {
      if (Date.now() > deadlineMs) throw new Error(`${this.namespace} has no service account`);
      await sleep(100);
    }
  }

  async create(name: string, labels: Labels): Promise<string> {
    const containers = [{ name: 'app', image: 'registry.example/web:1.4' }];
    const spec = { nodeName: this.node, containers };
    const pod = await this.#send('POST', this.#pods, { metadata: { name, labels }, spec });
    return (pod as { metadata: { uid: string } }).metadata.uid;
  }

  async label(name: string, labels: Labels): Promise<void> {
    await this.#send('PATCH', `${this.#pods}/${name}`, { metadata: { labels } });
  }

  async remove(name: string): Promise<void> {
    await this.#send('DELETE', `${this.#pods}/${name}?gracePeriodSeconds=0`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#try('DELETE', `/api/v1/namespaces/${this.namespace}`);
  }

  get #pods(): string {
    return `/api/v1/namespaces/${this.namespace}/pods`;
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, text } = await this.#try(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path} answers ${status}: ${text}`);
    return JSON.parse(text);
  }

  #try(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const readText = (file: string): string => readFileSync(file, 'utf8');
    const access = readKubeconfig(this.kubeconfig, { context: undefined, readText });
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const authorization = access.token === undefined ? {} : { authorization: `Bearer ${access.token}` };
    const request = https.request(`${access.server}${path}`, {
      method,
      headers: { 'content-type': type, ...authorization },
      agent: false,
      rejectUnauthorized: access.isVerified,
      ...(access.ca === undefined ? {} : { ca: access.ca }),
      ...(access.certificate === undefined ? {} : { cert: access.certificate }),
      ...(access.key === undefined ? {} : { key: access.key }),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }
}
