/** From a command line to an exit code: nothing a person types ends in a stack trace. */
import { CommanderError } from 'commander';
import { EXIT_CODE } from '../base/errors.ts';
import type { CliContext } from './context.ts';
import { buildProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** Runs one command and resolves with the exit code. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT_CODE.ok;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage;
    return reportError(error, context.stderr);
  }
}
