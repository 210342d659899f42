/**
 * Runs: pieces of a text that an analyzer never splits, whatever stands around them, so that a text with the run in it
 * always has a word with the run in it. They follow from the word boundary rules of Unicode (UAX #29), which the
 * engines' `standard` analyzer implements: letters, digits and underscores stay together; Chinese characters and
 * Hiragana are words by themselves. Where a script is not listed here, nothing is said of it.
 */

/** Letters of Latin, Greek and Cyrillic scripts that every version of the rules knows, digits, and underscores. */
const RUN = /(?:(?![\u02b0-\u036f×÷])[\w\u00c0-\u03ff\u0400-\u052f])+|[\u3041-\u3096\u4e00-\u9fa5]/gu;

/** An analyzer leaves out what has no letter or digit, so underscores alone are no run. */
const LETTERS = /[\p{L}0-9_]+/gu;

/** Longer ones make the engine's automata large; their beginning will do. */
export const RUN_LENGTH_MAX = 60;

/** More of them hardly narrow a search further. */
const RUNS_MAX = 8;

export interface Run {
  readonly text: string;
  /** Whether a word begins with it, and whether one ends with it: there is a blank beside it. */
  readonly isBegin: boolean;
  readonly isEnd: boolean;
}

export interface TextRuns {
  readonly runs: readonly Run[];
  /** Whether the text is one run, and nothing else. */
  readonly isWhole: boolean;
}

/** Returns runs of folded text, the longest first. */
export function runsOf(text: string): TextRuns {
  const found: Run[] = [];
  for (const { 0: match, index } of text.matchAll(RUN)) {
    for (const { 0: part, index: within } of match.matchAll(LETTERS)) {
      if (!/[^_]/.test(part)) continue;
      const start = index + within;
      const isBegin = isBlank(text[start - 1]);
      const isEnd = isBlank(text[start + part.length]) && part.length <= RUN_LENGTH_MAX;
      found.push({ text: part.slice(0, RUN_LENGTH_MAX), isBegin, isEnd });
    }
  }
  const runs = found.toSorted((one, other) => other.text.length - one.text.length).slice(0, RUNS_MAX);
  return { runs, isWhole: runs.length === 1 && runs[0]?.text === text };
}

function isBlank(char: string | undefined): boolean {
  return char !== undefined && ' \t\n\r'.includes(char);
}
