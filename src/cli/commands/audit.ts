import { Option } from 'commander';
import { AppError, EXIT_CODE } from '../../base/errors.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import { AUDIT_WAIT_MS_MAX } from '../../api/api-types.ts';
import type { AuditAnswer, AuditFigures, AuditRow, AuditVerdict } from '../../api/api-types.ts';
import type { ApiClient } from '../api-client.ts';
import { readDurationMs } from '../arguments.ts';
import { colorsFor, formatCount, formatPlural, formatSize, formatTable } from '../output.ts';
import type { Colors } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';
import { addServerOptions, openClient } from '../server-options.ts';
import { reportError } from '../report-error.ts';

const EXIT_CODES: Readonly<Record<AuditVerdict, number>> = {
  accounted: EXIT_CODE.ok,
  discrepancy: EXIT_CODE.discrepancy,
  unknown: EXIT_CODE.unknown,
};

const RETRY_MS = 500;

/** What a server may need beyond the wait, to bring its ledger up to date and to count what it holds. */
const GRACE_MS = 20_000;

/** Adds `audit`. */
export function addAuditCommand({ program, context, setExitCode }: CommandSetup): void {
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
2 cannot tell yet (the server is away, or what was written is not stored yet).

Examples:
  logboom audit
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
      const audit = await client.getJson<AuditAnswer>('/audit', parameters, limit.signal);
      if (audit.verdict !== 'unknown' || scheduler.monotonicMs() >= deadlineMs) return audit;
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
    told,
  ].join('');
}

function withoutAgentRow({ withoutAgent: { files, records } }: AuditAnswer): string[] {
  return [
    '(without an agent)',
    '',
    '',
    formatCount(files),
    '',
    formatCount(records),
    ...Array<string>(7).fill(''),
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
      return `${colors.yellow('Cannot tell yet')}: ${records}, ${formatSize(audit.lagBytes)} not delivered.${loss}`;
  }
}

function lettersText({ deadLettered }: AuditAnswer): string {
  if (deadLettered === 0) return '';
  return ` The store refused ${formatPlural(deadLettered, 'record')}: see \`logboom replay\`.`;
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
