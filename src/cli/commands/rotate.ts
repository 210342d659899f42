import { Argument } from 'commander';
import { ConfigError, EXIT_CODE } from '../../base/errors.ts';
import type { CommandSetup } from '../command-setup.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import type { CliContext, PlannedFile, PlannedPod, RotatePlan, RotateReport } from '../context.ts';
import { type Colors, colorsFor, formatPlural, formatSize, formatTable } from '../output.ts';

/** Adds `rotate`. */
export function addRotateCommand({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('rotate')
    .description('show which policy holds for every log file and what it would do, or what was done last')
    .addArgument(
      new Argument('[ACTION]', 'when files were rotated last, what was freed, and what waits').choices([
        'status',
      ]),
    )
    .option('--dry-run', 'show what would be done now, and why; nothing is changed')
    .option('--json', 'print JSON');
  addConfigOptions(command, { sections: ['sources', 'rotate'] }).addHelpText(
    'after',
    `
The agent rotates by itself, as \`rotate\` of its configuration says. Exit code 1 of status when a
budget is exceeded, or another process holds the files.

Examples:
  logboom rotate --dry-run --config logboom.yaml
  logboom rotate status --data /var/lib/logboom`,
  );
  command.action(async (action: string | undefined, options: { dryRun?: boolean; json?: boolean }) => {
    const isStatus = action === 'status';
    if (isStatus === (options.dryRun === true)) {
      throw new ConfigError('rotate', 'say either status or --dry-run', 'The agent itself rotates.');
    }
    const loaded = loadCommandConfig(context, command);
    if (isStatus) {
      const report = await context.actions.reportRotation(loaded);
      setExitCode(printReport(context, report, { isJson: options.json === true, data: loaded.config.data }));
      return;
    }
    printPlan(context, await context.actions.planRotation(loaded), options.json === true);
    setExitCode(EXIT_CODE.ok);
  });
}

function printPlan(context: CliContext, plan: RotatePlan, isJson: boolean): void {
  if (isJson) {
    context.stdout.write(`${JSON.stringify(plan)}\n`);
    return;
  }
  const colors = colorsFor(context.stdout.hasColor);
  for (const warning of plan.warnings) context.stderr.write(`logboom: warning: ${warning}\n`);
  for (const file of plan.files) context.stdout.write(formatPlanned(file, colors));
  for (const pod of plan.pods) context.stdout.write(formatPlannedPod(pod, colors));
  for (const text of plan.logrotate) context.stdout.write(`${colors.dim(text)}\n`);
  const changes = plan.files.filter(({ action }) => action !== 'nothing').length;
  const removals = plan.pods.filter(({ action }) => action === 'remove').length;
  const pods = removals === 0 ? '' : `; the directories of ${formatPlural(removals, 'pod')} to be removed`;
  context.stdout.write(
    `${formatPlural(plan.files.length, 'file')}, ${changes} of them to be changed${pods}\n`,
  );
}

/** Returns what is shown of one file: its figures, the policy and why, the action and why. */
export function formatPlanned(file: PlannedFile, colors: Colors): string {
  const { size, diskBytes, acknowledged } = file;
  // Of files without a policy the agent does not say it.
  const known = file.policy === 'none' ? '' : `, ${formatSize(acknowledged)} acknowledged`;
  const figures = `${formatSize(size)}, ${formatSize(diskBytes)} on disk${known}`;
  const policy = file.policy === 'none' ? 'none' : `${file.policy}, ${file.method}`;
  const action = file.action === 'nothing' ? file.action : colors.yellow(file.action);
  return `${colors.bold(file.path)}
  size    ${figures}
  policy  ${policy}: ${file.why}
  action  ${action}: ${file.because}

`;
}

/** Returns what is shown of a pod's directory: its figures, the action and why. */
export function formatPlannedPod(pod: PlannedPod, colors: Colors): string {
  const { files, diskBytes, written } = pod;
  const figures = `${formatPlural(files, 'file')}, ${formatSize(diskBytes)} on disk, last written ${written.slice(0, 19)}Z`;
  const action = pod.action === 'nothing' ? pod.action : colors.yellow(pod.action);
  return `${colors.bold(`${pod.path}/`)}
  size    ${figures}
  action  ${action}: ${pod.because}

`;
}

function printReport(
  context: CliContext,
  report: RotateReport | undefined,
  { isJson, data }: { readonly isJson: boolean; readonly data: string },
): number {
  if (isJson) context.stdout.write(`${JSON.stringify(report ?? null)}\n`);
  else if (report === undefined) {
    context.stdout.write(`Nothing was rotated yet by an agent with the data directory ${data}.\n`);
  } else context.stdout.write(formatReport(report, colorsFor(context.stdout.hasColor)));
  return report === undefined || report.problems.length === 0 ? EXIT_CODE.ok : EXIT_CODE.discrepancy;
}

/** Returns a table of what was done last, and what waits below it. */
export function formatReport(report: RotateReport, colors: Colors): string {
  const columns = [
    { title: 'FILE' },
    { title: 'POLICY' },
    { title: 'METHOD' },
    { title: 'ON DISK', isNumber: true },
    { title: 'FREED', isNumber: true },
    { title: 'LAST' },
  ];
  const rows = report.groups.map(({ path, policy, method, diskBytes, freedBytes, last }) => [
    path,
    policy,
    method,
    formatSize(diskBytes),
    formatSize(freedBytes),
    last === undefined ? '-' : `${last.time.slice(0, 19)}Z ${last.action}`,
  ]);
  const waits = report.groups.flatMap(({ waits: text }) => (text === undefined ? [] : [`waits: ${text}\n`]));
  const removed = (report.pods?.removed ?? []).map(
    ({ time, path, files, freedBytes }) =>
      `removed: ${path}, ${formatPlural(files, 'file')}, ${formatSize(freedBytes)}, ${time.slice(0, 19)}Z\n`,
  );
  const kept = (report.pods?.kept ?? []).map(({ path, reason }) => `kept: ${path}: ${reason}\n`);
  const problems = report.problems.map((text) => `${colors.red('problem')}: ${text}\n`);
  const age = report.isRunning ? '' : ` The agent does not run: this is as of ${report.time.slice(0, 19)}Z.`;
  const sum = `${formatSize(report.freedBytes)} freed in all.${age}\n`;
  const table = rows.length === 0 ? 'No file has a policy.\n' : formatTable(columns, rows, colors);
  return [table, ...waits, ...removed, ...kept, ...problems, sum].join('');
}
