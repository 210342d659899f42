import { timestampMs } from './timestamp.ts';

/** A time zone of the browser, by its IANA name; undefined is the zone of the machine. */
export type Zone = string | undefined;

/** How times of a range are written: with the day when the range leaves the day on which it starts. */
export interface ClockStyle {
  readonly zone: Zone;
  readonly hasDate: boolean;
}

type Style = 'time' | 'date-time' | 'minute' | 'date-minute' | 'second' | 'date';

const FORMATS = new Map<string, Intl.DateTimeFormat>();

const OPTIONS: Readonly<Record<Style, Intl.DateTimeFormatOptions>> = {
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 },
  'date-time': {
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  },
  minute: { hour: '2-digit', minute: '2-digit' },
  second: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  'date-minute': { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
  date: { year: 'numeric', month: '2-digit', day: '2-digit' },
};

/** Returns the time of a record for the list: `09:41:59.860`, with `11-23 ` before it where days mix. */
export function rowTimeText(ms: number, style: ClockStyle): string {
  return clockText(ms, style.hasDate ? 'date-time' : 'time', style.zone);
}

/** Returns a short label for an axis over `spanMs` milliseconds. */
export function axisText(ms: number, spanMs: number, zone: Zone): string {
  if (spanMs <= 5 * 60_000) return clockText(ms, 'second', zone);
  if (spanMs <= 26 * 3_600_000) return clockText(ms, 'minute', zone);
  return spanMs <= 20 * 86_400_000 ? clockText(ms, 'date-minute', zone) : clockText(ms, 'date', zone);
}

/** Returns `09:27 – 09:42`, with days where the range has more than one. */
export function rangeText(startMs: number, endMs: number, zone: Zone): string {
  const hasDate = dayText(startMs, zone) !== dayText(endMs - 1, zone);
  if (endMs - startMs < 120_000 && !hasDate) {
    return `${clockText(startMs, 'second', zone)} – ${clockText(endMs, 'second', zone)}`;
  }
  const style = hasDate ? 'date-minute' : 'minute';
  return `${clockText(startMs, style, zone)} – ${clockText(endMs, style, zone)}`;
}

/** Returns the short name of the zone at a time, such as `UTC` or `CET`. */
export function zoneName(ms: number, zone: Zone): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    timeZoneName: 'short',
    ...(zone === undefined ? {} : { timeZone: zone }),
  }).formatToParts(ms);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
}

/** Says whether a range reaches into more than one day of the zone. */
export function spansDays(startMs: number, endMs: number, zone: Zone): boolean {
  return dayText(startMs, zone) !== dayText(Math.max(startMs, endMs - 1), zone);
}

/** Returns `2026-11-23 09:41:59.860` in the zone: the form that the time fields show and read. */
export function localText(ms: number, zone: Zone): string {
  return `${dayText(ms, zone)} ${clockText(ms, 'time', zone)}`.replace(/(:\d\d)\.000$/, '$1');
}

/**
 * Reads what a person types as a time: RFC 3339 with a zone, or `2026-11-23 09:41[:59[.860]]` and `2026-11-23` in
 * `zone`. Returns milliseconds, or undefined when it is neither.
 */
export function parseTimeInput(text: string, zone: Zone): number | undefined {
  const utcMs = timestampMs(text);
  if (utcMs === undefined || /(?:z|[+-]\d\d:?\d\d)$/i.test(text.trim().slice(10))) return utcMs;
  // Around a change of the zone's offset the first guess may use the wrong one; the second uses the one at the result.
  const guessMs = utcMs - offsetMs(utcMs, zone);
  return utcMs - offsetMs(guessMs, zone);
}

function offsetMs(ms: number, zone: Zone): number {
  const localMs = timestampMs(`${dayText(ms, zone)} ${clockText(ms, 'second', zone)}`) ?? ms;
  return localMs - Math.floor(ms / 1000) * 1000;
}

function dayText(ms: number, zone: Zone): string {
  return clockText(ms, 'date', zone);
}

function clockText(ms: number, style: Style, zone: Zone): string {
  const key = `${style} ${zone ?? ''}`;
  let format = FORMATS.get(key);
  if (format === undefined) {
    const zoneOption = zone === undefined ? {} : { timeZone: zone };
    format = new Intl.DateTimeFormat('en-GB', { ...OPTIONS[style], hourCycle: 'h23', ...zoneOption });
    FORMATS.set(key, format);
  }
  return joinParts(format.formatToParts(ms));
}

/** Joins the parts in one order, because browsers differ in theirs. */
function joinParts(parts: readonly Intl.DateTimeFormatPart[]): string {
  const of = (type: string): string | undefined => parts.find((part) => part.type === type)?.value;
  const day = [of('year'), of('month'), of('day')].filter((part) => part !== undefined).join('-');
  const clock = [of('hour'), of('minute'), of('second')].filter((part) => part !== undefined).join(':');
  const fraction = of('fractionalSecond');
  const time = fraction === undefined ? clock : `${clock}.${fraction}`;
  return day === '' ? time : time === '' ? day : `${day} ${time}`;
}
