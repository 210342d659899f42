/** How records, tables and figures look on a terminal. */
import { createColors } from 'picocolors';
import type { ApiDocument } from '../api/api-types.ts';

export type Colors = ReturnType<typeof createColors>;

export const colorsFor = (hasColor: boolean): Colors => createColors(hasColor);

/** Widest place column: longer names push the message to the right rather than being cut. */
const PLACE_WIDTH_MAX = 40;
const LEVEL_WIDTH = 5;

/** Formats documents in aligned columns: time, level, namespace/pod, message. */
export class RecordFormatter {
  readonly #colors: Colors;
  #placeWidth = 12;

  constructor(hasColor: boolean) {
    this.#colors = colorsFor(hasColor);
  }

  /** Returns one record with a newline at the end; further lines of its message are indented. */
  format(document: ApiDocument): string {
    const time = textAt(document, '@timestamp').replace(/(\.\d{3})\d*Z$/, '$1Z');
    const level = textAt(document, 'log', 'level');
    const place = placeOf(document);
    this.#placeWidth = Math.min(PLACE_WIDTH_MAX, Math.max(this.#placeWidth, place.length));
    const head = `${this.#colors.dim(time)} ${this.#level(level)} ${this.#colors.cyan(place.padEnd(this.#placeWidth))}`;
    const message = printable(textAt(document, 'message'));
    return `${head} ${message.replaceAll('\n', '\n    ')}\n`;
  }

  #level(level: string): string {
    const text = (level === '' ? '-' : level).slice(0, LEVEL_WIDTH).padEnd(LEVEL_WIDTH);
    switch (level) {
      case 'fatal':
      case 'error':
        return this.#colors.red(text);
      case 'warn':
        return this.#colors.yellow(text);
      case 'info':
      case 'notice':
        return this.#colors.green(text);
      default:
        return this.#colors.dim(text);
    }
  }
}

/** Returns `namespace/pod`, or the best that is known of where a record comes from. */
export function placeOf(document: ApiDocument): string {
  const namespace = textAt(document, 'kubernetes', 'namespace');
  const pod = textAt(document, 'kubernetes', 'pod', 'name');
  if (namespace !== '' && pod !== '') return `${namespace}/${pod}`;
  const container = textAt(document, 'container', 'name');
  if (container !== '') return container;
  return textAt(document, 'log', 'file', 'path').split('/').at(-1) ?? '';
}

/** Returns the text at a path of members, or the empty text. */
export function textAt(document: ApiDocument, ...path: readonly string[]): string {
  let value: unknown = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return '';
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value);
}

/**
 * Returns text without control characters: what a log line says must not be able to move the cursor, change the
 * title, or recolour the reader's terminal.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\u2421';
  });
}

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** Returns rows in aligned columns, numbers to the right, with a header line. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colors: Colors,
): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const header = colors.bold(line(columns.map(({ title }) => title)));
  return `${[header, ...rows.map(line)].join('\n')}\n`;
}

/** Returns a count with thin separators: `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Returns a count with its noun: `1 file`, `1,234 files`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Returns bytes in the unit that leaves up to three digits before the point. */
export function formatSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < SIZE_UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${SIZE_UNITS[unit] ?? ''}`;
}

/** Returns a duration in its two largest units: `2d 3h`. */
export function formatSeconds(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ];
  let rest = Math.floor(seconds);
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${name}`);
  }
  return parts.length === 0 ? '0s' : parts.slice(0, 2).join(' ');
}

/** The time that is left by the estimate of a progress bar, which is text (`0`, `INF`, `NULL`) while nobody knows. */
export function formatTimeLeft(estimate: number | string): string {
  return typeof estimate === 'number' && Number.isFinite(estimate) ? formatSeconds(estimate) : '…';
}
