/** What the tests of the decoder share: a decoder with defaults, and its output with the accounting checked. */
import { BufferPool } from './buffer-pool.ts';
import { ContainerLanes } from './container-lanes.ts';
import { createDecoder } from './decoder.ts';
import type { DecoderOptions, FileDecoder } from './decoder.ts';
import type { DecodedFile, EncodedBatch } from './decoder-types.ts';

export const FILE_A = '0123456789abcdef0123';
export const FILE_B = 'fedcba9876543210fedc';

/** 2026-11-23T04:30:00.5Z. */
export const READ_TIME_NS = 1_795_408_200_500_000_000n;

export const DEFAULTS: DecoderOptions = {
  lineBytesMax: 1024,
  longLines: 'truncate',
  multiline: {
    mode: 'stack-traces',
    languages: ['go', 'java', 'python', 'node', 'ruby', 'dotnet'],
    start: undefined,
    continue: undefined,
    linesMax: 500,
    bytesMax: 64 * 1024,
    flushMs: 1000,
  },
  encoding: 'auto',
  timeZone: () => 0,
  taiOffsetSeconds: 37,
  buffers: new BufferPool(64 * 1024),
};

export interface HarnessOptions {
  readonly file?: Partial<DecodedFile>;
  readonly options?: Partial<DecoderOptions>;
  readonly lanes?: ContainerLanes;
}

/** A document as far as tests look at it. */
export interface TestDocument {
  readonly '@timestamp': string;
  readonly message: string;
  readonly stream: string;
  readonly log: {
    readonly offset: number;
    readonly file: { readonly path: string };
    readonly flags?: readonly string[];
    readonly original_length?: number;
    readonly parse_error?: string;
    readonly sequence?: number;
  };
  readonly event: { readonly id: string };
}

/** Pushes text or bytes and collects what comes out. */
export class DecoderHarness {
  readonly decoder: FileDecoder;
  readonly batches: EncodedBatch[] = [];
  offset: number;

  constructor({ file, options, lanes }: HarnessOptions = {}, startOffset = 0) {
    const source: DecodedFile = {
      fileId: FILE_A,
      path: '/logs/a.log',
      format: 'cri',
      stream: 'file',
      resource: {},
      ...file,
    };
    this.decoder = createDecoder(source, lanes ?? new ContainerLanes(), { ...DEFAULTS, ...options });
    this.offset = startOffset;
  }

  /** Pushes a chunk and takes what is ready. */
  push(chunk: string | Uint8Array, readTimeNs = READ_TIME_NS): this {
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
    this.decoder.push(bytes, 0, bytes.length, this.offset, readTimeNs);
    this.offset += bytes.length;
    this.batches.push(...this.decoder.take());
    return this;
  }

  flush(cause: 'idle' | 'gone'): this {
    this.decoder.flush(cause);
    this.batches.push(...this.decoder.take());
    return this;
  }

  /** All documents so far, in order, as text. */
  get text(): string {
    return this.batches.map((batch) => new TextDecoder().decode(batch.body)).join('');
  }

  get documents(): TestDocument[] {
    const lines = this.text.split('\n').filter((line) => line !== '');
    return lines.map((line): TestDocument => JSON.parse(line));
  }

  get messages(): string[] {
    return this.documents.map(({ message }) => message);
  }

  /** Bytes in records and in drops. */
  get accountedBytes(): number {
    let bytes = 0;
    for (const batch of this.batches) {
      bytes += batch.recordBytes;
      for (const dropped of Object.values(batch.dropped)) bytes += dropped;
    }
    return bytes;
  }

  droppedBytes(reason: keyof EncodedBatch['dropped']): number {
    return this.batches.reduce((sum, batch) => sum + (batch.dropped[reason] ?? 0), 0);
  }
}
