import { formatTimestamp, parseTimestamp } from '../../record/timestamp.ts';
import { parseRotatedName } from '../discovery/rotated-name.ts';

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/** `YYYYMMDDHHMMSS` */
const DIGITS = 14;

/**
 * Returns the name that a file is rotated to: `app.log-20261123-043000`, in UTC. It is later than that of every file
 * in `names` that was rotated from the same one, whatever the clock says.
 */
export function datedName(name: string, nowMs: number, names: readonly string[]): string {
  let digits = digitsOf(BigInt(Math.floor(nowMs)) * NS_PER_MS);
  let latest = '';
  for (const other of names) {
    const { base, rotation } = parseRotatedName(other);
    if (base === name && rotation?.kind === 'date' && rotation.text > latest) latest = rotation.text;
  }
  if (latest >= digits) {
    const time = timeOf(latest.replaceAll(/\D/g, '').padEnd(DIGITS, '0').slice(0, DIGITS));
    if (time !== undefined) digits = digitsOf(time + NS_PER_SECOND);
  }
  return `${name}-${digits.slice(0, 8)}-${digits.slice(8)}`;
}

function digitsOf(timeNs: bigint): string {
  return formatTimestamp(timeNs).slice(0, 19).replaceAll(/\D/g, '');
}

function timeOf(digits: string): bigint | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits) ?? [];
  return parseTimestamp(`${year}-${month}-${day}T${hour}:${minute}:${second}.000000000Z`);
}
