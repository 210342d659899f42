/** `logboom replay`: looks at what the store refused, and sends it once more or gives it up. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type {
  DeadLetterAnswer,
  DeadLettersAnswer,
  DeadLetterSelection,
  DiscardAnswer,
  ReplayProgress,
} from '../../api/api-types.ts';
import { AppError, ConfigError, EXIT_CODE } from '../../base/errors.ts';
import type { ApiClient } from '../api-client.ts';
import type { CommandSetup } from '../command-setup.ts';
import type { CliContext } from '../context.ts';
import { colorsFor, formatCount, formatPlural, formatTable } from '../output.ts';
import type { Colors } from '../output.ts';
import { addServerOptions, openClient } from '../server-options.ts';

/** A line that an answer is longer than is no progress. */
const LINE_CHARACTERS_MAX = 1_000_000;

interface SelectionFlags {
  readonly id?: readonly string[];
  readonly type?: string;
  readonly index?: string;
  readonly all?: boolean;
}

/** Adds `replay` with what can be done to dead letters. */
export function addReplayCommand(setup: CommandSetup): void {
  const { program, context } = setup;
  const command = program
    .command('replay')
    .description('list dead letters: documents that the store refused; show, replay or discard them')
    .option('--json', 'print JSON');
  addServerOptions(command).addHelpText(
    'after',
    `
Examples:
  logboom replay                                       what there is, by error
  logboom replay show 0123456789abcdef0123-00000000002a
  logboom replay run --type mapper_parsing_exception   after the mapping was mended
  logboom replay discard --all`,
  );
  command.action(async (options: { json?: boolean }) => {
    const answer = await openClient(context, command).getJson<DeadLettersAnswer>('/dead-letters');
    const text =
      options.json === true
        ? JSON.stringify(answer)
        : formatGroups(answer, colorsFor(context.stdout.hasColor));
    context.stdout.write(`${text}\n`);
  });
  addShow(command, setup);
  addRun(command, setup);
  addDiscard(command, setup);
}

function addShow(parent: Command, { context }: CommandSetup): void {
  const command = parent
    .command('show <ID>')
    .description('show one dead letter with its document')
    .option('--json', 'print JSON');
  addServerOptions(command);
  command.action(async (id: string, options: { json?: boolean }) => {
    const client = openClient(context, command);
    const letter = await client.getJson<DeadLetterAnswer>(`/dead-letters/letters/${encodeURIComponent(id)}`);
    context.stdout.write(`${options.json === true ? JSON.stringify(letter) : formatLetter(letter)}\n`);
  });
}

function addRun(parent: Command, { context, setExitCode }: CommandSetup): void {
  const command = parent
    .command('run')
    .description(
      'send dead letters through the current pipelines to the store; repeating it stores nothing twice',
    );
  addSelection(command)
    .option('--dry-run', 'run the pipelines only, and change nothing')
    .option('--json', 'print JSON');
  addServerOptions(command);
  command.action(async (options: SelectionFlags & { dryRun?: boolean; json?: boolean }) => {
    const isDryRun = options.dryRun === true;
    const client = openClient(context, command);
    const result = await replay(context, client, { ...readSelection(options), isDryRun });
    context.stdout.write(
      `${options.json === true ? JSON.stringify(result) : formatResult(result, isDryRun)}\n`,
    );
    setExitCode(result.refused > 0 ? EXIT_CODE.discrepancy : EXIT_CODE.ok);
  });
}

function addDiscard(parent: Command, { context }: CommandSetup): void {
  const command = parent
    .command('discard')
    .description('give dead letters up for good; the audit counts them as dropped');
  addSelection(command).option('--yes', 'do not ask').option('--json', 'print JSON');
  addServerOptions(command);
  command.action(async (options: SelectionFlags & { yes?: boolean; json?: boolean }) => {
    const selection = readSelection(options);
    if (options.yes !== true && !(await isSure(context))) {
      context.stderr.write('Nothing was discarded.\n');
      return;
    }
    const response = await openClient(context, command).post('/dead-letters/discard', selection);
    const answer = (await response.json()) as DiscardAnswer;
    const text = `Discarded ${formatPlural(answer.discarded, 'dead letter')}.`;
    context.stdout.write(`${options.json === true ? JSON.stringify(answer) : text}\n`);
  });
}

