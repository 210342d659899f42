import { RE2JS, RE2JSSyntaxException } from 're2js';

/** A regular expression that searches in linear time, whatever its source and the text are. */
export interface CompiledRegex {
  test(text: string): boolean;
}

export interface RegexProblem {
  readonly problem: string;
  /** Where in the source the part stands that is wrong. */
  readonly start: number;
  readonly end: number;
}

/** Compiles RE2 syntax; what is wrong with it comes back as a value. */
export function compileRegex(source: string): CompiledRegex | RegexProblem {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    return problemOf(error, source);
  }
}

function problemOf(error: unknown, source: string): RegexProblem {
  const whole = { start: 0, end: source.length };
  if (!(error instanceof RE2JSSyntaxException)) {
    return { problem: 'the regular expression is too large', ...whole };
  }
  const part: unknown = error.getPattern();
  const problem = `the regular expression is invalid: ${error.getDescription()}`;
  const start = typeof part === 'string' ? source.lastIndexOf(part) : -1;
  if (typeof part !== 'string' || start < 0) return { problem, ...whole };
  return { problem: `${problem}: ${part}`, start, end: start + part.length };
}
