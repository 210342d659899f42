/** A server apart from its agent: what its audit says while the agent runs, is dead, comes back, and is given up. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AuditAnswer, StatsAnswer } from '../../src/api/api-types.ts';
import { findFreePort, LogboomProcess, runLogboom, waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** Three intervals of 15 seconds, and a machine that is busy. */
const SILENT_MS_MAX = 120_000;

const SEEN_MS_MAX = 30_000;

void test('an audit cannot tell while an agent is dead, whatever it had said, and can once it is back or given up', async () => {
  using directory = new TemporaryDirectory('silent');
  mkdirSync(directory.join('logs'));
  const logFile = directory.join('logs/app.log');
  writeFileSync(logFile, 'written before\n');
  const config = directory.join('logboom.yaml');
  const sources = `sources:\n  - { kind: files, paths: ['${directory.join('logs')}/*.log'] }\n`;
  writeFileSync(config, `${sources}agent: { ledgerMs: 500ms }\n`);
  const [serverPort, agentPort] = [await findFreePort(), await findFreePort()];
  const server = `127.0.0.1:${serverPort}`;
  const start = (role: string, port: number, ...flags: string[]): LogboomProcess => {
    const own = ['--data', directory.join(role), '--listen', `127.0.0.1:${port}`];
    return new LogboomProcess({ args: [role, ...own, ...flags] });
  };
  const startAgent = (): LogboomProcess =>
    start('agent', agentPort, '--config', config, '--server', `http://${server}`, '--node-name', 'node-7');
  await using program = start('server', serverPort);
  await program.waitUntilReady(`http://${server}`);
  const audit = (): ReturnType<typeof runLogboom> =>
    runLogboom(['audit', '--wait', '0s', '--server', server]);
  const stats = async (): Promise<StatsAnswer> =>
    (await (await fetch(`http://${server}/api/v1/stats`)).json()) as StatsAnswer;
  const stateOf = async (): Promise<string | undefined> => (await stats()).agents[0]?.state;
  const untilRecords = (count: number): Promise<void> =>
    waitFor(`${count} records`, SEEN_MS_MAX, async () => {
      const answer = await fetch(`http://${server}/api/v1/audit`);
      const { records, lagBytes } = (await answer.json()) as AuditAnswer;
      return records === count && lagBytes === 0;
    });

  const first = startAgent();
  await untilRecords(1);
  await waitFor('its first heartbeat', SEEN_MS_MAX, async () => (await stateOf()) === 'running');
  await first.kill();
  appendFileSync(logFile, 'written while nobody reads\n');
  // Nobody can know yet: it spoke a moment ago.
  const early = await audit();
  assert.deepEqual([early.code, /node-7/.test(early.stdout)], [0, false], early.output);
  await waitFor('the agent to be silent', SILENT_MS_MAX, async () => (await stateOf()) === 'silent');
  const silent = await audit();
  assert.equal(silent.code, 2, silent.output);
  // Its first heartbeat may have left before its first line was acknowledged.
  assert.match(silent.stdout, / {2}agent of node node-7 silent since .*Z: (?:0|15) bytes undelivered then\n/);
  const metrics = await (await fetch(`http://${server}/metrics`)).text();
  assert.match(metrics, /^logboom_api_agents\{state="silent"\} 1$/m);

  await using second = startAgent();
  await untilRecords(2);
  await waitFor('the agent to be back', SEEN_MS_MAX, async () => (await stateOf()) === 'running');
  assert.equal((await audit()).code, 0);
  const refused = await runLogboom(['audit', 'forget', 'node-7', '--yes', '--server', server]);
  assert.equal(refused.code, 100, refused.output);
  assert.match(refused.output, /cannot forget the agent of node node-7: it is running/);

  assert.equal((await second.stop()).code, 0, second.output);
  await waitFor('its last word', SEEN_MS_MAX, async () => (await stateOf()) === 'stopped');
  const stopped = await audit();
  assert.equal(stopped.code, 0, stopped.output);
  assert.match(stopped.stdout, /The agent of node node-7 stopped in good order at/);
  const forgotten = await runLogboom(['audit', 'forget', 'node-7', '--yes', '--server', server]);
  assert.equal(forgotten.code, 0, forgotten.output);
  assert.deepEqual((await stats()).agents, []);
});
