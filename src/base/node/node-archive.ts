import fs from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PassThrough } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

const CHUNK_BYTES = 256 * 1024;

/**
 * Opens a compressed file as its plain bytes, inflated off the event loop one chunk ahead of the reader. Iteration
 * fails as the file system does, or with zlib's `Z_…` and `ZSTD_…` codes for content that is broken or cut short.
 */
export function openArchive(path: string, compression: 'gz' | 'zst'): AsyncIterable<Uint8Array> {
  const output = new PassThrough({ readableHighWaterMark: CHUNK_BYTES });
  const inflate =
    compression === 'gz'
      ? createGunzip({ chunkSize: CHUNK_BYTES })
      : createZstdDecompress({ chunkSize: CHUNK_BYTES });
  // The reader sees the failure as the error of `output`.
  pipeline(fs.createReadStream(path, { highWaterMark: CHUNK_BYTES }), inflate, output).catch(() => undefined);
  return output;
}
