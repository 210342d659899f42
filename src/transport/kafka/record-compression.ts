/** Compression of record batches, by the numbers that Kafka's format gives the codecs. */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import type { KafkaConfig } from '../../config/config.ts';

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
      return zstdDecompressSync(records, limit);
    default:
      throw new Error(`unknown compression codec ${attributes & 0b111}`);
  }
}
