import { Option } from 'commander';
import type { Command } from 'commander';
import { AppError, ConfigError, EXIT_CODE } from '../../base/errors.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import { AUDIT_WAIT_MS_MAX } from '../../api/api-types.ts';
import type { AuditAnswer, AuditFigures, AuditRow, AuditVerdict, ForgetAnswer } from '../../api/api-types.ts';
import type { ApiClient } from '../api-client.ts';
import { readDurationMs } from '../arguments.ts';
import { colorsFor, formatCount, formatPlural, formatSize, formatTable } from '../output.ts';
import type { Colors } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';
import type { CliContext } from '../context.ts';
import { addServerOptions, openClient } from '../server-options.ts';
import { reportError } from '../report-error.ts';

const EXIT_CODES: Readonly<Record<AuditVerdict, number>> = {
  accounted: EXIT_CODE.ok,
  discrepancy: EXIT_CODE.discrepancy,
  unknown: EXIT_CODE.unknown,
};

const RETRY_MS = 500;

/** Agents that stopped in good order and are named; the others are counted. */
const STOPPED_SHOWN_MAX = 10;

/** What a server may need beyond the wait, to bring its ledger up to date and to count what it holds. */
const GRACE_MS = 20_000;

/** Adds `audit`. */
export function addAuditCommand(setup: CommandSetup): void {
  const { program, context, setExitCode } = setup;
  const command = program
    .command('audit')
    .description('compare what stood in the files with what search finds')
    .addOption(
      new Option(
        '--wait <DURATION>',
        'how long to look again until what was written by now is stored',
      ).default('10s'),
    )
    .option('--json', 'print JSON');
  addServerOptions(command).addHelpText(
    'after',
    `
Exit codes: 0 every byte is accounted for, 1 records are missing or there twice,
2 cannot tell yet (the server is away, what was written is not stored yet, a file cannot be read, or an
agent is silent).

Examples:
  logboom audit
  logboom audit forget node-7     an agent that is silent because its node is gone for good
  logboom audit --json --server http://127.0.0.1:6410`,
  );
  command.action(async (options: { json?: boolean; wait: string }) => {
    const waitMs = readDurationMs('--wait', options.wait);
    const client = openClient(context, command);
    let audit: AuditAnswer;
    try {
      audit = await askUntilKnown(client, context.scheduler, waitMs);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      reportError(error, context.stderr);
      setExitCode(EXIT_CODE.unknown);
      return;
    }
    const colors = colorsFor(context.stdout.hasColor);
    context.stdout.write(options.json === true ? `${JSON.stringify(audit)}\n` : formatAudit(audit, colors));
    setExitCode(EXIT_CODES[audit.verdict]);
  });
  addForget(command, setup);
}

function addForget(parent: Command, { context }: CommandSetup): void {
  const command = parent
    .command('forget <NODE>')
    .description(
      'give up the silent agents of a node that is gone for good; what they had not delivered is lost',
    )
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON');
  addServerOptions(command);
  command.action(async (node: string, options: { yes?: boolean; json?: boolean }) => {
    if (options.yes !== true && !(await isSure(context, node))) {
      context.stderr.write('Nothing was forgotten.\n');
      return;
    }
    const response = await openClient(context, command).post('/agents/forget', { node });
    const answer = (await response.json()) as ForgetAnswer;
    const text = `Forgot ${formatPlural(answer.forgotten, 'agent')} of node ${node}.`;
    context.stdout.write(`${options.json === true ? JSON.stringify(answer) : text}\n`);
  });
}

async function isSure({ confirm }: CliContext, node: string): Promise<boolean> {
  if (confirm !== undefined)
    return confirm(`Forget the agents of node ${node}, and give up what they had not delivered?`);
  throw new ConfigError('--yes', 'forgetting must be confirmed, and there is no terminal to ask at');
}

