/**
 * Sizes, durations, addresses and the other one-word values: from what a person writes, and back to it.
 * Parsing a formatted value gives the same value again.
 */
import type { ScalarShape } from './shape.ts';
import { describeShape } from './shape.ts';

export type ScalarResult = { readonly value: string | number | boolean } | { readonly problem: string };

const BYTE_UNITS: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['Ti', 2 ** 40],
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
  ['B', 1],
  ['', 1],
];

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

/** Returns the value that `text` stands for, or what is wrong with it as the end of a sentence. */
export function parseScalar(shape: ScalarShape, text: string): ScalarResult {
  const given = `got ${JSON.stringify(text)}, expected ${describeShape(shape)}`;
  switch (shape.kind) {
    case 'text':
      return { value: text };
    case 'scalar':
      return { value: parseAnyScalar(text) };
    case 'path':
      return text === '' ? { problem: 'is empty, expected a path' } : { value: text };
    case 'address':
      return isAddress(text) ? { value: text } : { problem: given };
    case 'url':
      return /^https?:\/\/[^\s/]+/.test(text) ? { value: text.replace(/\/+$/, '') } : { problem: given };
    case 'boolean':
      return parseBoolean(text, given);
    case 'bytes':
      return inRange(parseBytes(text), shape, text, given, formatBytes);
    case 'duration':
      return inRange(parseDuration(text), shape, text, given, formatDuration);
    case 'integer':
      return /^-?\d+$/.test(text) ? inRange(Number(text), shape, text, given, String) : { problem: given };
    case 'choice':
      return parseChoice(shape, text, given);
  }
}

/** Returns the value as a person would write it. */
export function formatScalar(shape: ScalarShape, value: unknown): string | number | boolean {
  if (typeof value === 'number' && shape.kind === 'bytes') return formatBytes(value);
  if (typeof value === 'number' && shape.kind === 'duration') return formatDuration(value);
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

/** Returns the bytes that `text` names, or undefined when it names none. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text.trim());
  if (match === null) return undefined;
  const unit = BYTE_UNITS.find(([name]) => name.toLowerCase() === match[2]?.toLowerCase());
  if (unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit[1];
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined;
}

/** Returns the milliseconds that `text` names (`1h30m`, `500ms`, a bare number), or undefined. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+$/.test(trimmed)) return Number(trimmed);
  if (!/^(\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, count, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(count) * (DURATION_UNITS.find(([name]) => name === unit)?.[1] ?? 0);
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}

/** Returns bytes in the largest binary unit that leaves no fraction. */
export function formatBytes(bytes: number): string {
  const unit = BYTE_UNITS.find(([name, size]) => name.endsWith('iB') && bytes >= size && bytes % size === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / unit[1]}${unit[0]}`;
}

/** Returns milliseconds in the largest unit that leaves no fraction. */
export function formatDuration(ms: number): string {
  const unit = DURATION_UNITS.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

function inRange(
  value: number | undefined,
  shape: { readonly min: number; readonly max?: number },
  text: string,
  given: string,
  format: (value: number) => string,
): ScalarResult {
  if (value === undefined) return { problem: given };
  if (value < shape.min) return { problem: `got ${text}, expected at least ${format(shape.min)}` };
  if (shape.max !== undefined && value > shape.max) {
    return { problem: `got ${text}, expected at most ${format(shape.max)}` };
  }
  return { value };
}

function parseBoolean(text: string, given: string): ScalarResult {
  if (/^(true|yes|on|1)$/i.test(text)) return { value: true };
  return /^(false|no|off|0)$/i.test(text) ? { value: false } : { problem: given };
}

function parseChoice(shape: ScalarShape & { kind: 'choice' }, text: string, given: string): ScalarResult {
  if (shape.values.includes(text)) return { value: text };
  if (shape.later?.includes(text) === true) return { problem: laterMessage(text, shape.values) };
  return { problem: given };
}

/** Returns the message for something that is known and not there yet. */
export function laterMessage(name: string, instead: readonly string[]): string {
  const choices = instead.length === 0 ? '' : `; this one knows ${instead.join(', ')}`;
  return `${name} comes with a later release${choices}`;
}

function parseAnyScalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

function isAddress(text: string): boolean {
  const match = /^(\[[0-9A-Fa-f:.%]+\]|[^\s:/[\]]*):(\d{1,5})$/.exec(text);
  return match !== null && Number(match[2]) <= 65_535;
}
