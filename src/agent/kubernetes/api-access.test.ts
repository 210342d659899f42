import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../base/errors.ts';
import { isInCluster, readKubeconfig, readPodAccess, SERVICE_ACCOUNT } from './api-access.ts';

const FILES: Readonly<Record<string, string>> = {
  [`${SERVICE_ACCOUNT}/token`]: 'pod-token\n',
  [`${SERVICE_ACCOUNT}/ca.crt`]: 'PEM of the pod',
  '/etc/kube/ca.pem': 'PEM beside it',
  '/run/token': 'token of a file\n',
};

function readText(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  return text;
}

function read(text: string, context?: string) {
  const readAny = (path: string): string => (path === '/etc/kube/config' ? text : readText(path));
  return readKubeconfig('/etc/kube/config', { context, readText: readAny });
}

const KUBECONFIG = `
apiVersion: v1
kind: Config
current-context: here
contexts:
- { name: here, context: { cluster: near, user: agent } }
- { name: there, context: { cluster: far, user: admin } }
clusters:
- { name: near, cluster: { server: 'https://10.0.0.1:6443/', certificate-authority: ca.pem } }
- { name: far, cluster: { server: 'https://far.example', insecure-skip-tls-verify: true, tls-server-name: k8s } }
users:
- { name: agent, user: { tokenFile: /run/token } }
- { name: admin, user: { client-certificate-data: Q0VSVA==, client-key-data: S0VZ } }
`;

void test('a pod reaches the API by its service account, over IPv6 too', () => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
  const access = readPodAccess(environment, readText);
  assert.equal(access.server, 'https://[fd00::1]:6443');
  assert.equal(access.token, 'pod-token');
  assert.equal(access.ca, 'PEM of the pod');
  assert.equal(
    isInCluster(environment, () => true),
    true,
  );
  assert.equal(
    isInCluster(environment, () => false),
    false,
    'a pod without a token asks nothing',
  );
  assert.equal(
    isInCluster({}, () => true),
    false,
  );
});

void test('a kubeconfig names server, authority, token or certificate, by its current or another context', () => {
  const near = read(KUBECONFIG);
  assert.equal(near.server, 'https://10.0.0.1:6443');
  assert.equal(near.ca, 'PEM beside it');
  assert.equal(near.token, 'token of a file');
  const far = read(KUBECONFIG, 'there');
  assert.deepEqual(
    [far.certificate, far.key, far.isVerified, far.serverName, far.token],
    ['CERT', 'KEY', false, 'k8s', undefined],
  );
});

void test('what is wrong in a kubeconfig is named, with what to do', () => {
  const cases: readonly [text: string, context: string | undefined, message: RegExp][] = [
    ['', undefined, /is no kubeconfig/],
    ['[1]', undefined, /is no kubeconfig/],
    ['a: [', undefined, /cannot read .*config/],
    ['{}', undefined, /has no current-context/],
    [KUBECONFIG, 'nowhere', /has no context "nowhere".*It has here, there\./s],
    ['{current-context: a, contexts: [{name: a, context: {cluster: b}}]}', undefined, /has no cluster "b"/],
    [KUBECONFIG.replace('https://10.0.0.1:6443/', '10.0.0.1'), undefined, /no address of a server/],
    [KUBECONFIG.replace('tokenFile: /run/token', 'exec: {}'), undefined, /logs in by exec/],
    [KUBECONFIG.replace('certificate-authority: ca.pem', 'proxy-url: x'), undefined, /proxy-url/],
  ];
  for (const [text, context, message] of cases) {
    assert.throws(
      () => read(text, context),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(`${error.message} ${error.hint ?? ''}`, message);
        return true;
      },
    );
  }
});
