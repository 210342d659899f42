import { AppError, messageOf } from '../../base/errors.ts';
import type { ApiDocument, TailSkipped } from '../../api/api-types.ts';
import { RecordFormatter } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';
import { addServerOptions, openClient } from '../server-options.ts';
import { readEvents } from '../sse.ts';
import type { ServerSentEvent } from '../sse.ts';
import type { CliContext } from '../context.ts';

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;

/** Adds `tail`. */
export function addTailCommand({ program, context }: CommandSetup): void {
  const command = program
    .command('tail')
    .description('print records as they arrive')
    .argument('[QUERY...]', 'as in `logboom search`; everything when there is none')
    .option('--json', 'print one JSON document per line');
  addServerOptions(command).addHelpText(
    'after',
    `
Examples:
  logboom tail level:error
  logboom tail namespace:shop not health --json

Ends with Ctrl-C. When the server goes away it waits and connects again; what came in between is found by search.`,
  );
  command.action(async (words: readonly string[], options: { json?: boolean }) => {
    const client = openClient(context, command);
    const signal = context.interrupted();
    const print = printerFor(context, options.json === true);
    const connect = () => client.open('/tail', { query: words.join(' ') }, signal);
    // The first connection must succeed: a wrong address should not look like silence.
    let response: Response | undefined = await connect();
    for (let retryMs = RETRY_MS_MIN; !signal.aborted;) {
      if (response !== undefined) {
        retryMs = RETRY_MS_MIN;
        await follow(response, print, context, signal);
      }
      if (signal.aborted) return;
      await context.scheduler.sleep(retryMs, signal);
      retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
      response = await connect().catch(rethrowUnlessAway);
      if (response !== undefined) context.stderr.write('logboom: connected again\n');
    }
  });
}

async function follow(
  response: Response,
  print: (event: ServerSentEvent) => void,
  context: CliContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of readEvents(response)) print(event);
    if (!signal.aborted)
      context.stderr.write('logboom: the server closed the connection, connecting again\n');
  } catch (error) {
    if (signal.aborted) return;
    context.stderr.write(`logboom: lost the server (${messageOf(error)}), connecting again\n`);
  }
}

function printerFor({ stdout, stderr }: CliContext, isJson: boolean): (event: ServerSentEvent) => void {
  const formatter = new RecordFormatter(stdout.hasColor);
  return ({ event, data }) => {
    if (event === 'skipped') {
      const { skipped } = JSON.parse(data) as TailSkipped;
      stderr.write(`logboom: left out ${skipped} records, because they came faster than they were read\n`);
    } else if (event === 'message') {
      stdout.write(isJson ? `${data}\n` : formatter.format(JSON.parse(data) as ApiDocument));
    }
  };
}

function rethrowUnlessAway(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'unreachable') return undefined;
  throw error;
}
