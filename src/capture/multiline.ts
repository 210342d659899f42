/**
 * Which lines belong to one record. By default only what is recognised as a stack trace is joined, never "begins
 * with a blank": several languages are followed at once until their machines disagree. With `custom`, the
 * configuration's own patterns decide.
 */
import { RE2JS } from 're2js';
import { TRACE_MACHINES } from './multiline-languages.ts';
import type { TraceLanguage, TraceMachine } from './multiline-languages.ts';

/** The same shape as the configuration's. */
export interface MultilineOptions {
  readonly mode: 'stack-traces' | 'custom' | 'off';
  readonly languages: readonly TraceLanguage[];
  readonly start: string | undefined;
  readonly continue: string | undefined;
  readonly linesMax: number;
  readonly bytesMax: number;
  readonly flushMs: number;
}

/** One state per language, -1 for those that no longer fit. */
export type TraceState = readonly number[];

/** Only this much of a line is looked at: what tells a trace stands near its beginning. */
const TESTED_BYTES_MAX = 1024;

const DEAD = -1;
const CUSTOM_OPEN: TraceState = [0];

/** Words of which every line that starts a trace has one: most lines are done with after this test. */
const START_HINT =
  /Exception|Error|Throwable|Failure|Fault|panic|Traceback|fatal error|runtime:|SIG|goroutine |:in |^(?:node:|file:|\/)|^(?:trce|dbug|info|warn|fail|crit): |Unhandled/;

export interface Multiline {
  /** Whether lines can be tested one by one as the hot path does. */
  readonly isSelective: boolean;
  /** Whether a line has one of the words without which none starts a record of several lines. */
  mayStart(bytes: Uint8Array, start: number, end: number): boolean;
  /** Returns the state behind a line that can start a record of several lines. */
  start(bytes: Uint8Array, start: number, end: number): TraceState | undefined;
  /** Returns the state behind a line that continues one, or undefined when it does not. */
  next(state: TraceState, bytes: Uint8Array, start: number, end: number): TraceState | undefined;
}

/** Compiles the options; undefined when nothing is to be joined. Throws RE2's error on an invalid pattern. */
export function compileMultiline(options: MultilineOptions): Multiline | undefined {
  if (options.mode === 'off') return undefined;
  return options.mode === 'custom' ? compileCustom(options) : compileTraces(options.languages);
}

function compileTraces(languages: readonly TraceLanguage[]): Multiline {
  const machines: TraceMachine[] = languages.map((language) => TRACE_MACHINES[language]);
  return {
    isSelective: true,
    mayStart: (bytes, start, end) => START_HINT.test(textOf(bytes, start, end)),
    start(bytes, start, end) {
      const text = textOf(bytes, start, end);
      if (!START_HINT.test(text)) return undefined;
      return toState(machines.map(({ start: rules }) => match(rules, text)));
    },
    next(state, bytes, start, end) {
      const text = textOf(bytes, start, end);
      return toState(machines.map(({ next }, index) => match(next[state[index] ?? DEAD], text)));
    },
  };
}

function match(rules: TraceMachine['start'] | undefined, text: string): number {
  return rules?.find(({ line }) => line.test(text))?.state ?? DEAD;
}

function toState(states: number[]): TraceState | undefined {
  return states.every((state) => state === DEAD) ? undefined : states;
}

/**
 * Every line waits for the next one. With `start` alone, whatever does not match it continues; with `continue`
 * alone, what matches it continues; with both, only what matches `continue` behind a line that matches `start`.
 */
function compileCustom(options: MultilineOptions): Multiline {
  const startPattern = options.start === undefined ? undefined : RE2JS.compile(options.start);
  const continuePattern = options.continue === undefined ? undefined : RE2JS.compile(options.continue);
  const decoder = new TextDecoder();
  const finds = (pattern: RE2JS, bytes: Uint8Array, start: number, end: number): boolean =>
    pattern.matcher(decoder.decode(bytes.subarray(start, Math.min(end, start + TESTED_BYTES_MAX)))).find();
  return {
    isSelective: false,
    mayStart: () => true,
    start(bytes, start, end) {
      if (startPattern === undefined || continuePattern === undefined) return CUSTOM_OPEN;
      return finds(startPattern, bytes, start, end) ? CUSTOM_OPEN : undefined;
    },
    next(_state, bytes, start, end) {
      if (continuePattern !== undefined)
        return finds(continuePattern, bytes, start, end) ? CUSTOM_OPEN : undefined;
      return startPattern !== undefined && finds(startPattern, bytes, start, end) ? undefined : CUSTOM_OPEN;
    },
  };
}

/** Latin-1 keeps one character per byte, and the patterns of traces are ASCII. */
const latin1 = new TextDecoder('latin1');

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return latin1.decode(bytes.subarray(start, Math.min(end, start + TESTED_BYTES_MAX)));
}

/**
 * Tells from the first bytes of a line whether it can be the second line of a trace. What it lets through is looked
 * at properly; what it does not, never continues a start (see multiline-languages.ts).
 */
export function canFollowStart(first: number, second: number): boolean {
  switch (first) {
    case 0x20: // blank
    case 0x09: // tab
    case 0x0a: // an empty line
    case 0x0b: // other white space, as regular expressions see it
    case 0x0c:
    case 0x0d:
    case 0xa0:
      return true;
    case 0x43: // Caused by
      return second === 0x61;
    case 0x53: // Suppressed
      return second === 0x75;
    case 0x57: // Wrapped by
      return second === 0x72;
    case 0x50: // PC=
      return second === 0x43;
    case 0x5b: // [signal
      return second === 0x73;
    case 0x67: // goroutine
      return second === 0x6f;
    case 0x2d: // ---> and --- End of
      return second === 0x2d;
    case 0x2e: // ... 5 more
      return second === 0x2e;
    default:
      return false;
  }
}

/** Tells whether a line begins like a start that any line may follow: these leave the hot path themselves. */
export function isEagerStart(first: number, second: number): boolean {
  switch (first) {
    case 0x2f: // an absolute path
      return true;
    case 0x66: // file:
      return second === 0x69;
    case 0x6e: // node:
    case 0x67: // goroutine
      return second === 0x6f;
    default:
      return false;
  }
}
