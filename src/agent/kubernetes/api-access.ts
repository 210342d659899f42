/**
 * How the Kubernetes API is reached: as a pod of the cluster, by what the kubelet mounts ("Accessing the Kubernetes API
 * from a Pod"), or by a kubeconfig file (reference/config-api/kubeconfig.v1). Everything is read again for every request,
 * because tokens and certificates are replaced while the agent runs.
 */
import { parse } from 'yaml';
import { ConfigError, messageOf } from '../../base/errors.ts';

export interface ApiAccess {
  /** `https://10.96.0.1:443`, without a slash at the end. */
  readonly server: string;
  readonly token: string | undefined;
  /** PEM; undefined: the authorities that the machine trusts. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly isVerified: boolean;
  /** The name that the server's certificate has, where it is not that of the address. */
  readonly serverName: string | undefined;
}

export type ReadText = (path: string) => string;

/** Where the kubelet mounts the token of a pod's service account, and the authority of the API server. */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

const OPTION = 'kubernetes.kubeconfig';

/** Whether this process runs in a pod that may know the API. */
export function isInCluster(
  environment: Readonly<Record<string, string | undefined>>,
  hasFile: (path: string) => boolean,
): boolean {
  return (environment['KUBERNETES_SERVICE_HOST'] ?? '') !== '' && hasFile(`${SERVICE_ACCOUNT}/token`);
}

/** Returns the access of a pod; throws the system's error when a file cannot be read. */
export function readPodAccess(
  environment: Readonly<Record<string, string | undefined>>,
  readText: ReadText,
): ApiAccess {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    token: readText(`${SERVICE_ACCOUNT}/token`).trim(),
    ca: readText(`${SERVICE_ACCOUNT}/ca.crt`),
    certificate: undefined,
    key: undefined,
    isVerified: true,
    serverName: undefined,
  };
}

type Json = Readonly<Record<string, unknown>>;

/** Returns the access that a kubeconfig file names; throws a ConfigError with what is wrong in it. */
export function readKubeconfig(
  file: string,
  { context, readText }: { readonly context: string | undefined; readonly readText: ReadText },
): ApiAccess {
  const config = parseFile(file, readText);
  const contextName = context ?? textAt(config, 'current-context');
  if (contextName === undefined) {
    throw new ConfigError(OPTION, `${file} has no current-context`, 'Name one with kubernetes.context.');
  }
  const chosen = entryOf(config, 'contexts', { name: contextName, file });
  const cluster = entryOf(config, 'clusters', { name: textAt(chosen, 'cluster'), file });
  const userName = textAt(chosen, 'user');
  const user = userName === undefined ? {} : entryOf(config, 'users', { name: userName, file });
  refusePrograms(user, cluster, file);
  const server = textAt(cluster, 'server');
  if (server === undefined || !/^https?:\/\/[^/]/.test(server)) {
    throw new ConfigError(OPTION, `${file}: the cluster of ${contextName} has no address of a server`);
  }
  const at = { file, readText };
  const tokenFile = textAt(user, 'tokenFile');
  return {
    server: server.replace(/\/+$/, ''),
    token: tokenFile === undefined ? textAt(user, 'token') : readText(besides(file, tokenFile)).trim(),
    ca: pemOf(cluster, 'certificate-authority', at),
    certificate: pemOf(user, 'client-certificate', at),
    key: pemOf(user, 'client-key', at),
    isVerified: cluster['insecure-skip-tls-verify'] !== true,
    serverName: textAt(cluster, 'tls-server-name'),
  };
}

function parseFile(file: string, readText: ReadText): Json {
  let value: unknown;
  try {
    value = parse(readText(file), { maxAliasCount: 100 });
  } catch (error) {
    const hint = 'Write it with `kubectl config view --raw --minify`, and let the user of the agent read it.';
    throw new ConfigError(OPTION, `cannot read ${file} (${messageOf(error).split('\n')[0]})`, hint);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new ConfigError(OPTION, `${file} is no kubeconfig: expected clusters, users and contexts`);
}

/** An entry of a list such as `users: [{ name, user: { … } }]`. */
function entryOf(
  config: Json,
  list: 'contexts' | 'clusters' | 'users',
  { name, file }: { readonly name: string | undefined; readonly file: string },
): Json {
  const entries: unknown = config[list];
  const named = Array.isArray(entries)
    ? entries.filter((one) => typeof one === 'object' && one !== null)
    : [];
  const entry = named.find((one) => (one as Json)['name'] === name) as Json | undefined;
  const value = entry?.[list.slice(0, -1)];
  if (typeof value === 'object' && value !== null) return value as Json;
  const known = named.map((one) => String((one as Json)['name'])).join(', ');
  const message = `${file} has no ${list.slice(0, -1)} ${JSON.stringify(name ?? '')}`;
  throw new ConfigError(OPTION, message, known === '' ? undefined : `It has ${known}.`);
}

/** An agent on a node starts no program of others to log in, and knows the API by its own address. */
function refusePrograms(user: Json, cluster: Json, file: string): void {
  const member = ['exec', 'auth-provider', 'username'].find((name) => user[name] !== undefined);
  if (member !== undefined) {
    const hint = 'Give the agent a service account: its token, a tokenFile, or a client certificate.';
    throw new ConfigError(OPTION, `${file} logs in by ${member}, which is not supported`, hint);
  }
  if (cluster['proxy-url'] !== undefined) {
    throw new ConfigError(OPTION, `${file} goes through proxy-url, which is not supported`);
  }
}

/** `<name>-data` in base64, or a file beside the kubeconfig. */
function pemOf(
  object: Json,
  name: string,
  { file, readText }: { readonly file: string; readonly readText: ReadText },
): string | undefined {
  const data = textAt(object, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const path = textAt(object, name);
  return path === undefined ? undefined : readText(besides(file, path));
}

function besides(file: string, path: string): string {
  return path.startsWith('/') ? path : `${file.slice(0, file.lastIndexOf('/') + 1)}${path}`;
}

function textAt(object: Json, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
