/**
 * Reads the stamps that applications write. A format is compiled into a list of parts once; reading is one pass over
 * the text, without regular expressions.
 *
 * Named: rfc3339 and iso8601 (the same reader), unix, unix_ms, unix_us, unix_ns, clf (also apache), syslog.
 * Anything else is a pattern: strptime's when it has a `%` (`%d/%b/%Y %H:%M:%S`), Java's otherwise
 * (`yyyy-MM-dd HH:mm:ss,SSS`).
 */
import { ConfigError } from '../../base/errors.ts';
import { daysFromCivil } from '../../record/timestamp.ts';
import { localToUtcSeconds, type ZoneOffset } from './time-zone.ts';

/** Returns nanoseconds since the epoch, or undefined when the value does not have the format. */
export type TimeReader = (value: unknown, context: TimeContext) => bigint | undefined;

export interface TimeContext {
  /** Zone of stamps that name none. */
  readonly zone: ZoneOffset;
  /** A moment near the stamp, in seconds since the epoch: stamps without a year get the one that is nearest to it. */
  readonly nearSeconds: number;
}

/** What a pattern has found; fields that it does not have keep their defaults. */
interface Civil {
  year: number | undefined;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanos: number;
  isAfternoon: boolean | undefined;
  /** Seconds east of UTC; undefined when the stamp names no zone. */
  zoneSeconds: number | undefined;
  epochSeconds: number | undefined;
}

/** Reads one part at `position` into `civil`; returns the position behind it, or -1. */
type PartReader = (text: string, position: number, civil: Civil) => number;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const DIGITS_OF_UNIT: Readonly<Record<string, number>> = { unix: 9, unix_ms: 6, unix_us: 3, unix_ns: 0 };

const NAMED_PATTERNS: Readonly<Record<string, string>> = {
  clf: '%d/%b/%Y:%H:%M:%S %z',
  apache: '%d/%b/%Y:%H:%M:%S %z',
  syslog: '%b %e %H:%M:%S',
};

/** Stamps outside fit into no store's nanoseconds. */
const SECONDS_MIN = 0;
const SECONDS_MAX = 9_223_372_036;

/** Longer texts are no stamps. */
const STAMP_LENGTH_MAX = 128;

const STRPTIME_ALIASES: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
};

/** Returns the reader of a format. Throws a `ConfigError` that names `option` when there is no such format. */
export function compileTimeFormat(format: string, option: string): TimeReader {
  const unitDigits = Object.hasOwn(DIGITS_OF_UNIT, format) ? DIGITS_OF_UNIT[format] : undefined;
  if (unitDigits !== undefined) return (value) => readUnix(value, unitDigits);
  if (format === 'rfc3339' || format === 'iso8601') return readIso;
  const pattern = NAMED_PATTERNS[format] ?? format;
  const parts = pattern.includes('%')
    ? compileStrptime(pattern, option)
    : compileJavaPattern(pattern, option);
  return (value, context) => {
    if (typeof value !== 'string' || value.length > STAMP_LENGTH_MAX) return undefined;
    const civil = emptyCivil();
    let position = 0;
    for (const part of parts) {
      position = part(value, position, civil);
      if (position < 0) return undefined;
    }
    return position === value.length ? toEpochNs(civil, context) : undefined;
  };
}

const ISO_PARTS: readonly PartReader[] = [
  digits(4, 4, (civil, value) => (civil.year = value)),
  literal('-'),
  digits(2, 2, (civil, value) => (civil.month = value)),
  literal('-'),
  digits(2, 2, (civil, value) => (civil.day = value)),
  oneOf('Tt '),
  digits(2, 2, (civil, value) => (civil.hour = value)),
  literal(':'),
  digits(2, 2, (civil, value) => (civil.minute = value)),
];

function readIso(value: unknown, context: TimeContext): bigint | undefined {
  if (typeof value !== 'string' || value.length > STAMP_LENGTH_MAX) return undefined;
  const civil = emptyCivil();
  let position = 0;
  for (const part of ISO_PARTS) {
    position = part(value, position, civil);
    if (position < 0) return undefined;
  }
  if (value[position] === ':') {
    position = readSecond(value, position + 1, civil);
    if (position < 0) return undefined;
  }
  if (value[position] === '.' || value[position] === ',') position = readFraction(value, position + 1, civil);
  if (position >= 0 && position < value.length)
    position = readZone(value, value[position] === ' ' ? position + 1 : position, civil);
  return position === value.length ? toEpochNs(civil, context) : undefined;
}

