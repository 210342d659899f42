import { BugError } from '../base/assert.ts';
import { AppError, ConfigError, EXIT_CODE, messageOf } from '../base/errors.ts';
import type { Output } from './context.ts';

/** Stands for the option of a `ConfigError` that a server answered. */
export const REQUEST_OPTION = 'request';

/** Writes what went wrong and what helps, and returns the exit code for it. */
export function reportError(error: unknown, stderr: Output): number {
  if (error instanceof AggregateError && error.errors.every((inner) => inner instanceof ConfigError)) {
    for (const inner of error.errors) reportError(inner, stderr);
    return EXIT_CODE.usage;
  }
  if (error instanceof ConfigError) {
    const { message, option, hint } = error;
    // What a server says of a request names its parameters itself.
    const text = option === REQUEST_OPTION ? message.slice(option.length + 2) : message;
    stderr.write(`logboom: ${text}${hintLine(hint)}\n`);
    return EXIT_CODE.usage;
  }
  if (error instanceof AppError) {
    stderr.write(`logboom: ${error.message}${causeOf(error)}${hintLine(error.hint)}\n`);
    return EXIT_CODE.environment;
  }
  const isBug = error instanceof Error;
  const stack = isBug && error.stack !== undefined ? error.stack : messageOf(error);
  const title = error instanceof BugError ? '' : 'BUG: ';
  stderr.write(
    `logboom: ${title}${stack}\n  This is a mistake in Logboom: please report it with the lines above.\n`,
  );
  return EXIT_CODE.bug;
}

function causeOf(error: AppError): string {
  const details = Object.entries(error.details).map(([name, value]) => `${name} ${value}`);
  const cause = error.cause === undefined ? [] : [messageOf(error.cause)];
  const all = [...details, ...cause];
  return all.length === 0 ? '' : ` (${all.join('; ')})`;
}

function hintLine(hint: string | undefined): string {
  return hint === undefined ? '' : `\n  ${hint}`;
}
