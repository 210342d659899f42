/**
 * Benchmarks measure what is shipped: JavaScript. Stripping types while loading costs a process about 30 MiB that
 * an installed Logboom never sees.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { packKafkaLibrary } from '../tools/pack-kafka-library.ts';

const root = path.dirname(import.meta.dirname);

/** Compiles the tree into `directory` as a build does, and returns the path of one of its modules there. */
export async function compileInto(directory: string, module: string): Promise<string> {
  const compiler = path.join(root, 'node_modules/.bin/tsc');
  const options = ['--noEmit', 'false', '--noCheck', '--rootDir', root, '--outDir', directory];
  const { status } = spawnSync(compiler, ['-p', path.join(root, 'tsconfig.json'), ...options], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('cannot compile the tree for the benchmark');
  copyFileSync(path.join(root, 'package.json'), path.join(directory, 'package.json'));
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  await packKafkaLibrary(path.join(directory, 'src'));
  return path.join(directory, module.replace(/\.ts$/, '.js'));
}
