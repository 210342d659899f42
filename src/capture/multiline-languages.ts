/**
 * What stack traces look like, one small state machine per language. `start` tells whether a line can begin a trace
 * and in which state that leaves the machine; `next[state]` lists the lines that may follow there. A line that none
 * of them fits is no part of the trace. Written from the runtimes' own output, not from what frameworks print
 * around it.
 *
 * The first line after a start must begin with one of the bytes that `canFollowStart` (multiline.ts) accepts, or
 * the start must be one of `isEagerStart`: the hot path relies on it, and a test holds the table to it.
 */
export type TraceLanguage = 'go' | 'java' | 'python' | 'node' | 'ruby' | 'dotnet';

interface TraceRule {
  readonly line: RegExp;
  readonly state: number;
}

export interface TraceMachine {
  readonly start: readonly TraceRule[];
  readonly next: readonly (readonly TraceRule[])[];
}

function machine(start: [RegExp, number][], next: [RegExp, number][][]): TraceMachine {
  const toRules = (rules: [RegExp, number][]): TraceRule[] => rules.map(([line, state]) => ({ line, state }));
  return { start: toRules(start), next: next.map(toRules) };
}

const BLANK = /^\s*$/;

const JAVA = machine(
  [
    [
      /(?:^|[\s:"'([])(?:[A-Za-z_$][\w$]*\.)+(?:[A-Z$][\w$]*)?(?:Exception|Error|Throwable|Failure|Fault)\b/,
      0,
    ],
    [/^Exception in thread "/, 0],
  ],
  [
    [
      [/^\s+at\s/, 0],
      [/^\s*\.\.\. \d+ (?:more|common frames omitted)/, 0],
      [/^\s*(?:Caused by|Suppressed|Wrapped by): /, 0],
      [/^\s+(?:nested exception is:|\[CIRCULAR REFERENCE)/, 0],
      [/^\s+- (?:locked|waiting|parking) /, 0],
    ],
  ],
);

const PYTHON = machine(
  [[/Traceback \(most recent call last\):\s*$/, 0]],
  [
    // 0: frames and their source; the line that is not indented is the exception itself.
    [[/^\s+\S/, 1]],
    [
      [/^\s+\S/, 1],
      [/^[A-Za-z_][\w.]*(?::|\s*$)/, 2],
    ],
    // 2: after the exception, only another one that was chained to it.
    [[BLANK, 3]],
    [[/^(?:During handling of the above exception|The above exception was the direct cause)/, 4]],
    [[BLANK, 5]],
    [[/^Traceback \(most recent call last\):\s*$/, 0]],
  ],
);

const GO = machine(
  [
    [/(?:^|\s)panic: /, 0],
    [/^(?:fatal error|runtime): /, 0],
    [/http: panic serving /, 0],
    [/^SIG[A-Z]+: /, 0],
    [/^goroutine \d+ .*\[[^\]]+\]:\s*$/, 2],
  ],
  [
    // 0: between the panic and the first goroutine.
    [
      [/^\s+panic: /, 0],
      [/^\[signal /, 0],
      [/^PC=/, 0],
      [BLANK, 1],
      [/^goroutine \d+ .*\[[^\]]+\]:\s*$/, 2],
    ],
    [
      [/^goroutine \d+ .*\[[^\]]+\]:\s*$/, 2],
      [/^runtime stack:/, 2],
    ],
    // 2: frames, two lines each.
    [
      [/^\s+\S+:\d+/, 2],
      [/^created by /, 2],
      [/^\.\.\.(?:additional|\d+) frames elided/, 2],
      [/^\S+\(.*\)\s*$/, 2],
      [/^panic\(/, 2],
      [BLANK, 1],
      [/^exit status \d+/, 3],
    ],
    [],
  ],
);

const NODE = machine(
  [
    [/(?:^|[\s:])(?:Uncaught )?(?:[A-Z][\w$]*)?(?:Error|Exception)(?: \[\w+\])?(?::|\s*$)/, 0],
    [/^(?:node:|file:\/\/\/|\/)\S+\.?[cm]?[jt]?s?:\d+\s*$/, 4],
  ],
  [
    [
      [/^\s+at\s.*\{\s*$/, 1],
      [/^\s+at\s/, 8],
    ],
    // 1: own properties of the error, printed as an object.
    [
      [/^\}\s*$/, 2],
      [/^\s/, 1],
    ],
    [[BLANK, 3]],
    [[/^Node\.js v\d/, 2]],
    // 4: the source line that threw, with a caret below it.
    [[/^/, 5]],
    [[/^\s*\^+\s*$/, 6]],
    [
      [BLANK, 7],
      [/Error\b/, 0],
    ],
    [[/\S/, 0]],
    // 8: frames.
    [
      [/^\s+at\s.*\{\s*$/, 1],
      [/^\s+at\s/, 8],
      [/^\s+\.\.\. \d+ lines matching/, 8],
      [/^\s+\[cause\]: /, 8],
      [BLANK, 3],
    ],
  ],
);

const RUBY = machine(
  [
    [/:\d+:in ['`].+['`]: .*\([A-Z][\w:]*\)\s*$/, 0],
    [/^\s*[A-Z][\w:]*(?:Error|Exception) \(.*\):\s*$/, 2],
  ],
  [
    [
      [/^\s+(?:\d+: )?from \S+:\d+:in /, 0],
      [BLANK, 1],
    ],
    // 1: the source line that raised, underlined.
    [
      [/^\s+(?:\d+: )?from \S+:\d+:in /, 0],
      [/^\s+\S/, 1],
    ],
    [
      [BLANK, 2],
      [/^\s+\S+:\d+:in /, 2],
    ],
  ],
);

const DOTNET = machine(
  [
    [/(?:^|\s)(?:[A-Z]\w*\.)+\w*Exception(?: \(0x[0-9A-Fa-f]+\))?:/, 0],
    [/^Unhandled exception\b/, 0],
    [/^(?:trce|dbug|info|warn|fail|crit): \S+\[\d+\]\s*$/, 1],
  ],
  [
    [
      [/^\s+at\s/, 0],
      [/^\s*---> /, 0],
      [/^\s*--- End of /, 0],
    ],
    // 1: the console logger puts the category on a line of its own and indents the message by six blanks.
    [[/^ {6}/, 1]],
  ],
);

export const TRACE_MACHINES: Readonly<Record<TraceLanguage, TraceMachine>> = {
  go: GO,
  java: JAVA,
  python: PYTHON,
  node: NODE,
  ruby: RUBY,
  dotnet: DOTNET,
};
