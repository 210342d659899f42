/** Offsets of time zones, from the runtime's own copy of the zone database. */
import { ConfigError } from '../../base/errors.ts';

/** Returns the seconds to add to UTC to get the zone's local time at a moment (milliseconds since the epoch). */
export type ZoneOffset = (epochMs: number) => number;

const SLOT_MS = 900_000;

/** Returns the offsets of a zone: `UTC`, `+02:00`, or an IANA name such as `Europe/Berlin`. */
export function compileZone(name: string, option: string): ZoneOffset {
  if (name === 'UTC' || name === 'Z') return () => 0;
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(name);
  if (fixed !== null) {
    const seconds = (Number(fixed[2]) * 60 + Number(fixed[3])) * (fixed[1] === '-' ? -60 : 60);
    return () => seconds;
  }
  const format = zoneFormat(name, option);
  // Offsets change at quarters of an hour at the earliest, and lines that follow each other share theirs.
  let cachedSlot = Number.NaN;
  let cachedOffset = 0;
  return (epochMs) => {
    const slot = Math.floor(epochMs / SLOT_MS);
    if (slot !== cachedSlot) {
      cachedOffset = offsetAt(format, slot * SLOT_MS);
      cachedSlot = slot;
    }
    return cachedOffset;
  };
}

/** Returns the UTC seconds of a local time given as if it were UTC. In the hour that stands twice, the first is taken. */
export function localToUtcSeconds(localSeconds: number, zone: ZoneOffset): number {
  const guess = localSeconds - zone(localSeconds * 1000);
  const earlier = localSeconds - zone((guess - 3600) * 1000);
  if (earlier + zone(earlier * 1000) === localSeconds) return earlier;
  return localSeconds - zone(guess * 1000);
}

function zoneFormat(name: string, option: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError(
      option,
      `'${name}' is no time zone`,
      'Use a name such as Europe/Berlin, or an offset such as +02:00.',
    );
  }
}

function offsetAt(format: Intl.DateTimeFormat, epochMs: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(epochMs)) parts[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Math.round((Date.UTC(year, month - 1, day, hour, minute, second) - epochMs) / 1000);
}
