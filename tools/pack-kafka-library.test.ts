import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { TemporaryDirectory } from '../test/e2e/temporary-directory.ts';
import { packKafkaLibrary } from './pack-kafka-library.ts';

type Library = typeof import('../src/transport/kafka/client/kafka-library.ts');

const root = path.dirname(import.meta.dirname);
void test('the packed Kafka client has what the whole one has, needs no package, and names its licences', async () => {
  using directory = new TemporaryDirectory('pack');
  const file = directory.join('transport/kafka/client/kafka-library.js');
  const whole = await import('../src/transport/kafka/client/kafka-library.ts');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `export { ${Object.keys(whole).join(', ')} } from '@platformatic/kafka';\n`);
  symlinkSync(path.join(root, 'node_modules'), directory.join('node_modules'));
  await packKafkaLibrary(directory.join('.'));

  const packed = (await import(pathToFileURL(file).href)) as Library;
  assert.deepEqual(Object.keys(packed), Object.keys(whole));
  const bytes = Buffer.from('the quick brown fox '.repeat(50));
  assert.equal(packed.crc32c(bytes), whole.crc32c(bytes));
  for (const name of ['lz4', 'snappy', 'zstd'] as const) {
    const compressed = packed.compressionsAlgorithms[name].compressSync(bytes);
    assert.ok(compressed.length < bytes.length);
    assert.deepEqual(Buffer.from(whole.compressionsAlgorithms[name].decompressSync(compressed)), bytes);
  }

  const needed = [...readFileSync(file, 'utf8').matchAll(/^import .* from "([^"]+)";$/gm)].map(
    ([, name]) => name,
  );
  assert.ok(needed.length > 0);
  assert.deepEqual(
    needed.filter((name) => !name?.startsWith('node:')),
    [],
  );
  const licences = readFileSync(file.replace(/\.js$/, '.licences.txt'), 'utf8');
  for (const name of ['@platformatic/kafka', '@platformatic/wasm-utils', 'fastq', 'debug'])
    assert.match(licences, new RegExp(`^${name} [\\d.]+ \\((?:Apache-2\\.0|MIT|ISC)\\)$`, 'm'));
});