function addSelection(command: Command): Command {
  return command
    .addOption(new Option('--type <TEXT>', 'those with this type of error'))
    .addOption(new Option('--index <NAME>', 'those that were meant for this index'))
    .addOption(new Option('--id <ID...>', 'these'))
    .addOption(new Option('--all', 'every one'));
}

function readSelection({ id: ids, type, index, all }: SelectionFlags): DeadLetterSelection {
  if (ids === undefined && type === undefined && index === undefined && all !== true) {
    const hint = 'Narrow them with --type, --index or --id, or give --all for every one.';
    throw new ConfigError('--all', 'nothing says which dead letters are meant', hint);
  }
  return { ids, type, index, all };
}

async function isSure({ confirm }: CliContext): Promise<boolean> {
  if (confirm !== undefined) return confirm('Discard these dead letters for good?');
  throw new ConfigError('--yes', 'discarding must be confirmed, and there is no terminal to ask at');
}

/** Returns the last line of the progress; earlier ones are shown at a terminal. */
async function replay(context: CliContext, client: ApiClient, body: object): Promise<ReplayProgress> {
  const response = await client.post('/dead-letters/replay', body);
  const { stderr } = context;
  let last: ReplayProgress | undefined;
  for await (const line of linesOf(response)) {
    last = JSON.parse(line) as ReplayProgress;
    if (stderr.isTerminal) stderr.write(`\r${formatCount(last.selected)} replayed …`);
  }
  if (stderr.isTerminal && last !== undefined) stderr.write('\r\u001B[K');
  if (last?.error !== undefined) {
    const { message, hint } = last.error;
    throw new AppError(
      'unreachable',
      `cannot go on replaying after ${formatCount(last.stored)}: ${message}`,
      { hint },
    );
  }
  if (last?.isDone === true) return last;
  throw new AppError('unreachable', 'cannot tell how the replay ended: the server closed the connection', {
    hint: 'Run it again: nothing is stored twice.',
  });
}

async function* linesOf(response: Response): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    const lines = text.split('\n');
    text = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
    yield* lines.filter((line) => line !== '');
  }
}

/** Returns the table of groups. */
export function formatGroups({ letters, discarded, groups }: DeadLettersAnswer, colors: Colors): string {
  const gone = discarded === 0 ? '' : ` ${formatPlural(discarded, 'earlier one')} discarded or dropped.`;
  if (letters === 0) return `No dead letters: the store refused nothing that waits for you.${gone}`;
  const columns = [
    { title: 'LETTERS', isNumber: true },
    { title: 'ERROR' },
    { title: 'INDEX' },
    { title: 'FIRST' },
    { title: 'LAST' },
    { title: 'EXAMPLE' },
  ];
  const rows = groups.map(({ count, type, index, first, last, example }) => [
    formatCount(count),
    type,
    index ?? '-',
    toSeconds(first),
    toSeconds(last),
    example.id,
  ]);
  const reasons = groups.map(({ type, example }) => `  ${type}: ${example.reason.slice(0, 300)}`).join('\n');
  return `${formatTable(columns, rows, colors)}\n${reasons}\n\n${formatPlural(letters, 'dead letter')}.${gone}`;
}

function formatLetter(letter: DeadLetterAnswer): string {
  const { id, time, error, index, source, attempts, document } = letter;
  const place =
    source === null ? '-' : `${source.topic}, partition ${source.partition}, offset ${source.offset}`;
  return [
    `id        ${id}`,
    `given up  ${time}, attempt ${attempts}`,
    `error     ${error.type}: ${error.reason}`,
    `index     ${index ?? '-'}`,
    `from      ${place}`,
    '',
    document,
  ].join('\n');
}

function formatResult(result: ReplayProgress, isDryRun: boolean): string {
  const { selected, stored, dropped, refused, example } = result;
  if (selected === 0) return 'No dead letter fits.';
  if (isDryRun)
    return `${formatPlural(stored, 'document')} would be sent, ${formatCount(dropped)} dropped by pipelines.`;
  const parts = [`${formatPlural(selected, 'dead letter')} replayed: ${formatCount(stored)} stored`];
  if (dropped > 0) parts.push(`${formatCount(dropped)} dropped by pipelines`);
  if (refused > 0) parts.push(`${formatCount(refused)} refused again`);
  const why = example === undefined ? '' : `\n  ${example.id}: ${example.type}: ${example.reason}`;
  return `${parts.join(', ')}.${why}`;
}

function toSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
