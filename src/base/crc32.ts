/** CRC-32 (ISO 3309, the polynomial of zip and Ethernet) over `bytes`, continued from `crc` of what came before. */
export type Crc32 = (bytes: Uint8Array, crc?: number) => number;

const TABLE = makeTable();

/** The portable implementation; `base/node/node-crc32.ts` has zlib's, which is ten times as fast. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let value = ~crc;
  for (let index = 0; index < bytes.length; index++) {
    value = (TABLE[(value ^ (bytes[index] as number)) & 0xff] as number) ^ (value >>> 8);
  }
  return ~value >>> 0;
}

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[byte] = value;
  }
  return table;
}
