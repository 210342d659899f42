/**
 * What a store holds of steady lines, asked of its Parquet files with DuckDB as any other program would, while nobody
 * else has the store open.
 */
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { paddingOf, STEADY_SQL, type SteadyLines } from './steady-line.ts';

/** Of the lines of one writer; a line whose text is not what its number says is broken, and is not found. */
export interface StoredLines {
  readonly found: number;
  /** Different ones among those that were found. */
  readonly distinct: number;
  readonly first: number;
  readonly last: number;
}

export interface StoredVerdict {
  readonly writers: ReadonlyMap<string, StoredLines>;
  /** Records that are no sound line of a known writer, but for gap records. */
  readonly broken: number;
  /** Gap records, by the name of the service whose file has the gap. */
  readonly gaps: ReadonlyMap<string, number>;
  /** Of what is broken, twice, or missing between two lines that are there, with where it stands. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 10;
const EXAMPLE_LENGTH_MAX = 160;

/** Reads every record below `directory`, the embedded store's `segments`. */
export async function readStoredLines(
  directory: string,
  known: readonly SteadyLines[],
): Promise<StoredVerdict> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '3GB', threads: '2' });
  try {
    const connection = await instance.connect();
    const files = path.join(directory, '**', '*.parquet');
    await connection.run(linesTable(files, known, await gapColumn(connection, files)));
    const sums = await rowsOf<Sums>(connection, SUMS);
    const writers = new Map<string, StoredLines>();
    let broken = 0;
    for (const { writer, found, distinct, first, last, ...row } of sums) {
      broken += row.broken;
      if (found > 0) writers.set(writer, { found, distinct, first, last });
    }
    const isWhole = broken === 0 && [...writers.values()].every(hasEachOnce);
    const gaps = new Map(
      (await rowsOf<Gaps>(connection, GAPS)).map(({ service, count }) => [service, count]),
    );
    return { writers, broken, gaps, examples: isWhole ? [] : await listExamples(connection) };
  } finally {
    instance.closeSync();
  }
}

/** Says nothing of lines before the first and behind the last. */
function hasEachOnce({ found, distinct, first, last }: StoredLines): boolean {
  return found === distinct && distinct === last - first + 1;
}

interface Sums extends StoredLines {
  readonly writer: string;
  readonly broken: number;
}

interface Gaps {
  readonly service: string;
  readonly count: number;
}

/** No record of the store has a kind when none is a gap: then there is no such column. */
async function gapColumn(connection: DuckDBConnection, files: string): Promise<string> {
  const sql = `SELECT count(*)::DOUBLE AS count FROM parquet_schema('${files}') WHERE name = 'event.kind'`;
  const [row] = await rowsOf<{ count: number }>(connection, sql);
  return (row?.count ?? 0) > 0 ? `coalesce("event.kind" = 'gap', false)` : 'false';
}

/** Keeps of a sound line two numbers; its text is read again when an example is wanted. */
function linesTable(files: string, known: readonly SteadyLines[], isGap: string): string {
  const rows = known.map((lines) => `('${lines.writer}', '${paddingOf(lines)}')`);
  return `
    CREATE VIEW records AS
    SELECT message, file_id, "log.offset" AS "offset", "service.name" AS service, ${isGap} AS is_gap,
      ${STEADY_SQL.writer} AS writer, ${STEADY_SQL.number} AS number
    FROM read_parquet('${files}', union_by_name = true);
    CREATE TABLE writers AS SELECT * FROM (VALUES ${rows.join(', ')}) AS known (writer, padding);
    CREATE VIEW lines AS
    SELECT records.*, coalesce(message = (${STEADY_SQL.expected}), false) AS is_sound
    FROM records LEFT JOIN writers USING (writer);
    CREATE TABLE sound AS SELECT writer, number FROM lines WHERE is_sound;
    CREATE TABLE broken AS
    SELECT file_id, "offset", left(message, ${EXAMPLE_LENGTH_MAX}) AS message
    FROM lines WHERE NOT is_sound AND NOT is_gap;
    CREATE TABLE gaps AS SELECT service, count(*)::DOUBLE AS count FROM lines WHERE is_gap GROUP BY service;
  `;
}

const SUMS = `
  SELECT writer, count(*)::DOUBLE AS found, count(DISTINCT number)::DOUBLE AS "distinct",
    min(number)::DOUBLE AS first, max(number)::DOUBLE AS last, 0::DOUBLE AS broken
  FROM sound GROUP BY writer
  UNION ALL SELECT '', 0, 0, 0, 0, count(*)::DOUBLE FROM broken
`;

const GAPS = 'SELECT service, count FROM gaps';

const EXAMPLES = `
  (SELECT format('broken at {} of {}: {}', "offset", file_id, message) AS text FROM broken LIMIT ${EXAMPLES_MAX})
  UNION ALL
  (SELECT format('{} {} to {} missing', writer, number + 1, next - 1)
   FROM (SELECT *, lead(number) OVER (PARTITION BY writer ORDER BY number) AS next FROM sound)
   WHERE next > number + 1 ORDER BY writer, number LIMIT ${EXAMPLES_MAX})
  UNION ALL
  (SELECT format('{} {} found {} times', writer, number, count(*))
   FROM sound GROUP BY writer, number HAVING count(*) > 1 ORDER BY writer, number LIMIT ${EXAMPLES_MAX})
`;

async function listExamples(connection: DuckDBConnection): Promise<string[]> {
  return (await rowsOf<{ text: string }>(connection, EXAMPLES)).map(({ text }) => text);
}

async function rowsOf<T>(connection: DuckDBConnection, sql: string): Promise<T[]> {
  return (await (await connection.run(sql)).getRowObjectsJS()) as T[];
}
