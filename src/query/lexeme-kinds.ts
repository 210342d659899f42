/** What the parser asks of lexemes. */
import type { FieldOperator, Lexeme } from './lexer.ts';
import { parseTime } from './time-range.ts';

/** A field's name with its operator. */
export type Head = Extract<Lexeme, { kind: 'head' }>;
export type Value = Extract<Lexeme, { kind: 'phrase' | 'regex' | 'word' }>;
export type Open = Lexeme & { readonly kind: 'open' };

/** Whether a lexeme can be a term's text or a field's value. */
export function isValue(lexeme: Lexeme): lexeme is Value {
  return lexeme.kind === 'phrase' || lexeme.kind === 'regex' || lexeme.kind === 'word';
}

/** Whether a value asks only that the field is there. */
export function isStar(value: Value): boolean {
  return value.kind === 'word' && /^\*+$/.test(value.text);
}

/** Whether a lexeme opens a group. */
export function isOpen(lexeme: Lexeme): lexeme is Open {
  return lexeme.kind === 'open';
}

/** Whether an operator compares. */
export function isRange(operator: FieldOperator): operator is '<' | '<=' | '>' | '>=' {
  return operator !== ':' && operator !== '~';
}

/** Whether a value makes sense behind `<` although its field is unknown. */
export function isComparable(value: Lexeme): boolean {
  if (value.kind === 'phrase') return true;
  return value.kind === 'word' && (isNumber(value.text) || parseTime(value.text, 0n) !== undefined);
}

function isNumber(text: string): boolean {
  return /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}

/** Returns the text of a comparison's value; `written` is how it stands in the query. */
export function valueText(value: Value, written: string): string {
  return value.kind === 'phrase' ? value.pieces.join('*') : written;
}
