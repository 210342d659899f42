/** An audit does not vouch for what the agent must not read: as a user without privileges, on real files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { searchList } from './api-client.ts';
import { Installation } from './installation.ts';

import { findFreePort, LogboomProcess, runLogboom, waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { waitForAudit } from './wait-for-audit.ts';

/** `nobody` of most systems: the number matters to no one else here. */
const NOBODY = 65_534;

/** Tests share their machine. */
const AUDIT_MS_MAX = 30_000;

/** Two heartbeats, and a machine that is busy. */
const HEARD_MS_MAX = 60_000;

/** Who has permissions to lack: root reads everything. Skips where such a user cannot read the program. */
function unprivilegedUser(t: TestContext): { readonly user: number | undefined } | undefined {
  if (process.getuid?.() !== 0) return { user: undefined };
  const script = `require('node:fs').accessSync(${JSON.stringify(path.resolve(import.meta.dirname, '../../src/main.ts'))})`;
  const { status } = spawnSync(process.execPath, ['-e', script], { uid: NOBODY, gid: NOBODY, cwd: '/' });
  if (status === 0) return { user: NOBODY };
  t.skip(`user ${NOBODY} cannot read the program in this directory`);
  return undefined;
}

/** Gives what the program writes to, and the way there, to the user that runs it. */
function handOver({ directory, apps, pods, files }: Installation, user: number | undefined): void {
  if (user === undefined) return;
  for (const place of [directory.path, apps, pods, files]) chownSync(place, user, user);
}

async function audit(installation: Installation): Promise<{ code: number | null; output: string }> {
  return runLogboom(['audit', '--wait', '1s', '--server', installation.baseUrl]);
}

void test('an audit names the file and the directory that the agent must not read, until it may', async (t) => {
  const who = unprivilegedUser(t);
  if (who === undefined) return;
  using installation = await Installation.create();
  handOver(installation, who.user);
  const secret = path.join(installation.files, 'secret.log');
  const hidden = path.join(installation.apps, 'shop/cart/cart-1/log');
  mkdirSync(hidden, { recursive: true });
  writeFileSync(path.join(hidden, 'app.log'), 'hidden one\nhidden two\n');
  writeFileSync(path.join(installation.files, 'app.log'), 'open\n');
  writeFileSync(secret, 'secret\n');
  chmodSync(secret, 0);
  await using running = await installation.start(who.user);
  const remedy = 'permission denied; give the agent read permission, or leave it out with `exclude`';
  const named = await audit(installation);
  assert.equal(named.code, 2, running.output);
  assert.ok(named.output.includes(`cannot account for ${secret}: ${remedy}`), named.output);
  assert.match(named.output, /Cannot tell yet/);

  chmodSync(secret, 0o644);
  const first = await waitForAudit<{ files: number }>(installation.baseUrl, AUDIT_MS_MAX);
  assert.equal(first.files, 3);

  // What is in a directory that may be listed and not searched is hidden, and so is all of a tree that may not be.
  for (const place of [path.dirname(hidden), installation.apps]) {
    chmodSync(place, 0o444);
    const told = await audit(installation);
    chmodSync(place, 0o755);
    assert.equal(told.code, 2, `${place}: ${told.output}`);
    assert.match(told.output, /cannot account for \S+: permission denied; give the agent read and search/);
  }
  const whole = await waitForAudit<{ files: number; records: number }>(installation.baseUrl, AUDIT_MS_MAX);
  assert.deepEqual([whole.files, whole.records], [3, 4]);
  assert.equal((await running.stop()).code, 0, running.output);
});

void test('an agent elsewhere says what it must not read, and a server names it in the audit', async (t) => {
  const who = unprivilegedUser(t);
  if (who === undefined) return;
  using directory = new TemporaryDirectory('unreadable');
  const [logs, data] = [directory.join('logs'), directory.join('agent')];
  const secret = path.join(logs, 'secret.log');
  for (const place of [logs, data]) mkdirSync(place);
  writeFileSync(secret, 'secret\n');
  chmodSync(secret, 0);
  const config = directory.join('logboom.yaml');
  writeFileSync(config, `sources:\n  - { kind: files, paths: ['${logs}/*.log'] }\n`);
  if (who.user !== undefined)
    for (const place of [directory.path, data]) chownSync(place, who.user, who.user);
  const [server, agentAddress] = [`127.0.0.1:${await findFreePort()}`, `127.0.0.1:${await findFreePort()}`];
  const baseUrl = `http://${server}`;
  await using program = new LogboomProcess({
    args: ['server', '--data', directory.join('server'), '--listen', server],
  });
  await program.waitUntilReady(baseUrl);
  const places = ['--config', config, '--data', data, '--listen', agentAddress];
  await using agent = new LogboomProcess({
    args: ['agent', ...places, '--server', baseUrl, '--node-name', 'node-7'],
    user: who.user,
  });
  const told = `agent of node node-7 cannot account for ${secret}: permission denied; give the agent read permission`;
  await waitFor('the server to hear of it', HEARD_MS_MAX, async () => {
    const { code, output } = await runLogboom(['audit', '--wait', '0s', '--server', baseUrl]);
    return code === 2 && output.includes(told);
  });
  chmodSync(secret, 0o644);
  await waitFor('the line', HEARD_MS_MAX, async () => (await searchList(baseUrl, 'secret')).length === 1);
  assert.equal((await agent.stop()).code, 0, agent.output);
  // Its last word is that nothing is in its way.
  const { records } = await waitForAudit<{ records: number }>(baseUrl, AUDIT_MS_MAX);
  assert.equal(records, 1);
});
