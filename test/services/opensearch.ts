import path from 'node:path';
import { findFreePort } from '../e2e/logboom-process.ts';
import { TemporaryDirectory } from '../e2e/temporary-directory.ts';
import { answers, JavaService } from './java-service.ts';
import { classArchive, compileMain, findJava, resolveJars } from './maven.ts';

/** The major version that runs where none is asked for. */
const NEWEST = '3';

export interface EngineOptions {
  /** The major version, such as `2`; each has a folder with its parts beside this file. */
  readonly version?: string;
  /** Settings of the node beside those that a test needs anyway. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly heapMiB?: number;
  /** Compiles hot code thoroughly, for benchmarks; otherwise the engine is there sooner. */
  readonly isFast?: boolean;
}

/** Heap of an engine in a test; documents of 30 MB need about 600 MiB. */
const HEAP_MIB = 768;

/**
 * Starts a real OpenSearch, one node with a data directory of its own, and resolves when it answers: after about 10 s,
 * and on a new machine after its download. Ask `javaSkipReason` before.
 */
export async function startOpenSearch(options: EngineOptions = {}): Promise<JavaService> {
  const parts = partsOf('opensearch', NEWEST, options);
  const lib = await resolveJars(parts);
  const jar = await compileMain(path.join(parts, 'OpenSearchMain.java'), lib);
  const directory = new TemporaryDirectory('opensearch');
  const port = await findFreePort();
  const settings = await nodeSettings(port, options);
  const url = `http://127.0.0.1:${port}`;
  return JavaService.start({
    name: 'OpenSearch',
    java: findJava()?.java ?? 'java',
    archive: classArchive(jar),
    args: [
      ...jvmArgs(options),
      '--add-modules=jdk.incubator.vector',
      '-cp',
      `${jar}:${lib}/*`,
      'OpenSearchMain',
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

/** Returns the folder with the parts of an engine: the newest version has the plain name. */
export function partsOf(engine: string, newest: string, { version = newest }: EngineOptions): string {
  return path.join(import.meta.dirname, version === newest ? engine : `${engine}-${version}`);
}

/** Returns the arguments of the Java machine that every engine gets. */
export function jvmArgs({ heapMiB = HEAP_MIB, isFast = false }: EngineOptions): string[] {
  return [
    `-Xms${heapMiB}m`,
    `-Xmx${heapMiB}m`,
    ...(isFast ? [] : ['-XX:TieredStopAtLevel=1']),
    '-XX:+UseSerialGC',
    '--enable-native-access=ALL-UNNAMED',
    `-Dlog4j2.configurationFile=${path.join(import.meta.dirname, 'log4j2.properties')}`,
  ];
}

/** Returns `setting=value` arguments for a node on this HTTP port that is a cluster by itself. */
export async function nodeSettings(port: number, { settings = {} }: EngineOptions): Promise<string[]> {
  const all = {
    'cluster.name': 'logboom-tests',
    'node.name': 'node-1',
    'network.host': '127.0.0.1',
    'http.port': String(port),
    'transport.port': String(await findFreePort()),
    'discovery.type': 'single-node',
    'cluster.routing.allocation.disk.threshold_enabled': 'false',
    ...settings,
  };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}
