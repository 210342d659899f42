/** Steps that take text apart by a pattern: regex, grok, dissect. */
import { RE2JS } from 're2js';
import { ConfigError, messageOf } from '../../base/errors.ts';
import { readField, type JsonObject } from './document.ts';
import { GROK_PATTERNS } from './grok-patterns.ts';
import type { StepFunction } from './step.ts';
import { writeCapture } from './steps-fields.ts';

/** Patterns that name each other deeper than this go round in a circle. */
const GROK_DEPTH_MAX = 16;

/** Source of a compiled pattern; named patterns can double with each level. */
const GROK_SOURCE_LENGTH_MAX = 100_000;

interface Capture {
  /** Number of the group. */
  readonly group: number;
  readonly name: string;
  readonly type: 'text' | 'number';
}

/** Named groups of an RE2 pattern become fields. */
export function compileRegexStep(field: string, pattern: string, option: string): StepFunction {
  const regex = compileRe2(pattern, option);
  const captures = Object.entries(regex.namedGroups()).map(([name, group]) => ({
    group,
    name,
    type: 'text' as const,
  }));
  if (captures.length === 0) {
    throw new ConfigError(
      option,
      'the pattern has no named group',
      'Name what becomes a field: (?<status>\\d+).',
    );
  }
  return captureStep(field, regex, captures);
}

/** `%{PATTERN:field}` and `%{PATTERN:field:int}` become fields; `own` are named patterns beside the built-in ones. */
export function compileGrokStep(
  field: string,
  pattern: string,
  own: Readonly<Record<string, string>>,
  option: string,
): StepFunction {
  const names: Omit<Capture, 'group'>[] = [];
  const source = expandGrok(pattern, { own, names, option }, 0);
  const regex = compileRe2(source, option);
  const groups = regex.namedGroups();
  const captures: Capture[] = [];
  for (const [groupName, group] of Object.entries(groups)) {
    const named = names[Number(groupName.slice(1))];
    captures.push(
      named !== undefined && /^g\d+$/.test(groupName)
        ? { ...named, group }
        : { group, name: groupName, type: 'text' },
    );
  }
  return captureStep(field, regex, captures);
}

/** Writes the fields of a dissect pattern: `%{name}`, `%{->}` and `%{?name}` skip, `%{+name}` appends, `%{name->}` pads. */
export function compileDissectStep(field: string, pattern: string, option: string): StepFunction {
  const pieces = parseDissect(pattern, option);
  return (document) => {
    const text = readField(document, field);
    if (typeof text !== 'string') return 'keep';
    const found = dissect(text, pieces);
    for (const [name, value] of found ?? []) writeCapture(document, name, value);
    return 'keep';
  };
}

function captureStep(field: string, regex: RE2JS, captures: readonly Capture[]): StepFunction {
  return (document: JsonObject) => {
    const text = readField(document, field);
    if (typeof text !== 'string') return 'keep';
    const matcher = regex.matcher(text);
    if (!matcher.find()) return 'keep';
    // The text may be a field that a capture replaces: everything is read before anything is written.
    const values = captures.map(({ group }) => matcher.group(group));
    for (const [index, { name, type }] of captures.entries()) {
      const value = values[index];
      if (value !== null && value !== undefined)
        writeCapture(document, name, type === 'number' ? toNumber(value) : value);
    }
    return 'keep';
  };
}

function compileRe2(source: string, option: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    throw new ConfigError(option, `the pattern is no RE2 regular expression: ${messageOf(error)}`);
  }
}

interface GrokExpansion {
  readonly own: Readonly<Record<string, string>>;
  readonly names: Omit<Capture, 'group'>[];
  readonly option: string;
}

function expandGrok(pattern: string, expansion: GrokExpansion, depth: number): string {
  const { own, names, option } = expansion;
  if (depth > GROK_DEPTH_MAX) throw new ConfigError(option, 'named patterns use each other in a circle');
  const source = pattern.replaceAll(
    /%\{(\w+)(?::([\w.@-]+))?(?::(\w+))?\}/g,
    (_, name: string, as?: string, type?: string) => {
      const inner = Object.hasOwn(own, name)
        ? own[name]
        : Object.hasOwn(GROK_PATTERNS, name)
          ? GROK_PATTERNS[name]
          : undefined;
      if (inner === undefined) throw new ConfigError(option, `there is no pattern named '${name}'`);
      if (as === undefined) return `(?:${expandGrok(inner, expansion, depth + 1)})`;
      const isNumber = type === 'int' || type === 'long' || type === 'float' || type === 'double';
      const group = names.push({ name: as, type: isNumber ? 'number' : 'text' }) - 1;
      return `(?P<g${group}>${expandGrok(inner, expansion, depth + 1)})`;
    },
  );
  if (source.length > GROK_SOURCE_LENGTH_MAX) throw new ConfigError(option, 'the pattern is too long');
  return source;
}

/** Returns the number that the text says, or the text when a number would lose digits. */
function toNumber(text: string): string | number {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER
    ? value
    : text;
}

interface DissectPiece {
  /** Text before the field. */
  readonly delimiter: string;
  /** Empty for a field that is skipped. */
  readonly name: string;
  readonly isAppended: boolean;
  /** Whether the delimiter behind the field may be repeated. */
  readonly isPadded: boolean;
}

interface DissectPattern {
  readonly pieces: readonly DissectPiece[];
  /** Text behind the last field. */
  readonly tail: string;
}

function parseDissect(pattern: string, option: string): DissectPattern {
  const pieces: DissectPiece[] = [];
  let end = 0;
  for (const found of pattern.matchAll(/%\{([^}]*)\}/g)) {
    const delimiter = pattern.slice(end, found.index);
    if (delimiter === '' && pieces.length > 0) {
      throw new ConfigError(option, `nothing stands between two fields before '${found[0]}'`);
    }
    const [, prefix = '', key = '', padding = ''] = /^([+?&]?)(.*?)(->)?$/.exec(found[1] ?? '') ?? [];
    const name = prefix === '?' || prefix === '&' ? '' : key;
    pieces.push({ delimiter, name, isAppended: prefix === '+', isPadded: padding !== '' });
    end = found.index + found[0].length;
  }
  if (pieces.length === 0)
    throw new ConfigError(option, 'the pattern has no field', 'Write fields as %{name}.');
  return { pieces, tail: pattern.slice(end) };
}

function dissect(text: string, { pieces, tail }: DissectPattern): Map<string, string> | undefined {
  const found = new Map<string, string>();
  const [first] = pieces;
  if (first === undefined || !text.startsWith(first.delimiter)) return undefined;
  let position = first.delimiter.length;
  for (const [index, piece] of pieces.entries()) {
    const delimiter = pieces[index + 1]?.delimiter ?? tail;
    const end = delimiter === '' ? text.length : text.indexOf(delimiter, position);
    if (end < 0) return undefined;
    const value = text.slice(position, end);
    position = end + delimiter.length;
    while (piece.isPadded && delimiter !== '' && text.startsWith(delimiter, position))
      position += delimiter.length;
    if (piece.name === '') continue;
    const before = piece.isAppended ? found.get(piece.name) : undefined;
    found.set(piece.name, before === undefined ? value : `${before}${piece.delimiter}${value}`);
  }
  return found;
}
