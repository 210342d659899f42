/** `npm run build`: writes `dist/`, the program as JavaScript and the page, ready to be published. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { packKafkaLibrary } from './pack-kafka-library.ts';

const root = path.dirname(import.meta.dirname);

function step(title: string, program: string, args: readonly string[]): void {
  process.stdout.write(`${title}\n`);
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
step('program', path.join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json']);
process.stdout.write('Kafka client\n');
await packKafkaLibrary(path.join(root, 'dist'));
step('page', process.execPath, ['tools/build-web.ts']);
