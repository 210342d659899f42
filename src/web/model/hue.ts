/** Hues this far apart are told apart at the size of a dot; finer steps look alike without being the same. */
const HUE_STEP = 30;

/** Returns a hue in degrees that is the same for the same name everywhere (FNV-1a). */
export function hueOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) {
    hash ^= name.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  // Names that differ in their last letter only would get neighbouring hues without this mixing.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (((hash ^ (hash >>> 13)) >>> 0) % (360 / HUE_STEP)) * HUE_STEP;
}
