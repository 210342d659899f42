/** Safe spellings of values in SQL: everything that comes from a query or a document passes through here. */

/** A string literal. NUL cannot stand in SQL text, so it is spelled as `chr(0)`. */
export function sqlText(value: string): string {
  const quote = (part: string): string => `'${part.replaceAll("'", "''")}'`;
  const wellFormed = value.toWellFormed();
  if (!wellFormed.includes('\u0000')) return quote(wellFormed);
  return `(${wellFormed.split('\u0000').map(quote).join(' || chr(0) || ')})`;
}

/** An identifier. The name contains no NUL: `columns.ts` and `relation-sql.ts` see to that. */
export function sqlName(name: string): string {
  return `"${name.toWellFormed().replaceAll('"', '""')}"`;
}

/** A list of string literals. */
export function sqlTextList(values: readonly string[]): string {
  return `[${values.map(sqlText).join(', ')}]`;
}

/** A TIMESTAMP_NS, clamped to what 64 bits hold. */
export function sqlTime(timeNs: bigint): string {
  return `make_timestamp_ns(${clampNs(timeNs)})`;
}

/** Nanoseconds that DuckDB can hold as a finite TIMESTAMP_NS. */
function clampNs(timeNs: bigint): bigint {
  const limit = 9_223_372_036_854_775_000n;
  if (timeNs > limit) return limit;
  return timeNs < -limit ? -limit : timeNs;
}
