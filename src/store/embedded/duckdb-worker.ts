/**
 * The worker thread that holds DuckDB: SQL comes in, rows go out, and the thread that serves requests never waits
 * for a query. Each request has a connection of its own, so that interrupting it interrupts nothing else.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';
import { must } from '../../base/assert.ts';
import { messageOf } from '../../base/errors.ts';
import type { Row, WorkerReply, WorkerRequest, WorkerSettings } from './duckdb-protocol.ts';

interface Task {
  readonly connection: DuckDBConnection;
  result: DuckDBResult | undefined;
}

const port = must(parentPort, 'port of the parent thread');
const settings = workerData as WorkerSettings;
const tasks = new Map<number, Task>();
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
port.postMessage({ id: 0, rows: [], isDone: true } satisfies WorkerReply);

async function answer(request: WorkerRequest): Promise<void> {
  const { id } = request;
  try {
    if (request.kind === 'cancel') cancel(id);
    else if (request.kind === 'next') reply(id, await readBlock(id));
    else if ('statements' in request) reply(id, await start(request));
  } catch (error) {
    end(id, true);
    port.postMessage({ id, error: messageOf(error) } satisfies WorkerReply);
  }
}

type StartRequest = Extract<WorkerRequest, { kind: 'run' | 'open' }>;

interface Block {
  readonly rows: readonly Row[];
  readonly isDone: boolean;
}

async function start({ kind, id, statements, text }: StartRequest): Promise<Block> {
  starting.add(id);
  const connection = idle.pop() ?? (await instance.connect());
  const task: Task = { connection, result: undefined };
  tasks.set(id, task);
  starting.delete(id);
  if (cancelled.has(id)) throw new Error('INTERRUPT Error: Interrupted!');
  for (const statement of statements.slice(0, -1)) await connection.run(statement);
  const last = must(statements.at(-1), 'statement');
  if (kind === 'open') {
    task.result = await connection.stream(last);
    return readBlock(id);
  }
  const values = text === undefined ? undefined : [new TextDecoder().decode(text)];
  const rows = await (await connection.run(last, values)).getRowsJS();
  end(id);
  return { rows, isDone: true };
}

async function readBlock(id: number): Promise<Block> {
  const result = tasks.get(id)?.result;
  if (result === undefined) return { rows: [], isDone: true };
  const { value } = await result.yieldRowsJs().next();
  const rows: readonly Row[] = value ?? [];
  if (rows.length === 0) end(id);
  return { rows, isDone: rows.length === 0 };
}

function reply(id: number, block: Block): void {
  port.postMessage({ id, ...block } satisfies WorkerReply);
}

function cancel(id: number): void {
  const task = tasks.get(id);
  if (task !== undefined) task.connection.interrupt();
  else if (starting.has(id)) cancelled.add(id);
  if (task?.result !== undefined) end(id);
}

function end(id: number, hasFailed = false): void {
  const task = tasks.get(id);
  tasks.delete(id);
  cancelled.delete(id);
  starting.delete(id);
  if (task === undefined) return;
  // A connection that was streaming may hold the rest of its result, one that failed its temporary tables.
  if (task.result !== undefined || hasFailed) task.connection.closeSync();
  else idle.push(task.connection);
}

async function close(id: number): Promise<void> {
  for (const task of tasks.values()) task.connection.interrupt();
  await Promise.all(answering);
  for (const connection of idle) connection.closeSync();
  reply(id, { rows: [], isDone: true });
  port.close();
}
