import { Option } from 'commander';
import { AppError, ConfigError, messageOf } from '../../base/errors.ts';
import { resolveFrom } from '../../config/load-config.ts';
import { readTime } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { formatSize } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';
import { addServerOptions, openClient } from '../server-options.ts';

interface ExportOptions {
  readonly since: string;
  readonly until?: string;
  readonly format: 'ndjson' | 'csv' | 'parquet';
  readonly output?: string;
}

/** How often the progress line is written again. */
const PROGRESS_MS = 200;

/** Adds `export`. */
export function addExportCommand({ program, context }: CommandSetup): void {
  const command = program
    .command('export')
    .description('stream every match, oldest first, of any size')
    .argument('[QUERY...]', 'as in `logboom search`; everything when there is none')
    .addOption(
      new Option('--since <TIME>', 'a duration ago or a time in RFC 3339').default(
        '1970-01-01',
        'the beginning',
      ),
    )
    .addOption(new Option('--until <TIME>', 'a duration ago or a time in RFC 3339; without it now'))
    .addOption(
      new Option('--format <FORMAT>', 'how records are written')
        .choices(['ndjson', 'csv', 'parquet'])
        .default('ndjson'),
    )
    .addOption(new Option('-o, --output <FILE>', 'file to write; without it standard output'));
  addServerOptions(command).addHelpText(
    'after',
    `
Examples:
  logboom export namespace:shop --since 1d --output shop.ndjson
  logboom export level:error --format csv > errors.csv`,
  );
  command.action(async (words: readonly string[], options: ExportOptions) => {
    if (options.format === 'parquet' && options.output === undefined && context.stdout.isTerminal) {
      throw new ConfigError(
        '--format',
        'parquet is no text for a terminal',
        'Name a file with --output FILE.',
      );
    }
    const response = await openClient(context, command).open('/export', {
      query: words.join(' '),
      start: readTime('--since', options.since),
      end: options.until === undefined ? undefined : readTime('--until', options.until),
      format: options.format,
    });
    const sink = openSink(context, options.output);
    try {
      await copy(response, sink, context);
    } finally {
      sink.close();
    }
  });
}

interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

function openSink({ stdout, fileSystem, workingDirectory }: CliContext, output: string | undefined): Sink {
  if (output === undefined || output === '-')
    return { write: (bytes) => stdout.writeAll(bytes), close: () => undefined };
  const path = resolveFrom(workingDirectory, output);
  try {
    const fd = fileSystem.open(path, 'w');
    return { write: (bytes) => fileSystem.writeAsync(fd, bytes), close: () => fileSystem.close(fd) };
  } catch (error) {
    throw new AppError('io_failed', `cannot write ${output}`, {
      hint: 'Name a file in a directory that exists and can be written with --output.',
      cause: error,
    });
  }
}

async function copy(response: Response, sink: Sink, { stderr, scheduler }: CliContext): Promise<void> {
  let bytes = 0;
  let shownMs = scheduler.monotonicMs();
  const show = (end: string): void => {
    if (stderr.isTerminal) stderr.write(`\r\u001b[Kexported ${formatSize(bytes)}${end}`);
  };
  try {
    for await (const chunk of response.body ?? []) {
      await sink.write(chunk);
      bytes += chunk.length;
      if (scheduler.monotonicMs() - shownMs < PROGRESS_MS) continue;
      shownMs = scheduler.monotonicMs();
      show(' …');
    }
  } catch (error) {
    show('\n');
    throw new AppError('unreachable', 'cannot finish the export: what was written is not all', {
      cause: new Error(messageOf(error)),
    });
  }
  show('\n');
}
