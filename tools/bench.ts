/**
 * `npm run bench -- [PART OF A NAME] [-- ARGUMENTS]`: runs `bench/*.bench.ts` one after the other. Each prints its own
 * figures; they are for people to compare on a quiet machine, so nothing here passes or fails by them.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const given = process.argv.slice(2);
const separator = given.indexOf('--');
const filters = separator < 0 ? given : given.slice(0, separator);
const rest = separator < 0 ? [] : given.slice(separator + 1);

const files = readdirSync(path.join(root, 'bench'))
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
  .toSorted();

if (files.length === 0) {
  process.stderr.write(`bench.ts: no benchmark has ${filters.join(' or ')} in its name\n`);
  process.exitCode = 100;
}
for (const file of files) {
  process.stdout.write(`\n# ${file}\n`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', `bench/${file}`, ...rest], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
