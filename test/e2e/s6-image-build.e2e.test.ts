/**
 * The S6 base image as people build it, and the manifest beside it: the Containerfile with the real buildah on a root file
 * system that debootstrap makes, and a container of the result. Takes minutes and the packages of a Debian mirror, so it
 * runs with LOGBOOM_IMAGE_BUILD=1 only, as `npm run test:long` sets it.
 *
 * LOGBOOM_DEBIAN_MIRROR names the mirror, LOGBOOM_KUBERNETES_SCHEMAS a directory with the schemas of kubeconform.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findProgram } from '../../tools/provision.ts';
import { IMAGE_DIRECTORY } from './s6-image-root.ts';

const IS_WANTED = process.env['LOGBOOM_IMAGE_BUILD'] === '1';

const MIRROR = process.env['LOGBOOM_DEBIAN_MIRROR'] ?? 'http://deb.debian.org/debian';

/** A mirror that does not answer must not hold up the run. */
const STEP_MS_MAX = 600_000;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end; what it prints to both streams is kept together. */
function run(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
    timeout: STEP_MS_MAX,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** Removes a directory unless something is mounted below it: that is not ours to delete. */
function removeUnmounted(directory: string): void {
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${directory}`)) return;
  rmSync(directory, { recursive: true, force: true });
}

if (IS_WANTED) {
  void test('the Containerfile builds on a bare Debian, and its image writes lines and keeps the exit code', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('building an image needs root');
    const missing = ['buildah', 'debootstrap'].filter((name) => findProgram(name) === undefined);
    if (missing.length > 0) return context.skip(`${missing.join(', ')} not installed`);
    const directory = mkdtempSync(path.join(tmpdir(), 'logboom-image-'));
    const environment = { BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'vfs', HOME: directory };
    const storage = ['--root', path.join(directory, 'storage'), '--runroot', path.join(directory, 'run')];
    const buildah = async (...args: string[]): Promise<string> => {
      const { code, output } = await run('buildah', [...storage, ...args], environment);
      assert.equal(code, 0, `buildah ${args.join(' ')}\n${output.slice(-4000)}`);
      return output.trim();
    };
    try {
      const root = path.join(directory, 'debian');
      const made = await run('debootstrap', ['--variant=minbase', 'bookworm', root, MIRROR]);
      if (made.code !== 0) return context.skip(`no Debian can be had: ${made.output.slice(-300)}`);
      const scratch = await buildah('from', 'scratch');
      await buildah('add', scratch, root, '/');
      await buildah('commit', scratch, 'localhost/debian:bare');
      await buildah(
        ...['bud', '--network', 'host', '--build-arg', 'BASE=localhost/debian:bare'],
        ...['-t', 'localhost/logboom-s6-base', IMAGE_DIRECTORY],
      );
      const entry = await buildah(
        ...[
          'inspect',
          '--type',
          'image',
          '--format',
          '{{.OCIv1.Config.Entrypoint}}',
          'localhost/logboom-s6-base',
        ],
      );
      assert.equal(entry, '[logboom-run]');
      const container = await buildah('from', 'localhost/logboom-s6-base');
      const volume = path.join(directory, 'logs');
      mkdirSync(volume);
      const ended = await run(
        'buildah',
        [
          ...[...storage, 'run', '--volume', `${volume}:/data/logs`, '--network', 'host'],
          ...['--env', 'POD_NAMESPACE=shop', '--env', 'LOGBOOM_APP=cart', '--env', 'POD_NAME=cart-0'],
          ...[container, '--', 'logboom-run', 'sh', '-c', 'echo to stdout; echo to stderr >&2; exit 7'],
        ],
        environment,
      );
      assert.match(ended.output, /exit status 7|^$/m);
      assert.equal(ended.code, 7, ended.output);
      for (const stream of ['stdout', 'stderr']) {
        const { output } = await run('find', [
          volume,
          '-path',
          `*/${stream}/current`,
          '-exec',
          'cat',
          '{}',
          ';',
        ]);
        assert.match(output, new RegExp(`^@[0-9a-f]{24} to ${stream}\n$`));
      }
    } finally {
      removeUnmounted(directory);
    }
  });
}

// Schemas come from a network that a machine of CI need not have.
if (IS_WANTED && process.env['CI'] !== 'true') {
  void test('the manifest of an application on the base image is valid to Kubernetes', async (context) => {
    const kubeconform = findProgram('kubeconform');
    if (kubeconform === undefined) return context.skip('kubeconform is not installed');
    const schemas = process.env['LOGBOOM_KUBERNETES_SCHEMAS'];
    const location =
      schemas === undefined ? [] : ['-schema-location', `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`];
    const manifest = path.join(IMAGE_DIRECTORY, 'example.yaml');
    const { code, output } = await run(kubeconform, ['-strict', '-summary', ...location, manifest]);
    if (/failed downloading schema|no such host/.test(output)) return context.skip('no schemas can be had');
    assert.equal(code, 0, output);
    assert.match(output, /Valid: [1-9]/);
  });
}
