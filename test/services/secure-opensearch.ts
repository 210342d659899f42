import { cpSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { makeCertificate } from '../e2e/certificates.ts';
import { findFreePort } from '../e2e/logboom-process.ts';
import { TemporaryDirectory } from '../e2e/temporary-directory.ts';
import { JavaService } from './java-service.ts';
import { classArchive, compileMain, findJava, resolveJars, unpackArchives } from './maven.ts';
import { jvmArgs, nodeSettings } from './opensearch.ts';

const PARTS = path.join(import.meta.dirname, 'opensearch-security');
const MAIN = path.join(import.meta.dirname, 'opensearch/OpenSearchMain.java');

/** The administrator of the configuration that the plugin comes with, who may do everything. */
const ADMINISTRATOR = 'admin:admin';

export interface SecureAnswer {
  readonly status: number;
  readonly body: string;
}

/** An OpenSearch with the security plugin: HTTPS only, and nothing for strangers. */
export interface SecureOpenSearch extends AsyncDisposable {
  readonly service: JavaService;
  /** PEM file of the authority that signed its certificate. */
  readonly caFile: string;
  /** Asks as the administrator. */
  readonly ask: (method: string, path: string, body?: object) => Promise<SecureAnswer>;
}

/** Starts one node, and resolves when it knows its users. Ask `javaSkipReason`, and for `openssl`, before. */
export async function startSecureOpenSearch(): Promise<SecureOpenSearch> {
  const lib = await resolveJars(PARTS);
  const plugin = await unpackArchives(lib);
  const jar = await compileMain(MAIN, lib);
  const directory = new TemporaryDirectory('opensearch-security');
  const config = directory.join('config');
  const users = path.join(config, 'opensearch-security');
  mkdirSync(users, { recursive: true });
  cpSync(path.join(plugin, 'config'), users, { recursive: true });
  const { certificate } = makeCertificate(config, 'node');
  const port = await findFreePort();
  const url = `https://localhost:${port}`;
  const ask = askAs(ADMINISTRATOR, url, certificate);
  const service = await JavaService.start({
    name: 'OpenSearch with security',
    java: findJava()?.java ?? 'java',
    archive: classArchive(jar),
    args: [
      ...jvmArgs({}),
      '--add-modules=jdk.incubator.vector',
      '-Dplugin=security.OpenSearchSecurityPlugin',
      '-cp',
      [jar, ...classPath(lib, plugin)].join(':'),
      'OpenSearchMain',
      directory.path,
      ...(await nodeSettings(port, { settings: SECURITY_SETTINGS })),
    ],
    url,
    isReady: () =>
      ask('GET', '/_cluster/health?wait_for_status=yellow&timeout=1s').then(
        ({ status }) => status === 200,
        () => false,
      ),
    dispose: () => {
      directory[Symbol.dispose]();
    },
  });
  return { service, caFile: certificate, ask, [Symbol.asyncDispose]: () => service.stop() };
}

/** Of an artifact that both bring, the node's own jar is taken. */
function classPath(lib: string, plugin: string): string[] {
  const jarsOf = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.jar'));
  const artifact = (name: string): string => name.replace(/-\d.*/, '');
  const own = new Set(jarsOf(lib).map(artifact));
  const others = jarsOf(plugin).filter((name) => !own.has(artifact(name)));
  return [path.join(lib, '*'), ...others.map((name) => path.join(plugin, name))];
}

/** The certificate is its own authority, for both layers; the users come from the files in `config`. */
const SECURITY_SETTINGS = {
  ...pemSettings('transport'),
  ...pemSettings('http'),
  'plugins.security.ssl.transport.enforce_hostname_verification': 'false',
  'plugins.security.ssl.http.enabled': 'true',
  'plugins.security.allow_default_init_securityindex': 'true',
  'plugins.security.authcz.admin_dn': 'CN=nobody',
  'plugins.security.restapi.roles_enabled': 'all_access',
  'plugins.security.audit.type': 'noop',
};

function pemSettings(layer: 'transport' | 'http'): Record<string, string> {
  return {
    [`plugins.security.ssl.${layer}.pemcert_filepath`]: 'node.crt',
    [`plugins.security.ssl.${layer}.pemkey_filepath`]: 'node.key',
    [`plugins.security.ssl.${layer}.pemtrustedcas_filepath`]: 'node.crt',
  };
}

function askAs(auth: string, url: string, caFile: string): SecureOpenSearch['ask'] {
  return async (method, target, body) => {
    const { promise, resolve, reject } = Promise.withResolvers<SecureAnswer>();
    const ca = readFileSync(caFile);
    const headers = { 'content-type': 'application/json' };
    const asking = request(url + target, { method, auth, ca, headers, timeout: 60_000 }, (answer) => {
      text(answer).then((answered) => {
        resolve({ status: answer.statusCode ?? 0, body: answered });
      }, reject);
    });
    asking.on('error', reject).on('timeout', () => asking.destroy(new Error('no answer')));
    asking.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  };
}
