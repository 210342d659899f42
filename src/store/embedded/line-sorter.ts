/**
 * Puts the documents of several result sets in order and joins them to lines, in the worker thread: the engine's own
 * sort would need several times their memory, and all files open at once. Documents stay where the engine has them
 * until they are copied, once.
 */
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { DuckDBBlobVector } from '@duckdb/node-api';
import { must } from '../../base/assert.ts';
import type { LineBlock } from './duckdb-protocol.ts';

const NEWLINE = 10;

/** Columns of the result sets: the time in two numbers, the file id, the offset, bytes of the document, the document. */
const COLUMN = { timeHigh: 0, timeLow: 1, fileId: 2, offset: 3, bytes: 4, document: 5 } as const;

interface Row {
  readonly timeHigh: number;
  readonly timeLow: number;
  readonly offset: number;
  readonly chunk: DuckDBDataChunk;
  readonly index: number;
}

export class LineSorter {
  readonly #rows: Row[] = [];
  #bytes = 0;

  /** Bytes of the lines so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: DuckDBDataChunk): void {
    const timeHigh = chunk.getColumnVector(COLUMN.timeHigh);
    const timeLow = chunk.getColumnVector(COLUMN.timeLow);
    const offset = chunk.getColumnVector(COLUMN.offset);
    const bytes = chunk.getColumnVector(COLUMN.bytes);
    for (let index = 0; index < chunk.rowCount; index += 1) {
      this.#rows.push({
        timeHigh: timeHigh.getItem(index) as number,
        timeLow: timeLow.getItem(index) as number,
        offset: offset.getItem(index) as number,
        chunk,
        index,
      });
      this.#bytes += (bytes.getItem(index) as number) + 1;
    }
  }

  /** Returns all lines in order. */
  finish(): LineBlock {
    const rows = this.#rows.sort(compareRows);
    const bytes = new Uint8Array(this.#bytes);
    let at = 0;
    for (const { chunk, index } of rows) {
      const documents = chunk.getColumnVector(COLUMN.document);
      const document = documents instanceof DuckDBBlobVector ? documents.getItemBytes(index) : null;
      const line = must(document, 'document');
      bytes.set(line, at);
      at += line.length + 1;
      bytes[at - 1] = NEWLINE;
    }
    return { bytes, rows: rows.length };
  }
}

/** By time, file id and offset; file ids are only looked at where times are the same. */
function compareRows(one: Row, other: Row): number {
  return (
    one.timeHigh - other.timeHigh ||
    one.timeLow - other.timeLow ||
    compareFiles(one, other) ||
    one.offset - other.offset
  );
}

function compareFiles(one: Row, other: Row): number {
  const left = fileIdOf(one);
  const right = fileIdOf(other);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function fileIdOf({ chunk, index }: Row): string {
  return String(chunk.getColumnVector(COLUMN.fileId).getItem(index));
}
