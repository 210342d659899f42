/** Checks of one source file: forbidden names, leftovers, and functions that are too long. */
import { lineAt, maskSource, type MaskedSource } from './source-mask.ts';
import type { Complaint, TidyFile } from './tidy.ts';

export const FUNCTION_LINES_MAX = 70;

/** Components are markup for the most part. */
export const COMPONENT_LINES_MAX = 150;

/** A file that is longer is reported, not rejected: `npm run ok` prints it. */
export const FILE_LINES_SOFT_MAX = 400;

interface BannedPattern {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

/** What makes a run depend on the machine and the moment; the simulation is possible only without it. */
const IMPURE: readonly BannedPattern[] = [
  { pattern: /(?<![.\w$])Date\.now\b/g, instead: 'Scheduler.nowMs' },
  { pattern: /(?<![.\w$])(?:new\s+)?Date\(\s*\)/g, instead: 'Scheduler.nowMs' },
  { pattern: /(?<![.\w$])set(?:Timeout|Interval|Immediate)\b/g, instead: 'Scheduler.schedule or sleep' },
  { pattern: /(?<![.\w$])Math\.random\b/g, instead: 'a generator that is passed in' },
  { pattern: /(?<![.\w$])process\.(?:env|hrtime|uptime)\b/g, instead: 'a value that main.ts passes in' },
  { pattern: /(?<![.\w$])performance\./g, instead: 'Scheduler.monotonicMs' },
].map((banned) => ({ ...banned, rule: 'impure' }));

/** Escapes from the checks of the compiler and of the tests. */
const LEFTOVERS: readonly BannedPattern[] = [
  { rule: 'any', pattern: /\bas\s+any\b/g, instead: 'unknown and a check' },
  { rule: 'non-null', pattern: /[\w)\]]!(?=[.;,)\]\s[])(?!\s*=)/g, instead: 'must() of base/assert.ts' },
  {
    rule: 'console',
    pattern: /(?<![.\w$])console\.\w/g,
    instead: 'Telemetry, or the output that is passed in',
  },
  {
    rule: 'skipped-test',
    pattern: /\b(?:test|it|suite|describe)\.(?:skip|only|todo)\b/g,
    instead: 'the skip option with a reason',
  },
];

const COMMENT_LEFTOVERS = new RegExp(
  `\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b|@ts-(?:ignore|nocheck)`,
  'g',
);

/** Returns what is wrong inside one file. */
export function checkSource(file: TidyFile): Complaint[] {
  const masked = maskSource(file.text);
  const complaints = findBanned(file, masked, LEFTOVERS);
  if (!mayTouchTheWorld(file.path)) complaints.push(...findBanned(file, masked, IMPURE));
  for (const { offset, text } of masked.comments) {
    for (const [found] of text.matchAll(COMMENT_LEFTOVERS)) {
      complaints.push(complain(file, offset, 'leftover', `${found} is left in a comment`));
    }
  }
  if (/(?:^|\/)index\.[cm]?[tj]sx?$/.test(file.path)) {
    complaints.push({
      path: file.path,
      line: 0,
      rule: 'barrel',
      message: 'barrel files are banned: import the file that defines the thing',
    });
  }
  complaints.push(...checkFunctionLengths(file, masked));
  return complaints;
}

/** Whether clocks, timers, randomness and the environment may be used directly in the file. */
export function mayTouchTheWorld(path: string): boolean {
  if (/\.test\.tsx?$/.test(path) || !path.startsWith('src/')) return true;
  // The page runs in a browser and is composed there; its model stays pure.
  if (path.startsWith('src/web/')) return !path.startsWith('src/web/model/');
  return ['src/base/node/', 'src/roles/'].some((folder) => path.startsWith(folder)) || path === 'src/main.ts';
}

function findBanned(file: TidyFile, masked: MaskedSource, patterns: readonly BannedPattern[]): Complaint[] {
  return patterns
    .filter(
      ({ rule }) => rule !== 'console' || (file.path.startsWith('src/') && !file.path.endsWith('.test.ts')),
    )
    .flatMap(({ rule, pattern, instead }) =>
      [...masked.code.matchAll(pattern)].map((match) =>
        complain(file, match.index, rule, `${match[0].trim()} is banned here: use ${instead}`),
      ),
    );
}

/** A declaration, a method, a function value, or a call that ends in a callback; it may go on over several lines. */
const FUNCTION_START =
  /^\s*(?:(?:export|default|async|static|override|get|set|readonly|const|let|return)\s+)*(?:function\b|[\w$]+(?::[^=]+)?\s=\s(?:async\s)?[(<]|\*?#?[A-Za-z_$][\w$.]*\s*[(<])/;

const NOT_A_FUNCTION =
  /^\s*(?:if|for|while|switch|catch|return|await|throw|do|else|try|new|void|yield|import|super|assert)\b/;

/** Relies on the formatter: what begins at an indentation ends with a brace at the same one. */
function checkFunctionLengths(file: TidyFile, masked: MaskedSource): Complaint[] {
  if (/\.test\.tsx?$/.test(file.path)) return [];
  const linesMax = file.path.endsWith('.tsx') ? COMPONENT_LINES_MAX : FUNCTION_LINES_MAX;
  const lines = masked.code.split('\n');
  const complaints: Complaint[] = [];
  for (const [index, line] of lines.entries()) {
    if (!FUNCTION_START.test(line) || NOT_A_FUNCTION.test(line)) continue;
    const length = functionLines(lines, index);
    if (length <= linesMax) continue;
    const message = `a function of ${length} lines: at most ${linesMax}`;
    complaints.push({ path: file.path, line: index + 1, rule: 'function-length', message });
  }
  return complaints;
}

/** Returns how many lines the function that starts at `start` has, or 0 when it is none. */
function functionLines(lines: readonly string[], start: number): number {
  const indentation = /^\s*/.exec(lines[start] ?? '')?.[0].length ?? 0;
  let hasBody = /(?:\{|=>)$/.test(lines[start]?.trimEnd() ?? '');
  for (let index = start + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line.trim() === '' || /^\s*/.exec(line)?.[0].length !== indentation) continue;
    const isParameterEnd = /^\s*[)>]/.test(line) && /(?:\{|=>)$/.test(line.trimEnd());
    if (isParameterEnd && !hasBody) hasBody = true;
    else return hasBody ? index - start + 1 : 0;
  }
  return 0;
}

/** Returns the files that are longer than a reader likes, longest first. */
export function listLongFiles(files: readonly TidyFile[]): { path: string; lines: number }[] {
  return files
    .filter(({ path }) => /\.tsx?$/.test(path))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_SOFT_MAX)
    .toSorted((left, right) => right.lines - left.lines);
}

function complain(file: TidyFile, offset: number, rule: string, message: string): Complaint {
  return { path: file.path, line: lineAt(file.text, offset), rule, message };
}
