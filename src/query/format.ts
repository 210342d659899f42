import { unreachable } from '../base/assert.ts';
import type { Query, TextPattern } from './ast.ts';
import { resolveField } from './fields.ts';

type FieldQuery = Extract<Query, { field: string }>;

/** Words that need no quotes: they read the same as a term and as a field's value. */
const PLAIN_WORD = /^[\p{L}\p{N}_.@/]+(?:-[\p{L}\p{N}_.@/]+)*$/u;
const KEYWORD = /^(?:and|or|not)$/i;

/** Returns the canonical text of a query: parsing it gives the same tree. */
export function formatQuery(query: Query): string {
  switch (query.kind) {
    case 'all':
      return '*';
    case 'and':
      return query.operands.map((operand) => formatOperand(operand, ['or', 'and'])).join(' ');
    case 'or':
      return query.operands.map((operand) => formatOperand(operand, ['or'])).join(' or ');
    case 'not':
      return `not ${formatOperand(query.operand, ['and', 'or', 'not'])}`;
    case 'text':
      return formatPattern(query.pattern);
    case 'regex':
      return formatRegex(query);
    case 'field':
    case 'contains':
    case 'exists':
    case 'range':
      return formatField(query);
    default:
      return unreachable(query);
  }
}

/** Returns `field:value` as text, quoted where it has to be: what a click on a value adds to a query. */
export function formatFieldValue(field: string, value: string): string {
  return `${field}:${formatValue(field, { pieces: [value] })}`;
}

function formatOperand(operand: Query, bracketed: readonly string[]): string {
  return bracketed.includes(operand.kind) ? `(${formatQuery(operand)})` : formatQuery(operand);
}

function formatField(query: FieldQuery): string {
  switch (query.kind) {
    case 'field':
      return `${query.field}:${formatValue(query.field, query.pattern)}`;
    case 'contains':
      return `${query.field}~${formatValue(query.field, query.pattern)}`;
    case 'exists':
      return `${query.field}:*`;
    default:
      return query.kind === 'range' ? formatRange(query) : '';
  }
}

function formatRange({ field, operator, value }: Extract<Query, { kind: 'range' }>): string {
  return `${field}${operator}${isCertain(field) ? formatPiece(value) : quote(value)}`;
}

/** Quotes make a field of any name: what follows a name that may be text is quoted, so that it is read as it is meant. */
function formatValue(field: string, pattern: TextPattern): string {
  return isCertain(field) ? formatPattern(pattern) : formatQuoted(pattern);
}

function isCertain(field: string): boolean {
  return resolveField(field).isKnown;
}

function formatPattern({ pieces }: TextPattern): string {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return formatPiece(only);
  if (pieces.every((piece) => piece === '' || isPlain(piece))) return pieces.join('*');
  return formatQuoted({ pieces });
}

function formatQuoted({ pieces }: TextPattern): string {
  if (pieces.length === 1) return quote(pieces[0] ?? '');
  return pieces.map((piece, index) => (piece === '' && isOuter(index, pieces) ? '' : quote(piece))).join('*');
}

function isOuter(index: number, pieces: readonly string[]): boolean {
  return index === 0 || index === pieces.length - 1;
}

function formatPiece(piece: string): string {
  return isPlain(piece) ? piece : quote(piece);
}

function isPlain(piece: string): boolean {
  return PLAIN_WORD.test(piece) && !KEYWORD.test(piece) && !piece.startsWith('/');
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Behind a name that may be text, brackets say what quotes say around other values. */
function formatRegex({ field, source }: Extract<Query, { kind: 'regex' }>): string {
  const literal = `/${source.replace(/\\[^]|\//g, (found) => (found === '/' ? '\\/' : found))}/`;
  if (field === undefined) return literal;
  return isCertain(field) ? `${field}:${literal}` : `${field}:(${literal})`;
}
