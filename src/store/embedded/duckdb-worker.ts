/**
 * The worker thread that holds DuckDB: SQL comes in, rows go out, and the thread that serves requests never waits
 * for a query. Each request has a connection of its own, so that interrupting it interrupts nothing else.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';
import { must } from '../../base/assert.ts';
import { messageOf } from '../../base/errors.ts';
import { LineSorter } from './line-sorter.ts';
import { OrderedTexts } from './ordered-texts.ts';
import type { LineBlock, Row, WorkerReply, WorkerRequest, WorkerSettings } from './duckdb-protocol.ts';

const port = must(parentPort, 'port of the parent thread');
const settings = workerData as WorkerSettings;
/** Connections by the request that has them. */
const tasks = new Map<number, DuckDBConnection>();
/** Requests that wait for a connection, and those of them that were cancelled meanwhile. */
const starting = new Set<number>();
const cancelled = new Set<number>();
const idle: DuckDBConnection[] = [];

const instance = await DuckDBInstance.create(':memory:', {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  memory_limit: `${Math.round(settings.memoryBytesMax / 1e6)}MB`,
  threads: String(settings.threads),
  temp_directory: settings.temporaryDirectory,
  // Every query that cares for order says so; without this, sorting and writing need far less memory.
  preserve_insertion_order: 'false',
});

/** Answers that are being worked on: the thread must not end before they have. */
const answering = new Set<Promise<void>>();

port.on('message', (request: WorkerRequest) => {
  if (request.kind === 'close') return void close(request.id);
  const answered = answer(request).finally(() => answering.delete(answered));
  answering.add(answered);
});
port.postMessage({ id: 0, rows: [] } satisfies WorkerReply);

async function answer(request: WorkerRequest): Promise<void> {
  const { id } = request;
  try {
    if (request.kind === 'cancel') cancel(id);
    else if (request.kind === 'lines') replyBlock(id, await readLines(request));
    else if (request.kind === 'texts') replyBlock(id, await readTexts(request));
    else if (request.kind === 'run') port.postMessage({ id, rows: await run(request) } satisfies WorkerReply);
  } catch (error) {
    end(id, true);
    port.postMessage({ id, error: messageOf(error) } satisfies WorkerReply);
  }
}

type RunRequest = Extract<WorkerRequest, { kind: 'run' }>;
type LinesRequest = Extract<WorkerRequest, { kind: 'lines' }>;
type TextsRequest = Extract<WorkerRequest, { kind: 'texts' }>;

/** Takes a connection for a request, which `end` gives back. */
async function begin(id: number): Promise<DuckDBConnection> {
  starting.add(id);
  const connection = idle.pop() ?? (await instance.connect());
  tasks.set(id, connection);
  starting.delete(id);
  if (cancelled.has(id)) throw new Error('INTERRUPT Error: Interrupted!');
  return connection;
}

async function run({ id, statements, text }: RunRequest): Promise<readonly Row[]> {
  const connection = await begin(id);
  for (const statement of statements.slice(0, -1)) await connection.run(statement);
  const values = text === undefined ? undefined : [new TextDecoder().decode(text)];
  const last = must(statements.at(-1), 'statement');
  const rows = await (await connection.run(last, values)).getRowsJS();
  end(id);
  return rows;
}

/** One file is read after the other: each that is open takes the engine memory for all its columns. */
async function readLines({ id, statements, bytesMax }: LinesRequest): Promise<LineBlock | undefined> {
  const connection = await begin(id);
  const sorter = new LineSorter();
  for (const statement of statements) {
    const result = await connection.stream(statement);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      sorter.add(chunk);
      if (bytesMax === undefined || sorter.bytes <= bytesMax) continue;
      // The connection holds the rest of the result.
      end(id, true);
      return undefined;
    }
  }
  end(id);
  return sorter.finish();
}

async function readTexts({ id, statement, bytesMax }: TextsRequest): Promise<LineBlock | undefined> {
  const connection = await begin(id);
  const texts = new OrderedTexts();
  const result = await connection.stream(statement);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    texts.add(chunk);
  }
  const isTooMuch = bytesMax !== undefined && texts.bytes > bytesMax;
  const block = isTooMuch ? undefined : texts.finish();
  end(id);
  return block;
}

/** Hands the bytes over: they are not copied. */
function replyBlock(id: number, block: LineBlock | undefined): void {
  const transferred = block === undefined ? [] : [block.bytes.buffer];
  port.postMessage({ id, block } satisfies WorkerReply, transferred);
}

function cancel(id: number): void {
  const connection = tasks.get(id);
  if (connection !== undefined) connection.interrupt();
  else if (starting.has(id)) cancelled.add(id);
}

function end(id: number, isSpoiled = false): void {
  const connection = tasks.get(id);
  tasks.delete(id);
  cancelled.delete(id);
  starting.delete(id);
  if (connection === undefined) return;
  // One that failed may hold temporary tables.
  if (isSpoiled) connection.closeSync();
  else idle.push(connection);
}

async function close(id: number): Promise<void> {
  for (const connection of tasks.values()) connection.interrupt();
  await Promise.all(answering);
  for (const connection of idle) connection.closeSync();
  port.postMessage({ id, rows: [] } satisfies WorkerReply);
  port.close();
}