/** What an earlier server does not say of its audit. */
const UNSAID = {
  toldAt: null,
  withoutAgent: { files: 0, records: 0, droppedByPipeline: 0, deadLettered: 0, expired: 0 },
  agents: { running: 0, silent: [], stopped: [] },
  droppedByPipeline: 0,
  deadLettered: 0,
  expiredEarly: 0,
  unfinishedBytes: 0,
  possibleLossUnsized: 0,
} satisfies Partial<AuditAnswer>;

/** Returns the answer of a server of any version. */
function completed(answer: Partial<AuditAnswer> & Pick<AuditAnswer, 'verdict' | 'rows'>): AuditAnswer {
  const rows = answer.rows.map((row) => ({ ...UNSAID, ...row }));
  const withoutAgent = { ...UNSAID.withoutAgent, ...answer.withoutAgent };
  return { ...UNSAID, ...answer, rows, withoutAgent } as AuditAnswer;
}

/** The server looks again by itself; it is asked again when its longest wait is over. */
async function askUntilKnown(client: ApiClient, scheduler: Scheduler, waitMs: number): Promise<AuditAnswer> {
  const deadlineMs = scheduler.monotonicMs() + waitMs;
  const limit = new AbortController();
  const timer = scheduler.schedule(waitMs + GRACE_MS, () => limit.abort());
  try {
    for (;;) {
      const leftMs = Math.max(0, Math.round(deadlineMs - scheduler.monotonicMs()));
      const parameters = { waitMs: Math.min(AUDIT_WAIT_MS_MAX, leftMs) };
      const audit = completed(await client.getJson<AuditAnswer>('/audit', parameters, limit.signal));
      // For silent agents the server does not wait either.
      const { length: silent } = audit.agents.silent;
      const isOnlySilence = silent > 0 && silent === audit.problemCount;
      if (audit.verdict !== 'unknown' || isOnlySilence || scheduler.monotonicMs() >= deadlineMs) return audit;
      await scheduler.sleep(RETRY_MS);
    }
  } catch (error) {
    if (!limit.signal.aborted) throw error;
    throw new AppError('timed_out', `cannot get an audit of ${client.serverUrl} in time`, {
      hint: 'Wait longer with --wait: a large store takes a while to count.',
    });
  } finally {
    timer.cancel();
  }
}

const COLUMNS = [
  { title: 'NAMESPACE' },
  { title: 'POD' },
  { title: 'CONTAINER' },
  { title: 'FILES', isNumber: true },
  { title: 'WRITTEN', isNumber: true },
  { title: 'RECORDS', isNumber: true },
  { title: 'LAG', isNumber: true },
  { title: 'MISSING', isNumber: true },
  { title: 'TWICE', isNumber: true },
  { title: 'DROPPED', isNumber: true },
  { title: 'DEAD', isNumber: true },
  { title: 'EXPIRED', isNumber: true },
  { title: 'VERDICT' },
];

/** Returns the table of an audit, its problems, and the verdict in one sentence. */
export function formatAudit(audit: AuditAnswer, colors: Colors): string {
  const rows = audit.rows.map((row) => [
    row.namespace ?? '-',
    row.pod ?? '-',
    row.container ?? '-',
    ...figures(row),
    row.verdict,
  ]);
  if (rows.length !== 1) rows.push(['total', '', '', ...figures(audit), audit.verdict]);
  if (audit.withoutAgent.files > 0) rows.push(withoutAgentRow(audit));
  const table = formatTable(COLUMNS, rows, colors);
  const problems = audit.problems
    .map(({ path, fileId, reason }) => (fileId === '' ? `  ${reason}\n` : `  ${path ?? fileId}: ${reason}\n`))
    .join('');
  const more = audit.problemCount - audit.problems.length;
  const told =
    audit.toldAt === null ? '' : `Agents elsewhere: what they had said by ${audit.toldAt.slice(0, 19)}Z.\n`;
  return [
    audit.rows.length === 0 && audit.withoutAgent.files === 0 ? '' : `${table}\n`,
    problems,
    more > 0 ? `  and ${formatCount(more)} more files\n` : '',
    `${verdictText(audit, colors)}\n`,
    earlyText(audit),
    told,
    agentsText(audit),
  ].join('');
}

