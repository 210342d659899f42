/** Messages between `duckdb-engine.ts` and the worker thread that holds the engine. */
export interface WorkerSettings {
  readonly memoryBytesMax: number;
  readonly threads: number;
  readonly temporaryDirectory: string;
}

export type Row = readonly unknown[];

/**
 * `run` executes statements one after the other on one connection and answers with the last one's rows; `open`
 * answers with the first block and keeps the rest for `next`; `cancel` ends either. The last statement knows `text`, UTF-8, as `$1`.
 */
export type WorkerRequest =
  | {
      readonly kind: 'run' | 'open';
      readonly id: number;
      readonly statements: readonly string[];
      readonly text?: Uint8Array | undefined;
    }
  | { readonly kind: 'next' | 'cancel' | 'close'; readonly id: number };

export type WorkerReply =
  | { readonly id: number; readonly rows: readonly Row[]; readonly isDone: boolean }
  | { readonly id: number; readonly error: string };
