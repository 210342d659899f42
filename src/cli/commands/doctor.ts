import { EXIT_CODE } from '../../base/errors.ts';
import { addElasticsearchFlag, addKafkaFlag, clusterFlags } from '../cluster-flags.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import type { Finding } from '../context.ts';
import { colorsFor } from '../output.ts';
import type { Colors } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';

/** Adds `doctor`. */
export function addDoctorCommand({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('doctor')
    .description('examine this machine, and the broker and the store that it uses')
    .option('--json', 'print JSON');
  addKafkaFlag(command);
  addElasticsearchFlag(command);
  addConfigOptions(command, { sections: ['sources', 'kubernetes'] }).addHelpText(
    'after',
    `
Exit code 1 when something must be mended.

Examples:
  logboom doctor
  logboom doctor --data /var/lib/logboom
  logboom doctor --kafka kafka-1.example:9092 --elasticsearch https://search.example:9200`,
  );
  command.action(async (options: { json?: boolean }) => {
    const loaded = loadCommandConfig(context, command, { extraFlags: clusterFlags(command) });
    const findings = await context.actions.doctor(loaded);
    const colors = colorsFor(context.stdout.hasColor);
    context.stdout.write(
      options.json === true ? `${JSON.stringify({ findings })}\n` : formatFindings(findings, colors),
    );
    const hasFailed = findings.some(({ status }) => status === 'fail');
    setExitCode(hasFailed ? EXIT_CODE.discrepancy : EXIT_CODE.ok);
  });
}

/** Returns one line per finding, with the remedy below those that are not ok, and the sum at the end. */
export function formatFindings(findings: readonly Finding[], colors: Colors): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  const marks = { ok: colors.green('ok  '), warn: colors.yellow('warn'), fail: colors.red('fail') };
  const lines = findings.flatMap(({ status, check, text, remedy }) => [
    `${marks[status]}  ${check.padEnd(width)}  ${text}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 8)}${colors.dim(remedy)}`]),
  ]);
  const count = (wanted: Finding['status']): number =>
    findings.filter(({ status }) => status === wanted).length;
  return `${lines.join('\n')}\n\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} to mend\n`;
}
