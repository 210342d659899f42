import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** Receives the exit code of a command that ended on its own. */
export type SetExitCode = (code: number) => void;

/** What a command is added with. */
export interface CommandSetup {
  readonly program: Command;
  readonly context: CliContext;
  readonly setExitCode: SetExitCode;
}
