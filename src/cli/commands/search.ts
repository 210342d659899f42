import { Option } from 'commander';
import { SEARCH_LIMIT_DEFAULT, SEARCH_LIMIT_MAX, START_DEFAULT } from '../../api/api-types.ts';
import type { SearchAnswer } from '../../api/api-types.ts';
import { parseQuery } from '../../query/parser.ts';
import { parseCount, readTime } from '../arguments.ts';
import { RecordFormatter } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';
import { addServerOptions, openClient } from '../server-options.ts';
import type { ApiClient } from '../api-client.ts';
import type { CliContext, Output } from '../context.ts';

interface SearchOptions {
  readonly since: string;
  readonly until?: string;
  readonly limit: number;
  readonly order?: 'asc' | 'desc';
  readonly json?: boolean;
}

/** Adds `search`. */
export function addSearchCommand({ program, context }: CommandSetup): void {
  const command = program
    .command('search')
    .description('find records')
    .argument('[QUERY...]', 'words, "phrases", field:value, and, or, not; everything when there is none')
    .addOption(
      new Option('--since <TIME>', 'a duration ago or a time in RFC 3339').default(
        START_DEFAULT.replace('now-', ''),
      ),
    )
    .addOption(new Option('--until <TIME>', 'a duration ago or a time in RFC 3339; without it now'))
    .addOption(
      new Option('-n, --limit <N>', 'most records; the newest ones, unless --order asc')
        .argParser(parseCount('--limit'))
        .default(SEARCH_LIMIT_DEFAULT),
    )
    .addOption(
      new Option('--order <ORDER>', 'print oldest (asc) or newest (desc) first').choices(['asc', 'desc']),
    )
    .option('--json', 'print one JSON document per line, oldest first');
  addServerOptions(command).addHelpText(
    'after',
    `
Examples:
  logboom search error --since 15m
  logboom search 'namespace:shop level>=warn "card declined"' --limit 1000
  logboom search 'fields.status>=500' --since 2026-11-23T04:00:00Z --json | jq .message

Printed are the newest records up to the limit, the oldest of them first.`,
  );
  command.action(async (words: readonly string[], options: SearchOptions) => {
    const query = words.join(' ');
    const records = await collect(openClient(context, command), query, options);
    print(context.stdout, records, options);
    if (context.stderr.isTerminal) remark(context, { query, count: records.length, options });
  });
}

/** Returns the pages in the order in which they are to be printed. */
async function collect(
  client: ApiClient,
  query: string,
  options: SearchOptions,
): Promise<SearchAnswer['records']> {
  // Without an order the newest records are wanted, and people read downwards in time.
  const order = options.order ?? 'desc';
  const records: SearchAnswer['records'][number][] = [];
  let cursor: string | undefined;
  const start = readTime('--since', options.since);
  const end = options.until === undefined ? undefined : readTime('--until', options.until);
  while (records.length < options.limit) {
    const limit = Math.min(SEARCH_LIMIT_MAX, options.limit - records.length);
    const answer = await client.getJson<SearchAnswer>('/search', { query, start, end, limit, order, cursor });
    records.push(...answer.records);
    if (answer.cursor === null) break;
    cursor = answer.cursor;
  }
  return options.order === undefined || (options.json === true && order === 'desc')
    ? records.toReversed()
    : records;
}

function print(stdout: Output, records: SearchAnswer['records'], { json }: SearchOptions): void {
  const formatter = new RecordFormatter(stdout.hasColor);
  for (const record of records) {
    stdout.write(json === true ? `${JSON.stringify(record)}\n` : formatter.format(record));
  }
}

/** Tells a person what in the query has no effect, and that nothing was found. */
function remark(
  { stderr }: CliContext,
  { query, count, options }: { query: string; count: number; options: SearchOptions },
): void {
  for (const { message } of parseQuery(query).hints) stderr.write(`note: ${message}\n`);
  if (count > 0) return;
  const until = options.until === undefined ? '' : ` until ${options.until}`;
  stderr.write(`No records since ${options.since}${until}.\n`);
}
