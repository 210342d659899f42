import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import type { AgentStatus, AuditAnswer } from '../../api/api-types.ts';
import { runCli } from '../run-cli.ts';
import { fakeContext } from '../testing/fake-context.ts';
import type { FakeOptions } from '../testing/fake-context.ts';
import { answerJson, runCommand } from '../testing/run-command.ts';

function auditAnswer(verdict: AuditAnswer['verdict'], missing: number): AuditAnswer {
  const figures = {
    files: 1,
    bytesWritten: 2048,
    records: 1000,
    lagBytes: verdict === 'unknown' ? 512 : 0,
    unfinishedBytes: 0,
    missing,
    twice: 0,
    droppedByPipeline: 0,
    deadLettered: 0,
    expired: 0,
    expiredEarly: 0,
    droppedBytes: {},
    flaws: {},
    possibleLoss: 0,
    possibleLossBytes: 0,
    possibleLossUnsized: 0,
  };
  const row = { ...figures, namespace: 'shop', pod: 'cart-0', container: 'cart', verdict };
  const problem = { fileId: 'f', path: '/x/0.log', verdict, reason: `${missing} records are missing` };
  const problems = verdict === 'accounted' ? [] : [problem];
  const withoutAgent = { files: 0, records: 0, droppedByPipeline: 0, deadLettered: 0, expired: 0 };
  const agents = { running: 0, silent: [], stopped: [] };
  const problemCount = problems.length;
  return { ...figures, verdict, rows: [row], withoutAgent, toldAt: null, agents, problems, problemCount };
}

void test('audit prints a table and ends with 0, 1 or 2 by the verdict', async () => {
  const accounted = await runCommand('audit', { answer: () => answerJson(auditAnswer('accounted', 0)) });
  assert.equal(accounted.code, 0);
  assert.match(accounted.out, /^NAMESPACE {2}POD {5}CONTAINER {2}FILES {2}WRITTEN/);
  assert.match(accounted.out, /All accounted for: 1,000 records of 1 file, 0 missing, 0 twice\.\n$/);
  const discrepancy = await runCommand('audit', { answer: () => answerJson(auditAnswer('discrepancy', 3)) });
  assert.equal(discrepancy.code, 1);
  assert.match(discrepancy.out, /\/x\/0\.log: 3 records are missing/);
  const unknown = await runCommand('audit --wait 0', { answer: () => answerJson(auditAnswer('unknown', 0)) });
  assert.equal(unknown.code, 2);
  assert.match(unknown.out, /Cannot tell yet: [^]*512 B not delivered/);
});

void test('audit says in words what is open and what may be lost', async () => {
  const answer = auditAnswer('accounted', 0);
  const half = await runCommand('audit', {
    answer: () => answerJson({ ...answer, lagBytes: 4, unfinishedBytes: 4 }),
  });
  assert.equal(half.code, 0);
  assert.match(half.out, /0 twice\. 4 bytes of unfinished lines wait for their ends\.\n$/);
  const lossOf = async (loss: Partial<AuditAnswer>): Promise<string> =>
    (await runCommand('audit', { answer: () => answerJson({ ...answer, ...loss }) })).out
      .split('\n')
      .at(-2) ?? '';
  assert.match(
    await lossOf({ possibleLoss: 1, possibleLossUnsized: 1 }),
    / lost in 1 place \(an unknown number of bytes\)\.$/,
  );
  assert.match(
    await lossOf({ possibleLoss: 3, possibleLossBytes: 15, possibleLossUnsized: 1 }),
    / lost in 3 places \(15 B and an unknown number of bytes\)\.$/,
  );
  assert.match(await lossOf({ possibleLoss: 2, possibleLossBytes: 15 }), / in 2 places \(15 B\)\.$/);
  const withoutAgent = { files: 1, records: 1_200, droppedByPipeline: 4, deadLettered: 2, expired: 3 };
  const { out } = await runCommand('audit', { answer: () => answerJson({ ...answer, withoutAgent }) });
  assert.match(out, /^\(without an agent\) +1 +1,200 +4 +2 +3$/m);
  assert.match(out, / The store refused 2 records: see `logboom replay`\.\n$/);
  // An earlier server says less of them.
  const less = { ...answer, withoutAgent: { files: 1, records: 1_200 } };
  const { out: earlier } = await runCommand('audit', { answer: () => answerJson(less) });
  assert.match(earlier, /^\(without an agent\) +1 +1,200 +0 +0 +0$/m);
  const early = { ...answer, expired: 9, expiredEarly: 7 };
  const { out: warned } = await runCommand('audit', { answer: () => answerJson(early) });
  assert.match(warned, /0 twice\.\nWarning: 7 records stood in indices that somebody deleted before/);
  const elsewhere = { ...answer, toldAt: '2026-11-23T04:30:00.123456789Z' };
  const { out: told } = await runCommand('audit', { answer: () => answerJson(elsewhere) });
  assert.match(told, /0 twice\.\nAgents elsewhere: what they had said by 2026-11-23T04:30:00Z\.\n$/);
});

