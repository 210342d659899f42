/** The guide to a cluster works: its commands are run as they stand there, in one shell, against real services. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { JavaService } from '../services/java-service.ts';
import { KafkaBroker } from '../services/kafka.ts';
import { javaSkipReason } from '../services/maven.ts';
import { startOpenSearch } from '../services/opensearch.ts';
import { findFreePort } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

const SCRIPT_MS_MAX = 180_000;

/** Commands print a little; what they print last tells why one failed. */
const OUTPUT_LENGTH_MAX = 64 * 1024;

/** How long the broker waits for an indexer that was killed: 45 s would be its default. */
const PATIENCE = {
  'group.consumer.min.session.timeout.ms': '6000',
  'group.consumer.session.timeout.ms': '6000',
  'group.consumer.min.heartbeat.interval.ms': '2000',
  'group.consumer.heartbeat.interval.ms': '2000',
};

function commandsOf(guide: string): string {
  const blocks = [...guide.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, text = '']) => text);
  assert.ok(blocks.length > 5);
  return blocks.join('\n');
}

/** Runs a script in a process group of its own, which ends with it. */
async function runScript(
  script: string,
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  const child = spawn('bash', ['-euo', 'pipefail', '-x', '-c', script], {
    cwd: directory,
    env: { ...process.env, ...environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_LENGTH_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killGroup = (): void => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended with everything that it started.
    }
  };
  const timer = setTimeout(killGroup, SCRIPT_MS_MAX);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  killGroup();
  return { code, output };
}

void describe('the guide to a cluster', { skip: javaSkipReason() ?? false }, () => {
  const directory = new TemporaryDirectory('cluster-guide');
  let kafka: KafkaBroker;
  let search: JavaService;

  before(async () => {
    [kafka, search] = await Promise.all([KafkaBroker.start({ properties: PATIENCE }), startOpenSearch()]);
  });

  after(async () => {
    await kafka.stop();
    await search[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  void test('every command of it works, from top to bottom', async () => {
    const program = directory.join('logboom');
    writeFileSync(
      program,
      `#!/bin/sh\nexec "${process.execPath}" "${path.join(ROOT, 'src/main.ts')}" "$@"\n`,
    );
    chmodSync(program, 0o755);
    const [server, agent, indexer] = [await findFreePort(), await findFreePort(), await findFreePort()];
    const script = commandsOf(readFileSync(path.join(ROOT, 'docs/guide/cluster.md'), 'utf8'));
    const { code, output } = await runScript(script, directory.path, {
      PATH: `${directory.path}:${process.env['PATH'] ?? ''}`,
      KAFKA: kafka.address,
      SEARCH: search.url,
      NO_COLOR: '1',
      // Other programs of this machine may have the usual ports.
      LOGBOOM_SERVER_LISTEN: `127.0.0.1:${server}`,
      LOGBOOM_AGENT_LISTEN: `127.0.0.1:${agent}`,
      LOGBOOM_INDEXER_LISTEN: `127.0.0.1:${indexer}`,
      LOGBOOM_SERVER: `http://127.0.0.1:${server}`,
    });
    assert.equal(code, 0, output);
    assert.match(output, /All accounted for: 3,000 records of 1 file, 0 missing, 0 twice/);
    assert.match(output, /1 dead letter replayed: 1 stored/);
  });
});
