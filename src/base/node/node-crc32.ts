import zlib from 'node:zlib';
import type { Crc32 } from '../crc32.ts';

/** CRC-32 of zlib: the same numbers as `crc32.ts`, ten times as fast. */
export const nodeCrc32: Crc32 = (bytes, crc) => zlib.crc32(bytes, crc);
