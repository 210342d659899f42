/**
 * JSON whose numbers keep their digits: those that a double cannot hold are carried as the text they were, through
 * `JSON.rawJSON` (https://tc39.es/proposal-json-parse-with-source/), and written back as that text.
 */

interface SourceAwareJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}

// The compiler's library does not have these members yet; the runtime does.
const sourceAwareJson = JSON as unknown as SourceAwareJson;

export interface ExactValue {
  readonly value: unknown;
  /** Whether a number is carried as text, because JavaScript would have changed it. */
  readonly hasExactNumbers: boolean;
}

/**
 * Parses JSON text; throws what `JSON.parse` throws. This is some ten times slower than `JSON.parse`: callers know
 * from a scan that there is a number to look at.
 */
export function parseExact(text: string): ExactValue {
  let hasExactNumbers = false;
  const value = sourceAwareJson.parse(text, (_key, member, { source }) => {
    if (typeof member !== 'number' || source === undefined || isSameNumber(source, member)) return member;
    hasExactNumbers = true;
    return sourceAwareJson.rawJSON(source);
  });
  return { value, hasExactNumbers };
}

/**
 * Where a number can begin, one with digits or an exponent that JavaScript's numbers may not hold. A text without it
 * needs no exact parser; within a string it does no harm.
 */
const SUSPICIOUS = /(?:^|[:,[])\s*-?(?:\d[\d.]{15}|\d[\d.]*[eE][-+]?\d{3})/;

/** Parses JSON text, with exact numbers where there are some; throws what `JSON.parse` throws. */
export function parseKeepingDigits(text: string): unknown {
  return SUSPICIOUS.test(text) ? parseExact(text).value : JSON.parse(text);
}

/** Whether `value` is a number that is carried as its text. */
export function isExactNumber(value: unknown): boolean {
  return sourceAwareJson.isRawJSON(value);
}

/** Returns what a plain parser would have made of a value: numbers that are carried as text become doubles. */
export function toPlainValue(value: unknown): unknown {
  return isExactNumber(value) ? Number(JSON.stringify(value)) : value;
}

/** Whether printing the double gives back the number that the text says, in whatever notation. */
function isSameNumber(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const printed = String(value);
  return printed === source || normalise(printed) === normalise(source);
}

/** Returns sign, significant digits and exponent in one form per number. */
function normalise(source: string): string {
  const [, sign = '', integer = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(source) ?? [];
  const digits = `${integer}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}
