/** Messages between `duckdb-engine.ts` and the worker thread that holds the engine. */
export interface WorkerSettings {
  readonly memoryBytesMax: number;
  readonly threads: number;
  readonly temporaryDirectory: string;
}

export type Row = readonly unknown[];

/** Documents with a newline behind each of them. */
export interface LineBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

/**
 * `run` executes statements one after the other on one connection and answers with the last one's rows; the last
 * statement knows `text`, UTF-8, as `$1`. `lines` answers with the documents of all its statements in order, and with
 * no block when they have more bytes than `bytesMax`; `texts` does so for one statement of `orderedLinesSql`. `cancel` ends
 * any of them.
 */
export type WorkerRequest =
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly statements: readonly string[];
      readonly text?: Uint8Array | undefined;
    }
  | {
      readonly kind: 'lines';
      readonly id: number;
      readonly statements: readonly string[];
      readonly bytesMax: number | undefined;
    }
  | {
      readonly kind: 'texts';
      readonly id: number;
      readonly statement: string;
      readonly bytesMax: number | undefined;
    }
  | { readonly kind: 'cancel' | 'close'; readonly id: number };

export type WorkerReply =
  | { readonly id: number; readonly rows: readonly Row[] }
  | { readonly id: number; readonly block: LineBlock | undefined }
  | { readonly id: number; readonly error: string };
