/**
 * What was odd about lines that are in records all the same. The list is closed: the ledger counts each kind by file,
 * and `audit --json` adds them up. Bytes that are in no record are counted by `DropReason`.
 *
 *   invalid_utf8      sequences that are no UTF-8, each replaced by U+FFFD
 *   malformed_line    lines that are not valid for their format (`log.parse_error`)
 *   truncated_line    lines that were cut at the limit
 *   split_line        lines that were given out in several records
 *   unfinished_line   lines that were given out without their end
 */
export const FLAWS = [
  'invalid_utf8',
  'malformed_line',
  'truncated_line',
  'split_line',
  'unfinished_line',
] as const;

export type Flaw = (typeof FLAWS)[number];

/** How often each was met; absent where never. */
export type FlawCounts = Readonly<Partial<Record<Flaw, number>>>;
