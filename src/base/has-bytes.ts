/**
 * Whether `part` stands at `bytes[at]`. The hot paths that share it give it Node's buffers alone: one caller with plain
 * arrays would make it slower for all of them.
 */
export function hasBytes(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let index = 0; index < part.length; index++) if (bytes[at + index] !== part[index]) return false;
  return true;
}
