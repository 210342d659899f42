/**
 * The levels that Logboom writes into `log.level`, and the words that stand for them (docs/guide/pipelines.md has
 * the table for people). Words are looked up by a packed number, so that the hot path need not build strings.
 */
export const LEVELS = ['trace', 'debug', 'info', 'notice', 'warn', 'error', 'fatal'] as const;

export type Level = (typeof LEVELS)[number];

export const LEVEL_WORDS: Readonly<Record<Level, readonly string[]>> = {
  trace: ['trace', 'trc', 'trce', 'finest', 'finer', 'verbose'],
  debug: ['debug', 'dbg', 'dbug', 'fine'],
  info: ['info', 'inf', 'information', 'informational'],
  notice: ['notice'],
  warn: ['warn', 'warning', 'wrn'],
  error: ['error', 'err', 'fail', 'severe'],
  fatal: ['fatal', 'ftl', 'critical', 'crit', 'alert', 'emerg', 'emergency', 'panic', 'dpanic'],
};

/** Levels of pino and bunyan, which are numbers. */
const NUMERIC_LEVELS: ReadonlyMap<number, Level> = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
]);

/** Keys of structured lines that hold a level, the strongest first; they are compared in lower case. */
export const LEVEL_KEYS = [
  'log.level',
  'level',
  'lvl',
  'severity',
  'loglevel',
  'log_level',
  'levelname',
] as const;

/** What a level in a structured line may look like when no word of the table fits: it is kept in lower case. */
const OTHER_LEVEL = /^[a-z][a-z0-9_-]{0,31}$/;

/** Longest word that is packed exactly: each letter takes five of the 53 bits of a number. */
export const PACKED_LETTERS_MAX = 10;

const levelByCode: ReadonlyMap<number, Level> = new Map(
  LEVELS.flatMap((level) =>
    LEVEL_WORDS[level]
      .filter((word) => word.length <= PACKED_LETTERS_MAX)
      .map((word) => [packWord(word), level] as const),
  ),
);

const levelByWord: ReadonlyMap<string, Level> = new Map(
  LEVELS.flatMap((level) => LEVEL_WORDS[level].map((word) => [word, level] as const)),
);

/** Returns the number of a word of ASCII letters of either case, as `appendLetter` builds it. */
export function packWord(word: string): number {
  let code = 0;
  for (let index = 0; index < word.length; index++) code = appendLetter(code, word.charCodeAt(index));
  return code;
}

/** Returns the number of a word that is one ASCII letter longer than that of `code`. */
export function appendLetter(code: number, letter: number): number {
  return code * 32 + (letter & 31);
}

/** Returns the level that a packed word stands for. */
export function levelOfCode(code: number): Level | undefined {
  return levelByCode.get(code);
}

/** Returns the level of a structured line's field: a word, any other short name in lower case, or a pino number. */
export function levelOfValue(value: unknown): string | undefined {
  if (typeof value === 'number') return NUMERIC_LEVELS.get(value);
  if (typeof value !== 'string') return undefined;
  const word = value.trim().toLowerCase();
  return levelByWord.get(word) ?? (OTHER_LEVEL.test(word) ? word : undefined);
}
