/**
 * Builds the page into `dist/web` with Vite. Does nothing when what is there is newer than every source, so that it
 * may run before every start; `--force` builds anyway.
 */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = path.dirname(import.meta.dirname);

/** Everything that the bundle is made of. */
const SOURCES = [
  'src/web',
  'src/query',
  'src/record',
  'src/base',
  'src/api/api-types.ts',
  'vite.config.ts',
  'package-lock.json',
];

/** Says whether the built page is older than one of its sources, or missing. */
export function isPageOutdated(projectRoot: string): boolean {
  const built = statSync(path.join(projectRoot, 'dist/web/index.html'), { throwIfNoEntry: false });
  if (built === undefined) return true;
  return SOURCES.some((source) => newestMs(path.join(projectRoot, source)) > built.mtimeMs);
}

/** Builds the page; with `isForced` even when nothing has changed. Returns whether it was built. */
export async function buildWeb(options: { isForced: boolean }): Promise<boolean> {
  if (!options.isForced && !isPageOutdated(root)) return false;
  await build({ configFile: path.join(root, 'vite.config.ts'), logLevel: 'warn' });
  return true;
}

function newestMs(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return isTest(file) ? 0 : stat.mtimeMs;
  // A directory's own time tells of files that were removed.
  return readdirSync(file).reduce(
    (newest, name) => Math.max(newest, newestMs(path.join(file, name))),
    stat.mtimeMs,
  );
}

function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const hasBuilt = await buildWeb({ isForced: process.argv.includes('--force') });
  process.stdout.write(hasBuilt ? 'built the page into dist/web\n' : 'the page in dist/web is up to date\n');
}
