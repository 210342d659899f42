import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { findFreePort } from '../e2e/logboom-process.ts';
import { TemporaryDirectory } from '../e2e/temporary-directory.ts';
import { answers, JavaService } from './java-service.ts';
import { classArchive, compileMain, findJava, resolveJars } from './maven.ts';
import type { EngineOptions } from './opensearch.ts';
import { jvmArgs, nodeSettings, partsOf } from './opensearch.ts';

/** The major version that runs where none is asked for. */
const NEWEST = '9';

/** Jars of the HTTP module: since 8 a node loads them from its own directory and refuses them on the class path. */
const MODULE_JAR = /^(?:netty-|transport-netty4|elasticsearch-ssl-config)/;

/**
 * Starts a real Elasticsearch, bare as Maven Central has it: search, bulk, templates and data streams, but no scripts,
 * no lifecycle management, no plugins. Ask `javaSkipReason` before.
 */
export async function startElasticsearch(options: EngineOptions = {}): Promise<JavaService> {
  const parts = partsOf('elasticsearch', NEWEST, options);
  const lib = await resolveJars(parts);
  const jar = await compileMain(path.join(parts, 'ElasticsearchMain.java'), lib);
  const directory = new TemporaryDirectory('elasticsearch');
  const classPath = options.version === '7' ? [`${lib}/*`] : copyModule(lib, directory);
  const port = await findFreePort();
  const settings = await nodeSettings(port, options);
  const url = `http://127.0.0.1:${port}`;
  return JavaService.start({
    name: 'Elasticsearch',
    java: findJava()?.java ?? 'java',
    archive: classArchive(jar),
    args: [
      ...jvmArgs(options),
      '-cp',
      [jar, ...classPath].join(':'),
      'ElasticsearchMain',
      directory.path,
      ...settings,
    ],
    url,
    isReady: () => answers(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`),
    dispose: () => {
      directory[Symbol.dispose]();
    },
  });
}

/** Copies the jars of the HTTP module to where the node looks for it, and returns the others. */
function copyModule(lib: string, directory: TemporaryDirectory): string[] {
  const jars = readdirSync(lib).filter((name) => name.endsWith('.jar'));
  const module = directory.join('modules/transport-netty4');
  mkdirSync(module, { recursive: true });
  for (const name of jars.filter((jar) => MODULE_JAR.test(jar)))
    copyFileSync(path.join(lib, name), path.join(module, name));
  return jars.filter((jar) => !MODULE_JAR.test(jar)).map((jar) => path.join(lib, jar));
}
