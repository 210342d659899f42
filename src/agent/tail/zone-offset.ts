/** Zones are looked up once per this many seconds of local time: offsets change on quarters of an hour at most. */
const STEP_SECONDS = 900;

/** Entries of the cache; it is emptied when full. */
const CACHE_MAX = 4096;

/**
 * Returns a function that gives the seconds east of UTC of a local time, which is given in seconds as if it were
 * UTC. `zone` is an IANA name; undefined is the zone of the process. In the hour that a clock change repeats, the
 * earlier reading is taken. The function throws `RangeError` for a zone that does not exist.
 */
export function createZoneOffset(zone: string | undefined): (localSeconds: number) => number {
  // Made at the first use, because most files need no zone and making one is slow.
  let made: Intl.DateTimeFormat | undefined;
  const makeFormat = (): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat('en-US', {
      ...(zone === undefined ? {} : { timeZone: zone }),
      timeZoneName: 'longOffset',
      year: 'numeric',
    });
  const cache = new Map<number, number>();
  const offsetAt = (utcSeconds: number): number => {
    made ??= makeFormat();
    const parts = made.formatToParts(utcSeconds * 1000);
    return parseOffset(parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT');
  };
  return (localSeconds) => {
    const step = Math.floor(localSeconds / STEP_SECONDS);
    const cached = cache.get(step);
    if (cached !== undefined) return cached;
    const start = step * STEP_SECONDS;
    const guess = offsetAt(start);
    const offset = offsetAt(start - guess);
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(step, offset);
    return offset;
  };
}

function parseOffset(text: string): number {
  const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (match?.[1] === undefined) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return match[1] === '-' ? -seconds : seconds;
}
