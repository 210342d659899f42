/**
 * The times that an engine can find again: nanoseconds since the epoch in 63 bits, as the type `date_nanos` has them.
 * Engines differ in what they do with others: most reject the document, OpenSearch 2 keeps it where no search by time
 * finds it. So such documents are not sent at all.
 */

/** 2262-04-11, the last day, of which engines have only a part: no time of it or behind it is sent. */
export const LAST_DAY_MS = 106_751 * 86_400_000;

const LAST_DAY_NS = BigInt(LAST_DAY_MS) * 1_000_000n;

/** Whether the engine can index a time in nanoseconds since the epoch. */
export function isEngineTime(timeNs: bigint): boolean {
  return timeNs >= 0n && timeNs < LAST_DAY_NS;
}

/** Whether a text begins with a date that no engine can index, whatever follows. */
export function isFarDate(text: string): boolean {
  const year = Number(/^(\d{4})-\d{2}-\d{2}/.exec(text)?.[1]);
  return year < 1970 || year >= 2262;
}