const AGENT: AgentStatus = {
  node: 'node-7',
  cluster: 'c',
  version: '1.0.0',
  state: 'silent',
  saidAt: '2026-11-23T04:30:00.123456789Z',
  files: 2,
  unreadBytes: 1_024,
  unacknowledgedBytes: 0,
  oldestUnread: null,
};

void test('audit cannot tell while an agent is silent, does not wait for it, and says what helps', async () => {
  const reason = 'agent of node node-7 silent since 2026-11-23T04:30:00Z: 1,024 bytes undelivered then';
  const problem = { fileId: '', path: null, verdict: 'unknown' as const, reason };
  const stopped = [{ ...AGENT, node: 'node-8', state: 'stopped' as const }];
  const agents = { running: 3, silent: [AGENT], stopped };
  const answer = { ...auditAnswer('unknown', 0), lagBytes: 0, agents, problems: [problem], problemCount: 1 };
  const { code, out } = await runCommand('audit', { answer: () => answerJson(answer) });
  assert.equal(code, 2);
  assert.match(
    out,
    /\n {2}agent of node node-7 silent since 2026-11-23T04:30:00Z: 1,024 bytes undelivered then\n/,
  );
  assert.match(out, /Cannot tell yet: [^\n]* 1 agent is silent\.\n/);
  assert.match(
    out,
    /\nThe agent of node node-8 stopped in good order at 2026-11-23T04:30:00Z: what was written/,
  );
  assert.match(out, /logboom audit forget NODE/);
});

void test('audit of an earlier server, which says less, is printed all the same', async () => {
  const {
    toldAt: _told,
    agents: _agents,
    withoutAgent: _without,
    deadLettered: _dead,
    expiredEarly: _early,
    ...figures
  } = auditAnswer('accounted', 0);
  const rows = figures.rows.map(({ deadLettered: _deadRow, ...row }) => row);
  const { code, out } = await runCommand('audit', { answer: () => answerJson({ ...figures, rows }) });
  assert.equal(code, 0);
  assert.match(out, /All accounted for: 1,000 records of 1 file, 0 missing, 0 twice\.\n$/);
});

void test('an agent is forgotten only when somebody is sure', async () => {
  const bodies: unknown[] = [];
  const answer: FakeOptions['answer'] = (url, init) => {
    bodies.push([url.pathname, typeof init?.body === 'string' && (JSON.parse(init.body) as unknown)]);
    return answerJson({ forgotten: 1 });
  };
  const unsure = await runCommand('audit forget node-7', { answer });
  assert.equal(unsure.code, 100);
  assert.match(unsure.err, /--yes: forgetting must be confirmed/);
  const no = await runCommand('audit forget node-7', { answer, confirm: () => Promise.resolve(false) });
  assert.deepEqual([no.code, no.err, bodies.length], [0, 'Nothing was forgotten.\n', 0]);
  const yes = await runCommand('audit forget node-7 --yes', { answer });
  assert.equal(yes.out, 'Forgot 1 agent of node node-7.\n');
  assert.deepEqual(bodies, [['/api/v1/agents/forget', { node: 'node-7' }]]);
});

void test('stats lists the agents that were heard of, silent ones too', async () => {
  const stats = {
    version: '1.0.0',
    uptimeSeconds: 1,
    records: 0,
    bytesOnDisk: 0,
    oldest: null,
    newest: null,
    namespaces: [],
    quarantined: [],
    tails: 0,
  };
  const answer = (body: object) => (url: URL) =>
    answerJson(url.pathname.endsWith('/stats') ? body : { sources: [] });
  const { out } = await runCommand('stats', { answer: answer({ ...stats, agents: [AGENT] }) });
  assert.match(out, /node-7 +silent +2026-11-23T04:30:00Z +2 +1\.0 KiB +0 B +1\.0\.0\n$/);
  const earlier = await runCommand('stats', { answer: answer(stats) });
  assert.deepEqual([earlier.code, earlier.out.includes('AGENT')], [0, false]);
});

void test('audit lets the server look again for as long as it was told to wait, and then gives up', async () => {
  const waits: (string | null)[] = [];
  const context = fakeContext({
    answer: (url, init) => {
      waits.push(url.searchParams.get('waitMs'));
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    },
  });
  let code: number | undefined;
  void runCli(['audit', '--wait', '2s'], context).then((value) => (code = value));
  const scheduler = context.scheduler as VirtualScheduler;
  assert.ok(await scheduler.advanceUntil(() => code !== undefined, 30_000, 1_000));
  assert.deepEqual([code, waits], [2, ['2000']]);
  assert.match(context.written.stderr, /cannot get an audit of .* in time\n {2}Wait longer with --wait/);
});