/** Reads seconds since the epoch, with a fraction, in units of 10^-(9 - unitDigits). */
function readUnix(value: unknown, unitDigits: number): bigint | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const found = typeof text === 'string' ? /^(\d{1,19})(?:\.(\d{1,30}))?$/.exec(text) : null;
  if (found === null) return undefined;
  const fraction = (found[2] ?? '').slice(0, unitDigits).padEnd(unitDigits, '0');
  const ns = BigInt(`${found[1]}${fraction}`);
  return ns <= BigInt(SECONDS_MAX) * 1_000_000_000n ? ns : undefined;
}

function toEpochNs(civil: Civil, context: TimeContext): bigint | undefined {
  const seconds = civil.epochSeconds ?? toUtcSeconds(civil, context);
  if (seconds === undefined || seconds < SECONDS_MIN || seconds > SECONDS_MAX) return undefined;
  return BigInt(seconds) * 1_000_000_000n + BigInt(civil.nanos);
}

function toUtcSeconds(civil: Civil, context: TimeContext): number | undefined {
  if (civil.month < 1 || civil.month > 12 || civil.day < 1 || civil.hour > 23 || civil.minute > 59)
    return undefined;
  const hour =
    civil.isAfternoon === undefined ? civil.hour : (civil.hour % 12) + (civil.isAfternoon ? 12 : 0);
  if (civil.year !== undefined) return secondsIn(civil, civil.year, hour, context);
  const nearYear = 1970 + Math.floor(context.nearSeconds / 31_556_952);
  let best: number | undefined;
  for (const year of [nearYear - 1, nearYear, nearYear + 1]) {
    const seconds = secondsIn(civil, year, hour, context);
    if (seconds === undefined) continue;
    if (best === undefined || Math.abs(seconds - context.nearSeconds) < Math.abs(best - context.nearSeconds))
      best = seconds;
  }
  return best;
}

function secondsIn(civil: Civil, year: number, hour: number, context: TimeContext): number | undefined {
  const { month, day, minute } = civil;
  const days = daysFromCivil(year, month, day);
  const nextMonth = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1);
  if (days >= nextMonth) return undefined;
  // A leap second is taken as the last second of its minute, because no store can hold it.
  const local = days * 86_400 + hour * 3600 + minute * 60 + Math.min(civil.second, 59);
  return civil.zoneSeconds === undefined ? localToUtcSeconds(local, context.zone) : local - civil.zoneSeconds;
}

function emptyCivil(): Civil {
  return {
    year: undefined,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanos: 0,
    isAfternoon: undefined,
    zoneSeconds: undefined,
    epochSeconds: undefined,
  };
}

function compileStrptime(pattern: string, option: string): PartReader[] {
  const parts: PartReader[] = [];
  const expanded = pattern.replaceAll(/%([TDFR])/g, (_, letter: string) => STRPTIME_ALIASES[letter] ?? '');
  for (let index = 0; index < expanded.length; index++) {
    const character = expanded[index] ?? '';
    if (character !== '%') {
      parts.push(character === ' ' ? blanks : literal(character));
      continue;
    }
    index++;
    parts.push(strptimePart(expanded[index] ?? '', option));
  }
  return parts;
}

function strptimePart(letter: string, option: string): PartReader {
  switch (letter) {
    case 'Y':
      return digits(4, 4, (civil, value) => (civil.year = value));
    case 'y':
      return digits(2, 2, (civil, value) => (civil.year = fullYear(value)));
    case 'm':
      return digits(1, 2, (civil, value) => (civil.month = value));
    case 'd':
    case 'e':
      return digits(1, 2, (civil, value) => (civil.day = value));
    case 'H':
    case 'I':
      return digits(1, 2, (civil, value) => (civil.hour = value));
    case 'M':
      return digits(1, 2, (civil, value) => (civil.minute = value));
    case 'S':
      return readSecond;
    case 'f':
    case 'L':
      return readFraction;
    case 's':
      return digits(1, 11, (civil, value) => (civil.epochSeconds = value));
    case 'b':
    case 'B':
    case 'h':
      return readMonthName;
    case 'a':
    case 'A':
      return readLetters;
    case 'p':
      return readHalfDay;
    case 'z':
    case 'Z':
      return readZone;
    case '%':
      return literal('%');
    default:
      throw new ConfigError(option, `'%${letter}' is no part of a time format`);
  }
}

function compileJavaPattern(pattern: string, option: string): PartReader[] {
  const parts: PartReader[] = [];
  for (const [run, quoted] of pattern.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']/g)) {
    if (quoted !== undefined)
      for (const character of quoted === '' ? "'" : quoted) parts.push(literal(character));
    else if (/[A-Za-z]/.test(run)) parts.push(javaPart(run, option));
    else parts.push(run === ' ' ? blanks : literal(run));
  }
  if (!parts.some((part) => part === readSecond) && !/[Hh]/.test(pattern)) {
    throw new ConfigError(
      option,
      `'${pattern}' is no time format`,
      'Known: rfc3339, unix, unix_ms, unix_ns, iso8601, clf, syslog, or a pattern such as yyyy-MM-dd HH:mm:ss.SSS.',
    );
  }
  return parts;
}

