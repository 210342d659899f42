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
import { parseCount } from '../arguments.ts';
import type { CommandSetup } from '../command-setup.ts';
import type { CliContext } from '../context.ts';
import { formatGroups, formatLetter, formatResult } from '../letter-texts.ts';
import { colorsFor, formatCount, formatPlural } from '../output.ts';
import { printLetters } from '../print-letters.ts';
import { addServerOptions, openClient } from '../server-options.ts';

/** A line that an answer is longer than is no progress. */
const LINE_CHARACTERS_MAX = 1_000_000;

/** Letters of a group that are listed when nobody says how many. */
const SHOWN_MAX = 100;

/** An id of a group has no dash, unlike those of letters. */
const GROUP_ID = /^[0-9a-f]{10}$/;

interface SelectionFlags {
  readonly id?: readonly string[];
  readonly group?: string;
  readonly query?: string;
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
  logboom replay list --group 1f0c9a77d2               the letters of one error
  logboom replay show 0123456789abcdef0123-00000000002a
  logboom replay run --group 1f0c9a77d2                after the mapping was mended
  logboom replay run --query 'namespace:shop'
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
  addList(command, setup);
  addShow(command, setup);
  addRun(command, setup);
  addDiscard(command, setup);
}

function addList(parent: Command, { context }: CommandSetup): void {
  const command = parent
    .command('list')
    .description('list dead letters one by one, the newest first; without a selection all of them');
  addFilters(command)
    .addOption(
      new Option('--limit <N>', 'at most this many').default(SHOWN_MAX).argParser(parseCount('--limit')),
    )
    .option('--json', 'print a JSON object per line');
  addServerOptions(command);
  command.action(async (options: SelectionFlags & { limit: number; json?: boolean }) => {
    const { limit, json: isJson = false } = options;
    const client = openClient(context, command);
    await printLetters(context, client, { selection: selectionOf(options), limit, isJson });
  });
}

function addShow(parent: Command, { context }: CommandSetup): void {
  const command = parent
    .command('show <ID>')
    .description('show one dead letter with its document, or list those of a group')
    .option('--json', 'print JSON');
  addServerOptions(command);
  command.action(async (id: string, { json: isJson = false }: { json?: boolean }) => {
    const client = openClient(context, command);
    if (GROUP_ID.test(id)) {
      await printLetters(context, client, { selection: { group: id }, limit: SHOWN_MAX, isJson });
      return;
    }
    const letter = await client.getJson<DeadLetterAnswer>(`/dead-letters/letters/${encodeURIComponent(id)}`);
    context.stdout.write(`${isJson ? JSON.stringify(letter) : formatLetter(letter)}\n`);
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

function addFilters(command: Command): Command {
  return command
    .addOption(new Option('--group <ID>', 'those of this group, as `logboom replay` names it'))
    .addOption(new Option('--query <QUERY>', 'those whose documents match, as they were delivered'))
    .addOption(new Option('--type <TEXT>', 'those with this type of error'))
    .addOption(new Option('--index <NAME>', 'those that were meant for this index'));
}

function addSelection(command: Command): Command {
  return addFilters(command)
    .addOption(new Option('--id <ID...>', 'these'))
    .addOption(new Option('--all', 'every one'));
}

function selectionOf({ id: ids, group, query, type, index, all }: SelectionFlags): DeadLetterSelection {
  return { ids, group, query, type, index, all };
}

function readSelection(flags: SelectionFlags): DeadLetterSelection {
  const selection = selectionOf(flags);
  if (Object.values(selection).every((value) => value === undefined)) {
    const hint = 'Narrow them with --group, --query, --type, --index or --id, or give --all for every one.';
    throw new ConfigError('--all', 'nothing says which dead letters are meant', hint);
  }
  return selection;
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
