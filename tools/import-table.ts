/**
 * Who may import whom: the one table behind the drawing in ARCHITECTURE.md, read by `tidy.ts`.
 *
 * A file belongs to the row with the longest folder that it stands in. Files of one top-level folder may import each
 * other; implementations that stand beside each other (`store/embedded`, `store/elasticsearch`) may not.
 */
export interface ImportRow {
  /** Folder or file, relative to `src`. */
  readonly folder: string;
  /** Folders (everything below them) and files that may be imported besides the own top-level folder. */
  readonly imports: readonly string[];
  /** Packages of the registry. */
  readonly packages: readonly string[];
  /** Modules of Node: a list, or all of them. */
  readonly builtins: readonly string[] | 'all';
}

/** What every stage may know; of `base/node` only its types, unless the row is one of the exceptions. */
const COMMON = ['base', 'record', 'telemetry'];

export const IMPORT_TABLE: readonly ImportRow[] = [
  { folder: 'base', imports: [], packages: [], builtins: [] },
  { folder: 'base/node', imports: ['base'], packages: ['koffi'], builtins: 'all' },
  { folder: 'record', imports: ['base'], packages: [], builtins: [] },
  {
    folder: 'telemetry',
    imports: ['base', 'record', 'capture/decoder-types.ts'],
    packages: ['pino', 'prom-client'],
    builtins: [],
  },
  {
    folder: 'config',
    imports: ['base', 'record', 'capture/decoder-types.ts'],
    packages: ['yaml', 'fastest-levenshtein', 'zod', 'croner', 're2js'],
    builtins: [],
  },
  { folder: 'capture', imports: ['base', 'record'], packages: ['re2js'], builtins: [] },
  { folder: 'query', imports: ['base', 'record'], packages: ['re2js'], builtins: [] },
  { folder: 'transport', imports: COMMON, packages: [], builtins: [] },
  {
    folder: 'transport/kafka',
    imports: [...COMMON, 'config/config.ts'],
    packages: ['@platformatic/kafka'],
    builtins: ['node:zlib', 'node:crypto'],
  },
  { folder: 'store', imports: [...COMMON, 'query', 'config/config.ts'], packages: [], builtins: [] },
  {
    folder: 'store/embedded',
    imports: [...COMMON, 'query', 'config/config.ts'],
    packages: ['@duckdb/node-api', 're2js'],
    builtins: ['node:worker_threads'],
  },
  {
    // HTTP to the engine: its own client library refuses the other engine, and fetch knows no client certificates.
    folder: 'store/elasticsearch',
    imports: [...COMMON, 'query', 'config/config.ts'],
    packages: ['undici', 're2js'],
    builtins: ['node:crypto', 'node:util', 'node:zlib'],
  },
  {
    folder: 'agent',
    imports: [...COMMON, 'config', 'capture', 'transport/transport.ts'],
    packages: [],
    builtins: [],
  },
  {
    // Two kinds of GET: Node's own HTTP costs a third of the memory that undici does, and a twentieth of the usual client's.
    folder: 'agent/kubernetes',
    imports: [...COMMON],
    packages: ['yaml'],
    builtins: ['node:http', 'node:https'],
  },
  {
    folder: 'indexer',
    imports: [...COMMON, 'config', 'query', 'transport/transport.ts', 'store/store.ts'],
    packages: ['re2js'],
    builtins: [],
  },
  {
    folder: 'api',
    imports: [...COMMON, 'config', 'query', 'store/store.ts'],
    packages: ['fastify', '@fastify/static', '@fastify/swagger', 'fastify-type-provider-zod', 'zod'],
    builtins: ['node:stream', 'node:crypto', 'node:http', 'node:path', 'node:zlib'],
  },
  {
    folder: 'cli',
    imports: ['base', 'record', 'config', 'query', 'api/api-types.ts'],
    packages: ['commander', 'picocolors', 'cli-progress', 'yaml', 'fastest-levenshtein'],
    builtins: [],
  },
  {
    folder: 'web',
    imports: ['base', 'record', 'query', 'api/api-types.ts'],
    packages: ['react', 'react-dom', '@tanstack/react-query', '@tanstack/react-virtual'],
    builtins: [],
  },
  { folder: 'roles', imports: ['*'], packages: [], builtins: 'all' },
  { folder: 'main.ts', imports: ['*'], packages: ['commander'], builtins: 'all' },
];

/** Folders that must run in a browser: they may not reach `base/node`, not even for its types. */
export const BROWSER_FOLDERS: readonly string[] = ['base', 'record', 'capture', 'query', 'web'];

/** Folders that may call what `base/node` has; every other one imports only its types. */
export const NODE_USERS: readonly string[] = ['base/node', 'roles', 'main.ts'];

/** What tests may import besides: their frameworks, and the in-memory parts of the other folders. */
export const TEST_PACKAGES: readonly string[] = ['fast-check'];

/** Returns the row of a file below `src`, given relative to it, or undefined for a folder without one. */
export function rowOf(file: string): ImportRow | undefined {
  return IMPORT_TABLE.filter((row) => isWithin(file, row.folder)).toSorted(
    (left, right) => right.folder.length - left.folder.length,
  )[0];
}

/** Whether `file` is `folder` itself or stands below it. */
export function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}
