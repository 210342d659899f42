/**
 * How a file is recognised without trusting its name: by its first line, and by the last bytes that were read. The
 * first tells most files apart; the second tells a file from another one that begins with the same banner.
 */
import type { FileSystem } from '../../base/file-system.ts';
import { FIRST_LINE_BYTES_MAX, toHex } from '../../record/identity.ts';
import type { Fingerprint } from '../ship/checkpoint-store.ts';

/** Bytes before the read offset that are compared before new ones are accepted. */
export const MARK_BYTES = 64;

/** Bytes at the beginning that are compared after every read. */
export const HEAD_CHECK_BYTES = 256;

const HASH_BYTES = 16;
const NEWLINE = 10;

export type Sha256 = (bytes: Uint8Array) => Uint8Array;

export interface Head {
  /** The first line with its newline, or as much of it as there is, up to 1 KiB. */
  readonly bytes: Uint8Array;
  /** Whether the line's end or 1 KiB is there. */
  readonly isWhole: boolean;
}

/** Cuts the head out of a file's first bytes; the result is a copy. */
export function headOf(first: Uint8Array): Head {
  const end = first.subarray(0, FIRST_LINE_BYTES_MAX).indexOf(NEWLINE);
  const length = end < 0 ? Math.min(first.length, FIRST_LINE_BYTES_MAX) : end + 1;
  return { bytes: first.slice(0, length), isWhole: end >= 0 || length === FIRST_LINE_BYTES_MAX };
}

/** Reads the head of an open file. */
export function readHead(fileSystem: FileSystem, fd: number): Head {
  return headOf(readAt(fileSystem, fd, 0, FIRST_LINE_BYTES_MAX));
}

/** Reads up to `length` bytes at `offset`; fewer at the end of the file. */
export function readAt(fileSystem: FileSystem, fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let count = 0;
  while (count < length) {
    const read = fileSystem.read(fd, bytes, count, length - count, offset + count);
    if (read === 0) break;
    count += read;
  }
  return bytes.subarray(0, count);
}

/** Makes a fingerprint of `bytes`, which stand at `offset`. */
export function fingerprintOf(bytes: Uint8Array, offset: number, sha256: Sha256): Fingerprint {
  return { offset, length: bytes.length, hash: toHex(sha256(bytes).subarray(0, HASH_BYTES)) };
}

/** Returns the offset behind the fingerprint's bytes. */
export function endOf({ offset, length }: Fingerprint): number {
  return offset + length;
}

/** Whether the bytes at the fingerprint's place have its hash. */
export function isFingerprintOf(bytes: Uint8Array, fingerprint: Fingerprint, sha256: Sha256): boolean {
  return bytes.length === fingerprint.length && fingerprintOf(bytes, 0, sha256).hash === fingerprint.hash;
}

/** Whether an open file has these bytes at their place. */
export function hasFingerprint(
  fileSystem: FileSystem,
  fd: number,
  fingerprint: Fingerprint,
  sha256: Sha256,
): boolean {
  return isFingerprintOf(readAt(fileSystem, fd, fingerprint.offset, fingerprint.length), fingerprint, sha256);
}

/** Whether a head begins with what a fingerprint was made of. */
export function isHeadOf(head: Head, fingerprint: Fingerprint, sha256: Sha256): boolean {
  return (
    fingerprint.length > 0 && isFingerprintOf(head.bytes.subarray(0, fingerprint.length), fingerprint, sha256)
  );
}

/** Whether two runs of bytes are the same. */
export function isSameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** Recognises compressed content by its first bytes (RFC 1952, RFC 8878), because s6 processors keep the name. */
export function compressionOf(first: Uint8Array): 'gz' | 'zst' | undefined {
  if (first[0] === 0x1f && first[1] === 0x8b) return 'gz';
  if (first[0] === 0x28 && first[1] === 0xb5 && first[2] === 0x2f && first[3] === 0xfd) return 'zst';
  return undefined;
}
