/**
 * Reads a compressed file as if it were plain: one chunk is inflated ahead, never more, and what was read before is
 * inflated again and passed over.
 */
import type { Fingerprint } from '../ship/checkpoint-store.ts';
import { endOf, isFingerprintOf, type Head, headOf, type Sha256 } from './fingerprint.ts';
import { FIRST_LINE_BYTES_MAX } from '../../record/identity.ts';

/**
 * Opens a compressed file as its plain bytes, in chunks of any size. Fails like the file system, and with `ESTALE` when
 * another file than that of `inode` (`device:inode`) has the name by then: rotation moves names on.
 */
export type OpenArchive = (
  path: string,
  compression: 'gz' | 'zst',
  inode?: string,
) => AsyncIterable<Uint8Array>;

export class ArchiveReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #onReady: () => void;
  #skip: number;
  #chunk: Uint8Array | undefined;
  #isPending = false;
  #isEnded = false;
  #isClosed = false;
  #error: unknown;

  /** `onReady` is called when a chunk has arrived, the end is reached, or reading has failed. */
  constructor(chunks: AsyncIterable<Uint8Array>, skipBytes: number, onReady: () => void) {
    this.#iterator = chunks[Symbol.asyncIterator]();
    this.#skip = skipBytes;
    this.#onReady = onReady;
    this.#fetch();
  }

  get isEnded(): boolean {
    return this.#isEnded && this.#chunk === undefined;
  }

  /** Whether everything was taken, up to the archive's own end. */
  get isReadThrough(): boolean {
    return this.isEnded && this.#error === undefined;
  }

  /** What ended the reading early. */
  get error(): unknown {
    return this.#error;
  }

  get hasBytes(): boolean {
    return this.#chunk !== undefined;
  }

  /** Returns up to `lengthMax` bytes that follow; undefined while none are there. They are borrowed until the next call. */
  take(lengthMax: number): Uint8Array | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    const bytes = chunk.subarray(0, lengthMax);
    this.#chunk = bytes.length < chunk.length ? chunk.subarray(bytes.length) : undefined;
    if (this.#chunk === undefined) this.#fetch();
    return bytes;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#iterator.return?.().catch(() => undefined);
  }

  #fetch(): void {
    if (this.#isPending || this.#isEnded || this.#isClosed) return;
    this.#isPending = true;
    this.#advance().then(
      () => this.#settle(),
      (error: unknown) => {
        this.#error = error;
        this.#isEnded = true;
        this.#settle();
      },
    );
  }

  async #advance(): Promise<void> {
    for (;;) {
      const next = await this.#iterator.next();
      if (next.done === true) {
        this.#isEnded = true;
        return;
      }
      const passed = Math.min(this.#skip, next.value.length);
      this.#skip -= passed;
      if (passed === next.value.length) continue;
      this.#chunk = next.value.subarray(passed);
      return;
    }
  }

  #settle(): void {
    this.#isPending = false;
    // A chunk that was taken the moment it came is followed by the next one.
    if (this.#chunk === undefined) this.#fetch();
    if (!this.#isClosed) this.#onReady();
  }
}

export interface ArchiveProbe {
  readonly head: Head;
  /** Those of the asked fingerprints that are in the archive. */
  readonly found: ReadonlySet<Fingerprint>;
  /** Plain bytes that were looked at: all of the archive, when one of the fingerprints ends behind them. */
  readonly size: number;
}

/**
 * Inflates as much as the fingerprints need and returns the head and which of them are there. `choose` is given the
 * head and returns the fingerprints to look for. Rejects when the archive cannot be read that far.
 */
export async function probeArchive(
  chunks: AsyncIterable<Uint8Array>,
  choose: (head: Head) => readonly Fingerprint[],
  sha256: Sha256,
): Promise<ArchiveProbe> {
  let kept = new Uint8Array(0);
  let keptOffset = 0;
  let head: Head | undefined;
  let wanted: Fingerprint[] = [];
  const found = new Set<Fingerprint>();
  for await (const chunk of chunks) {
    kept = joinBytes(kept, chunk);
    if (head === undefined) {
      const first = headOf(kept);
      if (!first.isWhole && kept.length < FIRST_LINE_BYTES_MAX) continue;
      head = first;
      wanted = choose(head).toSorted((left, right) => endOf(left) - endOf(right));
    }
    const end = keptOffset + kept.length;
    while (wanted[0] !== undefined && endOf(wanted[0]) <= end) {
      const next = wanted.shift() as Fingerprint;
      const start = next.offset - keptOffset;
      if (isFingerprintOf(kept.subarray(start, start + next.length), next, sha256)) found.add(next);
    }
    if (wanted[0] === undefined) break;
    const needed = Math.min(...wanted.map(({ offset }) => offset));
    const passed = Math.max(0, Math.min(kept.length, needed - keptOffset));
    kept = kept.slice(passed);
    keptOffset += passed;
  }
  if (head === undefined) {
    head = headOf(kept);
    for (const fingerprint of choose(head)) {
      const bytes = kept.subarray(fingerprint.offset, fingerprint.offset + fingerprint.length);
      if (isFingerprintOf(bytes, fingerprint, sha256)) found.add(fingerprint);
    }
  }
  return { head, found, size: keptOffset + kept.length };
}

function joinBytes(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(left.length + right.length);
  joined.set(left, 0);
  joined.set(right, left.length);
  return joined;
}
