/**
 * What a store holds of steady lines, asked of its Parquet files with DuckDB as any other program would, while nobody
 * else has the store open.
 */
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { openJournal } from '../../src/base/journal.ts';
import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { CATALOG_VERSION, CatalogState, type CatalogEntry } from '../../src/store/embedded/catalog.ts';
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

/** Reads every record of the embedded store in `directory`, whose journals are empty. */
export async function readStoredLines(
  directory: string,
  known: readonly SteadyLines[],
): Promise<StoredVerdict> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '3GB', threads: '2' });
  try {
    const connection = await instance.connect();
    const files = await listSegments(directory);
    await connection.run(linesTable(files, known, await gapColumn(connection, files)));
    const writers = new Map<string, StoredLines>();
    for (const { writer, ...lines } of await rowsOf<Sums>(connection, SUMS)) writers.set(writer, lines);
    const gaps = new Map(
      (await rowsOf<Gaps>(connection, GAPS)).map(({ service, count }) => [service, count]),
    );
    const counts = [...[...writers.values()].map(({ found }) => found), ...gaps.values()];
    const [all] = await rowsOf<{ count: number }>(
      connection,
      'SELECT count(*)::DOUBLE AS count FROM records',
    );
    const broken = counts.reduce((rest, count) => rest - count, all?.count ?? 0);
    const isWhole = broken === 0 && [...writers.values()].every(hasEachOnce);
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
}

/**
 * Returns the Parquet files as a list in SQL: those that the catalog names. A store that is stopped while it merges
 * segments leaves what it has merged so far beside them, and removes it when it is opened.
 */
async function listSegments(directory: string): Promise<string> {
  const opened = await openJournal<CatalogEntry>({
    fileSystem: nodeFileSystem,
    directory,
    name: 'catalog',
    version: CATALOG_VERSION,
  });
  opened.journal.close();
  const catalog = new CatalogState();
  for (const entry of opened.entries) catalog.apply(entry);
  const paths = [...catalog.segments.keys()].map((name) => `'${path.join(directory, 'segments', name)}'`);
  return `[${paths.join(', ')}]`;
}

interface Gaps {
  readonly service: string;
  readonly count: number;
}

/** No record of the store has a kind when none is a gap: then there is no such column. */
async function gapColumn(connection: DuckDBConnection, files: string): Promise<string> {
  const sql = `SELECT count(*)::DOUBLE AS count FROM parquet_schema(${files}) WHERE name = 'event.kind'`;
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
    FROM read_parquet(${files}, union_by_name = true);
    CREATE TABLE writers AS SELECT * FROM (VALUES ${rows.join(', ')}) AS known (writer, padding);
    CREATE VIEW lines AS
    SELECT records.*, coalesce(message = (${STEADY_SQL.expected}), false) AS is_sound
    FROM records LEFT JOIN writers USING (writer);
    CREATE TABLE sound AS SELECT writer, number FROM lines WHERE is_sound;
    CREATE TABLE gaps AS SELECT service, count(*)::DOUBLE AS count FROM records WHERE is_gap GROUP BY service;
  `;
}

const SUMS = `
  SELECT writer, count(*)::DOUBLE AS found, count(DISTINCT number)::DOUBLE AS "distinct",
    min(number)::DOUBLE AS first, max(number)::DOUBLE AS last
  FROM sound GROUP BY writer
`;

const GAPS = 'SELECT service, count FROM gaps';

const EXAMPLES = `
  (SELECT format('broken at {} of {}: {}', "offset", file_id, left(message, ${EXAMPLE_LENGTH_MAX})) AS text
   FROM lines WHERE NOT is_sound AND NOT is_gap LIMIT ${EXAMPLES_MAX})
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
