import { Option } from 'commander';
import { SingleBar } from 'cli-progress';
import { EXIT_CODE } from '../../base/errors.ts';
import { resolveFrom } from '../../config/load-config.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import type { CliContext, ImportProgress, ImportResult } from '../context.ts';
import { formatCount, formatPlural, formatSize, formatTimeLeft } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';
import { addServerOptions, readServerUrl } from '../server-options.ts';

interface ImportFlags {
  readonly namespace?: string;
  readonly pod?: string;
  readonly container?: string;
  readonly app?: string;
  readonly format: string;
  readonly timestamps: string;
  readonly server?: string;
  readonly token?: string;
  readonly json?: boolean;
}

const FIELDS = {
  namespace: 'kubernetes.namespace',
  pod: 'kubernetes.pod.name',
  container: 'kubernetes.container.name',
  app: 'service.name',
} as const;

/** Adds `import`. */
export function addImportCommand({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('import')
    .description(
      'load existing log files, .gz and .zst too; a file that was loaded before is not loaded again',
    )
    .argument('<FILE...>', 'files')
    .addOption(new Option('--namespace <NAME>', 'namespace of the records'))
    .addOption(new Option('--pod <NAME>', 'pod of the records'))
    .addOption(new Option('--container <NAME>', 'container of the records'))
    .addOption(new Option('--app <NAME>', 'app (service) of the records'))
    .addOption(
      new Option('--format <FORMAT>', 'framing of the lines')
        .choices(['auto', 'cri', 'docker', 's6', 'plain'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--timestamps <HOW>',
        'time of lines that no runtime stamped: the stamp they begin with, or now',
      )
        .choices(['auto', 'none'])
        .default('auto'),
    )
    .option('--json', 'print the result as JSON');
  addServerOptions(command);
  addConfigOptions(command, { sections: ['agent', 'store', 'indexer', 'log'] }).addHelpText(
    'after',
    `
The records go to the server that runs; when none answers, straight into the data directory.
Exit code 1 when a compressed file breaks off: what could be read of it is loaded.

Examples:
  logboom import old/*.log.gz --namespace shop --app checkout
  logboom import notes.log --timestamps none
  logboom import /backup/nginx.log --data /var/lib/logboom`,
  );
  command.action(async (files: readonly string[], flags: ImportFlags) => {
    const loaded = loadCommandConfig(context, command);
    const bar = openBar(context);
    const result = await context.actions
      .importFiles({
        loaded,
        files: files.map((file) => resolveFrom(context.workingDirectory, file)),
        fields: fieldsOf(flags),
        format: flags.format,
        takesLineTimes: flags.timestamps === 'auto',
        serverUrl: serverUrlOf(context, flags.server),
        isServerRequired: flags.server !== undefined,
        token: flags.token ?? context.environment['LOGBOOM_TOKEN'],
        onProgress: (progress) => bar?.show(progress),
        onNotice: (text) => context.stderr.write(`logboom: ${text}\n`),
      })
      .finally(() => bar?.stop());
    const { failed, incomplete } = result;
    const hasRead = failed.length < files.length;
    if (flags.json === true) context.stdout.write(`${JSON.stringify(result)}\n`);
    else if (hasRead) context.stdout.write(formatResult(result));
    for (const { path, reason } of failed)
      context.stderr.write(`logboom: cannot import ${path}: ${reason}\n`);
    for (const { path, reason } of incomplete)
      context.stderr.write(`logboom: only a part of ${path} was imported: ${reason}\n`);
    if (incomplete.length > 0) setExitCode(EXIT_CODE.discrepancy);
    if (failed.length > 0) setExitCode(EXIT_CODE.environment);
  });
}

function formatResult({ records, alreadyThere, bytes, target, times }: ImportResult): string {
  if (alreadyThere === 0) {
    const read = `${formatPlural(records, 'record')} (${formatSize(bytes)})`;
    return `imported ${read} into ${target}\n${timesText(times)}`;
  }
  const known = `${formatCount(alreadyThere)} ${alreadyThere === 1 ? 'was' : 'were'} there already`;
  const fresh = records - alreadyThere;
  const text = `imported ${formatPlural(fresh, 'record')} into ${target}, ${known}\n`;
  return fresh === 0 ? text : `${text}${timesText(times)}`;
}

/** Says whose time the lines have that no runtime stamped. */
function timesText({ fromLine, fromImport }: ImportResult['times']): string {
  const own = `${formatCount(fromLine)} ${fromLine === 1 ? 'has the time of its line' : 'have the times of their lines'}`;
  const others = `${formatCount(fromImport)} without a stamp ${fromImport === 1 ? 'has' : 'have'} the time of the import`;
  const parts = [...(fromLine > 0 ? [own] : []), ...(fromImport > 0 ? [others] : [])];
  return parts.length === 0 ? '' : `${parts.join(', ')}\n`;
}

function serverUrlOf({ environment }: CliContext, flag: string | undefined): string {
  return readServerUrl(flag, environment['LOGBOOM_SERVER']);
}

function fieldsOf(flags: ImportFlags): Record<string, string> {
  const entries = Object.entries(FIELDS).flatMap(([flag, field]) => {
    const value = flags[flag as keyof typeof FIELDS];
    return value === undefined ? [] : [[field, value] as const];
  });
  return Object.fromEntries(entries);
}

function openBar({ stderr }: CliContext): { show(progress: ImportProgress): void; stop(): void } | undefined {
  if (!stderr.isTerminal) return undefined;
  const bar = new SingleBar({
    format: '{bar} {percentage}% {done} of {size}, {records} records, {eta_formatted} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    formatTime: formatTimeLeft,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(1, 0, { done: '0 B', size: '…', records: '0' });
  return {
    show({ bytesDone, bytesTotal, records }) {
      bar.setTotal(Math.max(1, bytesTotal));
      const facts = {
        done: formatSize(bytesDone),
        size: formatSize(bytesTotal),
        records: formatCount(records),
      };
      bar.update(bytesDone, facts);
    },
    stop: () => bar.stop(),
  };
}