function earlyText({ expiredEarly }: AuditAnswer): string {
  if (expiredEarly === 0) return '';
  return `Warning: ${formatPlural(expiredEarly, 'record')} stood in indices that somebody deleted before the lifecycle policy would have.\n`;
}

/** What is to be known of agents that speak no more. */
function agentsText({ agents: { silent, stopped } }: AuditAnswer): string {
  const lines = stopped
    .slice(0, STOPPED_SHOWN_MAX)
    .map(
      ({ node, saidAt }) =>
        `The agent of node ${node} stopped in good order at ${saidAt.slice(0, 19)}Z: what was written there since is in no figure.\n`,
    );
  if (stopped.length > STOPPED_SHOWN_MAX)
    lines.push(`And so did ${formatPlural(stopped.length - STOPPED_SHOWN_MAX, 'other agent')}.\n`);
  if (silent.length > 0)
    lines.push(
      'Start silent agents again, or `logboom audit forget NODE` where the node is gone for good.\n',
    );
  return lines.join('');
}

function withoutAgentRow({ withoutAgent }: AuditAnswer): string[] {
  return [
    '(without an agent)',
    '',
    '',
    formatCount(withoutAgent.files),
    '',
    formatCount(withoutAgent.records),
    '',
    '',
    '',
    formatCount(withoutAgent.droppedByPipeline),
    formatCount(withoutAgent.deadLettered),
    formatCount(withoutAgent.expired),
    '',
  ];
}

function figures(row: AuditFigures | AuditRow): string[] {
  return [
    formatCount(row.files),
    formatSize(row.bytesWritten),
    formatCount(row.records),
    formatSize(row.lagBytes),
    formatCount(row.missing),
    formatCount(row.twice),
    formatCount(row.droppedByPipeline),
    formatCount(row.deadLettered),
    formatCount(row.expired),
  ];
}

function verdictText(audit: AuditAnswer, colors: Colors): string {
  const records = `${formatPlural(audit.records, 'record')} of ${formatPlural(audit.files, 'file')}`;
  const loss = lossText(audit);
  switch (audit.verdict) {
    case 'accounted':
      return `${colors.green('All accounted for')}: ${records}, 0 missing, 0 twice.${lettersText(audit)}${unfinishedText(audit)}${loss}`;
    case 'discrepancy':
      return `${colors.red('Discrepancy')}: ${records}, ${formatCount(audit.missing)} missing, ${formatCount(audit.twice)} twice.${loss}`;
    case 'unknown':
      return `${colors.yellow('Cannot tell yet')}: ${records}, ${formatSize(audit.lagBytes)} not delivered.${silenceOf(audit)}${loss}`;
  }
}

function silenceOf({ agents: { silent } }: AuditAnswer): string {
  if (silent.length === 0) return '';
  return silent.length === 1 ? ' 1 agent is silent.' : ` ${formatCount(silent.length)} agents are silent.`;
}

function lettersText({ deadLettered, withoutAgent }: AuditAnswer): string {
  const refused = deadLettered + withoutAgent.deadLettered;
  if (refused === 0) return '';
  return ` The store refused ${formatPlural(refused, 'record')}: see \`logboom replay\`.`;
}

function unfinishedText({ unfinishedBytes }: AuditAnswer): string {
  if (unfinishedBytes === 0) return '';
  return ` ${formatPlural(unfinishedBytes, 'byte')} of unfinished lines wait for their ends.`;
}

function lossText({ possibleLoss, possibleLossBytes, possibleLossUnsized }: AuditAnswer): string {
  if (possibleLoss === 0) return '';
  const unsized = possibleLossUnsized === 0 ? [] : ['an unknown number of bytes'];
  const sized = possibleLoss > possibleLossUnsized ? [formatSize(possibleLossBytes)] : [];
  const size = [...sized, ...unsized].join(' and ');
  return ` Bytes may have been lost in ${formatPlural(possibleLoss, 'place')} (${size}).`;
}
