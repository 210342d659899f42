/** Joins texts that hold the documents of one part of time each, in order, to lines; see `orderedLinesSql`. */
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { DuckDBBlobVector } from '@duckdb/node-api';
import { must } from '../../base/assert.ts';
import type { LineBlock } from './duckdb-protocol.ts';

const NEWLINE = 10;

/** Columns of the result set. */
const COLUMN = { part: 0, rows: 1, text: 2 } as const;

interface PartOfTime {
  readonly part: number;
  readonly text: Uint8Array;
}

export class OrderedTexts {
  readonly #parts: PartOfTime[] = [];
  /** Texts are borrowed from these. */
  readonly #chunks: DuckDBDataChunk[] = [];
  #rows = 0;
  #bytes = 0;

  /** Bytes of the lines so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: DuckDBDataChunk): void {
    this.#chunks.push(chunk);
    const parts = chunk.getColumnVector(COLUMN.part);
    const rows = chunk.getColumnVector(COLUMN.rows);
    const texts = chunk.getColumnVector(COLUMN.text);
    for (let index = 0; index < chunk.rowCount; index += 1) {
      const text = must(texts instanceof DuckDBBlobVector ? texts.getItemBytes(index) : null, 'text');
      this.#parts.push({ part: parts.getItem(index) as number, text });
      this.#rows += rows.getItem(index) as number;
      this.#bytes += text.length + 1;
    }
  }

  /** Returns all lines in order. */
  finish(): LineBlock {
    const bytes = new Uint8Array(this.#bytes);
    let at = 0;
    for (const { text } of this.#parts.sort((one, other) => one.part - other.part)) {
      bytes.set(text, at);
      at += text.length + 1;
      bytes[at - 1] = NEWLINE;
    }
    return { bytes, rows: this.#rows };
  }
}
