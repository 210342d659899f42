const GROUPED = new Intl.NumberFormat('en-US');

/** Returns a whole number with separators: `466,264`. */
export function countText(count: number): string {
  return GROUPED.format(count);
}

/** Returns a number of at most four figures for narrow places: `99.2 M`, `12,430`. */
export function shortCountText(count: number): string {
  if (count < 100_000) return countText(count);
  if (count < 1e6) return `${Math.floor(count / 1000)} k`;
  if (count < 1e9) return `${(Math.floor(count / 1e5) / 10).toFixed(1)} M`;
  return `${(Math.floor(count / 1e8) / 10).toFixed(1)} G`;
}

/** Returns a size: `12.4 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Returns a word in the number that fits: `1 line`, `2 lines`. */
export function plural(count: number, word: string): string {
  return `${countText(count)} ${word}${count === 1 ? '' : 's'}`;
}
