/** Compression of record batches, by the numbers that Kafka's format gives the codecs. */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import { compressionsAlgorithms } from '../client/kafka-library.ts';
import type { KafkaConfig } from '../../../config/config.ts';

export type Compression = KafkaConfig['compression'];

/** The lowest three bits of a batch's attributes (KIP-98, KIP-110). */
const CODEC_NUMBERS: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** A batch that claims to be larger than this when it is unpacked is an attack or broken. */
const UNPACKED_BYTES_MAX = 512 * 2 ** 20;

/** Level 1 costs half of what level 3 does and packs logs nearly as well. */
const ZSTD_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Returns the codec's number as it stands in the attributes of a batch. */
export function codecNumberOf(compression: Compression): number {
  return CODEC_NUMBERS[compression];
}

/** Packs the records of a batch; `none` returns them as they are, not copied. */
export function compressRecords(records: Buffer, compression: Compression): Buffer {
  if (compression === 'zstd') return zstdCompressSync(records, ZSTD_OPTIONS);
  if (compression === 'gzip') return gzipSync(records, { level: 1 });
  if (compression === 'none') return records;
  return compressionsAlgorithms[compression].compressSync(records);
}

/** Unpacks the records of a batch with these attributes. Throws for what is broken or of an unknown codec. */
export function decompressRecords(records: Buffer, attributes: number): Buffer {
  const limit = { maxOutputLength: UNPACKED_BYTES_MAX };
  switch (attributes & 0b111) {
    case 0:
      return records;
    case 1:
      return gunzipSync(records, limit);
    case 2:
      return compressionsAlgorithms.snappy.decompressSync(records);
    case 3:
      return compressionsAlgorithms.lz4.decompressSync(records);
    case 4:
      return zstdDecompressSync(records, { ...limit, chunkSize: zstdChunkBytes(records) });
    default:
      throw new Error(`unknown compression codec ${attributes & 0b111}`);
  }
}

/**
 * Returns how many bytes to make room for at once: all that come out, as the frame's header says (RFC 8878, 3.1.1.1), so
 * that they need not be joined from many pieces.
 */
function zstdChunkBytes(frame: Buffer): number {
  const descriptor = frame[ZSTD_MAGIC_BYTES] ?? 0;
  const hasWindow = (descriptor & 0b10_0000) === 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  const at = ZSTD_MAGIC_BYTES + 1 + (hasWindow ? 1 : 0) + dictionaryBytes;
  const sizeBytes = descriptor >> 6;
  let bytes = 0;
  if (sizeBytes === 1 && frame.length >= at + 2) bytes = frame.readUInt16LE(at) + 256;
  if (sizeBytes === 2 && frame.length >= at + 4) bytes = frame.readUInt32LE(at);
  // One more, or the end is found only by asking for the next piece. A header may claim anything.
  return Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, bytes + 1));
}

const ZSTD_MAGIC_BYTES = 4;

const CHUNK_BYTES_MIN = 16 * 1024;
const CHUNK_BYTES_MAX = 4 * 2 ** 20;
