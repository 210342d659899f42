/** The command line as a whole: every command, in the order that the help lists them. */
import { Command } from 'commander';
import type { CommandSetup, SetExitCode } from './command-setup.ts';
import type { CliContext } from './context.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addCheckCommand } from './commands/check.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addExportCommand } from './commands/export.ts';
import { addImportCommand } from './commands/import.ts';
import { addRotateCommand } from './commands/rotate.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addRunCommands } from './commands/run.ts';
import { addSearchCommand } from './commands/search.ts';
import { addStatsCommand } from './commands/stats.ts';
import { addTailCommand } from './commands/tail.ts';
import { addTestCommand } from './commands/test.ts';

const DESCRIPTION = `Collects logs, loses nothing, shows nothing twice, and can prove it.

Start with \`logboom up\`, open http://127.0.0.1:6410, or ask \`logboom search error\`.`;

const EPILOGUE = `
Exit codes: 0 all is well, 1 something was found (records missing or twice, a failed test, a thing
to mend), 2 an audit cannot tell yet, 100 a mistake in the command line or the configuration,
101 a bug, 111 something of the environment (port, disk, network).`;

/** Builds the command line. Output goes to the context; mistakes are thrown as CommanderError. */
export function buildProgram(context: CliContext, setExitCode: SetExitCode): Command {
  const program = new Command('logboom')
    .description(DESCRIPTION)
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [COMMAND]', 'print help of a command')
    .showSuggestionAfterError(true)
    // What stands behind an inner command, such as `replay run`, belongs to it.
    .enablePositionalOptions()
    .addHelpText('after', EPILOGUE);
  program.configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    outputError: (text, write) =>
      write(text.replace(/^error: /, 'logboom: ').replace(/^\((Did you mean .*\?)\)$/m, '  $1')),
    getOutHelpWidth: () => (context.stdout.isTerminal ? Math.min(context.stdout.columns, 110) : 100),
    getErrHelpWidth: () => (context.stderr.isTerminal ? Math.min(context.stderr.columns, 110) : 100),
    getOutHasColors: () => context.stdout.hasColor,
    getErrHasColors: () => context.stderr.hasColor,
  });
  const setup: CommandSetup = { program, context, setExitCode };
  addRunCommands(setup);
  addSearchCommand(setup);
  addTailCommand(setup);
  addStatsCommand(setup);
  addAuditCommand(setup);
  addExportCommand(setup);
  addImportCommand(setup);
  addReplayCommand(setup);
  addCheckCommand(setup);
  addTestCommand(setup);
  addExplainCommand(setup);
  addRotateCommand(setup);
  addDoctorCommand(setup);
  addCompletionCommand(setup);
  finish(program, program, 'logboom');
  return program;
}

/** What subcommands inherit only when they are made by `program.command`, and the hint below each mistake. */
function finish(command: Command, program: Command, name: string): void {
  command.exitOverride().copyInheritedSettings(program);
  command.showHelpAfterError(`  See \`${name} --help\`.`);
  for (const inner of command.commands) finish(inner, program, `${name} ${inner.name()}`);
}