function javaPart(run: string, option: string): PartReader {
  const count = run.length;
  switch (run[0]) {
    case 'y':
    case 'u':
      return count === 2
        ? digits(2, 2, (civil, value) => (civil.year = fullYear(value)))
        : digits(4, 4, (civil, value) => (civil.year = value));
    case 'M':
    case 'L':
      return count > 2 ? readMonthName : digits(count, 2, (civil, value) => (civil.month = value));
    case 'd':
      return digits(count, 2, (civil, value) => (civil.day = value));
    case 'H':
    case 'h':
      return digits(count, 2, (civil, value) => (civil.hour = value));
    case 'm':
      return digits(count, 2, (civil, value) => (civil.minute = value));
    case 's':
      return readSecond;
    case 'S':
    case 'n':
      return readFraction;
    case 'a':
      return readHalfDay;
    case 'E':
      return readLetters;
    case 'X':
    case 'x':
    case 'Z':
    case 'z':
      return readZone;
    default:
      throw new ConfigError(
        option,
        `'${run}' is no part of a time format`,
        'Put text that stands for itself in quotes.',
      );
  }
}

function digits(
  countMin: number,
  countMax: number,
  store: (civil: Civil, value: number) => void,
): PartReader {
  return (text, start, civil) => {
    let position = start;
    let value = 0;
    // Days and hours may be padded with a blank, as syslog and C's %e do.
    if (countMin === 1) while (text[position] === ' ' && position < start + countMax - 1) position++;
    const first = position;
    for (; position < first + countMax; position++) {
      const digit = text.charCodeAt(position) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (position - first < countMin) return -1;
    store(civil, value);
    return position;
  };
}

function literal(character: string): PartReader {
  return (text, position) => (text[position] === character ? position + 1 : -1);
}

function oneOf(characters: string): PartReader {
  return (text, position) => (characters.includes(text[position] ?? '\0') ? position + 1 : -1);
}

function blanks(text: string, start: number): number {
  let position = start;
  while (text[position] === ' ' || text[position] === '\t') position++;
  return position > start ? position : -1;
}

function readSecond(text: string, position: number, civil: Civil): number {
  const end = digits(2, 2, (target, value) => (target.second = value))(text, position, civil);
  return civil.second > 60 ? -1 : end;
}

/** Any number of digits; those below nanoseconds are cut. */
function readFraction(text: string, start: number, civil: Civil): number {
  let position = start;
  while (text.charCodeAt(position) >= 48 && text.charCodeAt(position) <= 57) position++;
  if (position === start) return -1;
  civil.nanos = Number(text.slice(start, Math.min(position, start + 9)).padEnd(9, '0'));
  return position;
}

function readMonthName(text: string, start: number, civil: Civil): number {
  const month = MONTHS.indexOf(text.slice(start, start + 3).toLowerCase());
  if (month < 0) return -1;
  civil.month = month + 1;
  return readLetters(text, start);
}

function readLetters(text: string, start: number): number {
  let position = start;
  while (/[A-Za-z]/.test(text[position] ?? '')) position++;
  return position > start ? position : -1;
}

function readHalfDay(text: string, start: number, civil: Civil): number {
  const half = text.slice(start, start + 2).toLowerCase();
  if (half !== 'am' && half !== 'pm') return -1;
  civil.isAfternoon = half === 'pm';
  return start + 2;
}

/** `Z`, `UTC`, `GMT`, `+0200`, `+02:00`, `+02`. Other abbreviations are ambiguous and not read. */
function readZone(text: string, start: number, civil: Civil): number {
  const name = /^(?:UTC|GMT|Z)/i.exec(text.slice(start, start + 3));
  if (name !== null) {
    civil.zoneSeconds = 0;
    return start + name[0].length;
  }
  const found = /^([+-])(\d\d)(?::?(\d\d))?/.exec(text.slice(start, start + 6));
  if (found === null) return -1;
  civil.zoneSeconds = (Number(found[2]) * 60 + Number(found[3] ?? 0)) * (found[1] === '-' ? -60 : 60);
  return start + found[0].length;
}

/** Years of two digits, as POSIX reads them: 69 to 99 are of the last century. */
function fullYear(value: number): number {
  return value < 69 ? 2000 + value : 1900 + value;
}
