/**
 * Reads a query while it is being typed or was pasted from anywhere: every text is a query. What makes no sense is
 * searched as text or ignored, and a hint says which. The only error is a regular expression that does not compile.
 *
 *   query   := and ("or" and)*
 *   and     := unary ("and"? unary)*
 *   unary   := ("not" | "-" | "!")* primary
 *   primary := "(" query ")" | field operator value | phrase | regex | word
 *   value   := "(" query of values ")" | phrase | regex | word
 *
 * The tokens lie end to end and cover the whole text.
 */
import type { Query } from './ast.ts';
import { resolveField, similarField, TIME_FIELD } from './fields.ts';
import { anyOf, join, patternQuery } from './combine.ts';
import type { FieldOperator, Lexeme } from './lexer.ts';
import { Lexer, wordPieces } from './lexer.ts';
import type { Head, Open, Value } from './lexeme-kinds.ts';
import { isComparable, isOpen, isRange, isStar, isValue, valueText } from './lexeme-kinds.ts';
import { QueryNotes } from './query-notes.ts';
import { compileRegex } from './regex.ts';
import { parseTime } from './time-range.ts';

export type TokenKind =
  | 'blank'
  | 'text'
  | 'phrase'
  | 'regex'
  | 'field'
  | 'operator'
  | 'value'
  | 'keyword'
  | 'negation'
  | 'parenthesis'
  /** Has no effect; a hint says why. */
  | 'ignored'
  | 'invalid';

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export interface QueryMessage {
  /** A sentence without a full stop. */
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export interface ParsedQuery {
  readonly query: Query;
  readonly tokens: readonly Token[];
  readonly hints: readonly QueryMessage[];
  /** Regular expressions that do not compile; the query leaves them out. */
  readonly errors: readonly QueryMessage[];
}

export interface ParseOptions {
  /** Whether lines are known that have such a parsed field; without it, `name:value` also searches the text. */
  readonly isKnownField?: (name: string) => boolean;
}

/** Longest query in characters. */
export const QUERY_LENGTH_MAX = 10_000;

/** Parses any text. What stands beyond `QUERY_LENGTH_MAX` is ignored. */
export function parseQuery(text: string, options: ParseOptions = {}): ParsedQuery {
  return new Parser(text, options).parse();
}

/** The field that the terms of a group belong to. */
interface Field {
  readonly paths: readonly string[];
  readonly operator: FieldOperator;
}

const ALL: Query = { kind: 'all' };

class Parser {
  readonly #text: string;
  readonly #options: ParseOptions;
  readonly #lexer: Lexer;
  readonly #notes = new QueryNotes();
  #ahead: Lexeme | undefined;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#options = options;
    this.#lexer = new Lexer(text.slice(0, QUERY_LENGTH_MAX));
  }

  parse(): ParsedQuery {
    const operands: Query[] = [];
    for (;;) {
      const operand = this.#parseOr(undefined);
      if (operand !== undefined) operands.push(operand);
      const lexeme = this.#peek(undefined);
      if (lexeme.kind === 'end') break;
      // A `(` that became part of a word leaves a `)` that closes nothing.
      this.#take();
      this.#notes.ignore(lexeme, `“${this.#slice(lexeme)}” has no counterpart and is ignored`);
    }
    const query = join('and', operands) ?? ALL;
    const rest = { start: QUERY_LENGTH_MAX, end: this.#text.length };
    if (rest.end > rest.start)
      this.#notes.ignore(rest, `only the first ${QUERY_LENGTH_MAX} characters are searched`);
    const { tokens, hints, errors } = this.#notes;
    return { query, tokens, hints, errors };
  }

  /** Stops before the end or before the `)` of the group around it. Undefined when there is no term. */
  #parseOr(field: Field | undefined): Query | undefined {
    const operands: Query[] = [];
    for (;;) {
      const operand = this.#parseAnd(field);
      if (operand !== undefined) operands.push(operand);
      const lexeme = this.#peek(field);
      if (lexeme.kind !== 'or') return join('or', operands);
      this.#take();
      if (operand === undefined || !this.#isTermAhead(field)) this.#ignoreConjunction(lexeme);
      else this.#notes.mark('keyword', lexeme);
    }
  }

  #parseAnd(field: Field | undefined): Query | undefined {
    const operands: Query[] = [];
    for (;;) {
      const lexeme = this.#peek(field);
      if (lexeme.kind === 'end' || lexeme.kind === 'close' || lexeme.kind === 'or')
        return join('and', operands);
      if (lexeme.kind === 'and') {
        this.#take();
        if (operands.length === 0 || !this.#isTermAhead(field)) this.#ignoreConjunction(lexeme);
        else this.#notes.mark('keyword', lexeme);
        continue;
      }
      const operand = this.#parseUnary(field);
      if (operand !== undefined) operands.push(operand);
    }
  }

  #parseUnary(field: Field | undefined): Query | undefined {
    const negations: Lexeme[] = [];
    let lexeme = this.#peek(field);
    while (lexeme.kind === 'not' || lexeme.kind === 'negation') {
      negations.push(lexeme);
      this.#take();
      this.#notes.mark(lexeme.kind === 'not' ? 'keyword' : 'negation', lexeme);
      lexeme = this.#peek(field);
    }
    const operand = this.#parsePrimary(field);
    if (negations.length === 0) return operand;
    if (operand === undefined) {
      for (const negation of negations) this.#notes.remark('ignored', negation);
      this.#notes.hint(negations[0] ?? lexeme, 'nothing follows that could be left out');
      return undefined;
    }
    if (negations.length % 2 === 0) return operand;
    if (operand.kind === 'text' && lexeme.kind === 'word')
      this.#hintNegatedText(negations[0] ?? lexeme, lexeme);
    return { kind: 'not', operand };
  }

  /** Consumes one term. Undefined when it has no effect, and without consuming where no term begins. */
  #parsePrimary(field: Field | undefined): Query | undefined {
    const lexeme = this.#peek(field);
    switch (lexeme.kind) {
      case 'open':
        this.#take();
        return this.#parseGroup(lexeme, field);
      case 'head':
        this.#take();
        return this.#parseField(lexeme);
      case 'phrase':
      case 'regex':
      case 'word':
        this.#take();
        return field === undefined ? this.#parseText(lexeme) : this.#parseValue(lexeme, field);
      case 'stray':
        this.#take();
        this.#notes.ignore(lexeme, `“${this.#slice(lexeme)}” has no counterpart and is ignored`);
        return undefined;
      default:
        return undefined;
    }
  }

  /** What follows a `(`. */
  #parseGroup(open: Lexeme, field: Field | undefined): Query | undefined {
    this.#notes.mark('parenthesis', open);
    const query = this.#parseOr(field);
    const close = this.#peek(field);
    if (close.kind === 'close') {
      this.#take();
      this.#notes.mark('parenthesis', close);
    } else this.#notes.hint(open, '“(” is not closed yet; quote it to search for the character');
    return query;
  }

  #parseField(head: Head): Query | undefined {
    const { paths, isKnown } = resolveField(head.name, this.#options.isKnownField);
    const value = this.#takeValue(isKnown);
    if (value === undefined) return this.#parseHeadAlone(head, isKnown);
    if (!isKnown && isRange(head.operator) && !isComparable(value)) return this.#pastedText(head, value);
    this.#markHead(head);
    if (value.kind === 'open') return this.#parseGroup(value, { paths, operator: head.operator });
    const query = this.#parseValue(value, { paths, operator: head.operator }, head);
    if (!isKnown) this.#hintSimilarField(head);
    const mayBeText = !isKnown && value.kind !== 'phrase' && !isRange(head.operator) && !isStar(value);
    if (query === undefined || !mayBeText) return query;
    const raw = this.#text.slice(head.start, value.end);
    return join('or', [query, { kind: 'text', pattern: { pieces: wordPieces(raw) } }]);
  }

  /** Takes the value behind an operator; after a known field, blanks may stand between. */
  #takeValue(isKnown: boolean): Value | Open | undefined {
    let lexeme = this.#ahead ?? this.#lexer.next('value');
    this.#ahead = undefined;
    if (lexeme.kind === 'blank' && isKnown) {
      this.#notes.mark('blank', lexeme);
      lexeme = this.#lexer.next('term');
    }
    if (isValue(lexeme) || isOpen(lexeme)) return lexeme;
    this.#ahead = lexeme;
    return undefined;
  }

  #parseHeadAlone(head: Head, isKnown: boolean): Query | undefined {
    if (!isKnown) return this.#pastedText(head, head);
    this.#markHead(head);
    this.#notes.hint(head, `“${this.#slice(head).trim()}” needs a value`);
    return undefined;
  }

  /** `Pool.java:88`, `List<String>`: a name and what looked like its value are text as they stand. */
  #pastedText(head: Head, value: Lexeme): Query {
    const span = { start: head.start, end: value.end };
    this.#notes.mark('text', span);
    return { kind: 'text', pattern: { pieces: wordPieces(this.#slice(span).trim()) } };
  }

  #parseText(lexeme: Value): Query | undefined {
    if (lexeme.kind === 'regex') return this.#parseRegex(lexeme, undefined);
    if (lexeme.kind === 'phrase') {
      this.#markPhrase(lexeme);
      if (lexeme.pieces.some((piece) => piece !== ''))
        return { kind: 'text', pattern: { pieces: lexeme.pieces } };
      this.#notes.remark('ignored', lexeme);
      return undefined;
    }
    if (lexeme.text === '&&') {
      this.#notes.ignore(lexeme, '“&&” is ignored: terms beside each other must all match');
      return undefined;
    }
    this.#notes.mark('text', lexeme);
    this.#hintWord(lexeme, lexeme.text);
    return patternQuery(
      wordPieces(lexeme.text),
      () => ALL,
      (pattern) => ({ kind: 'text', pattern }),
    );
  }

  #parseValue(value: Value, field: Field, head?: Head): Query | undefined {
    const { operator, paths } = field;
    if (value.kind === 'regex' && !isRange(operator)) return this.#parseRegex(value, paths);
    if (value.kind === 'phrase') this.#markPhrase(value);
    else this.#notes.mark('value', value);
    if (isRange(operator)) return this.#parseRange(value, operator, paths, head);
    const pieces = value.kind === 'phrase' ? value.pieces : wordPieces(this.#slice(value));
    const kind = operator === '~' ? 'contains' : 'field';
    return patternQuery(
      pieces,
      () => anyOf(paths, (path) => ({ kind: 'exists', field: path })),
      (pattern) => anyOf(paths, (path) => ({ kind, field: path, pattern })),
    );
  }

  #parseRange(
    value: Value,
    operator: FieldOperator,
    paths: readonly string[],
    head?: Head,
  ): Query | undefined {
    if (!isRange(operator)) return undefined;
    const text = valueText(value, this.#slice(value));
    if (paths[0] === TIME_FIELD && parseTime(text, 0n) === undefined) {
      this.#notes.remark('ignored', value);
      this.#notes.hint(head ?? value, `“${text}” is no time: write 2026-11-23T04:30:00Z or now-15m`);
      return undefined;
    }
    return anyOf(paths, (path) => ({ kind: 'range', field: path, operator, value: text }));
  }

  #parseRegex(
    regex: Extract<Lexeme, { kind: 'regex' }>,
    paths: readonly string[] | undefined,
  ): Query | undefined {
    const { source } = regex;
    const compiled = compileRegex(source);
    if ('problem' in compiled) {
      this.#notes.mark('invalid', regex);
      const start = regex.start + 1 + compiled.start;
      this.#notes.errors.push({ message: compiled.problem, start, end: regex.start + 1 + compiled.end });
      return undefined;
    }
    this.#notes.mark('regex', regex);
    if (paths === undefined) return { kind: 'regex', field: undefined, source };
    return anyOf(paths, (path) => ({ kind: 'regex', field: path, source }));
  }

  // Tokens and hints

  /** The next lexeme that is no blank. */
  #peek(field: Field | undefined): Lexeme {
    while (this.#ahead === undefined || this.#ahead.kind === 'blank') {
      if (this.#ahead !== undefined) this.#notes.mark('blank', this.#ahead);
      this.#ahead = this.#lexer.next(field === undefined ? 'term' : 'group');
    }
    return this.#ahead;
  }

  #take(): void {
    this.#ahead = undefined;
  }

  #isTermAhead(field: Field | undefined): boolean {
    const { kind } = this.#peek(field);
    return kind !== 'end' && kind !== 'close' && kind !== 'and' && kind !== 'or';
  }

  #markHead({ start, end, nameEnd }: Head): void {
    this.#notes.mark('field', { start, end: nameEnd });
    this.#notes.mark('operator', { start: nameEnd, end });
  }

  #markPhrase(phrase: Extract<Lexeme, { kind: 'phrase' }>): void {
    this.#notes.mark('phrase', phrase);
    if (!phrase.isClosed)
      this.#notes.hint(phrase, 'the quote is not closed: everything behind it is one phrase');
  }

  #ignoreConjunction(lexeme: Lexeme): void {
    const word = this.#slice(lexeme);
    this.#notes.ignore(
      lexeme,
      `“${word}” is ignored, because it does not stand between two terms; quote it to search for the word`,
    );
  }

  #hintNegatedText(negation: Lexeme, operand: Lexeme): void {
    const whole = { start: negation.start, end: operand.end };
    this.#notes.hint(
      whole,
      `leaves out lines with “${this.#slice(operand)}”; quote “${this.#slice(whole)}” to search for it`,
    );
  }

  #hintSimilarField({ start, nameEnd, name }: Head): void {
    const similar = similarField(name);
    if (similar === undefined) return;
    this.#notes.hint(
      { start, end: nameEnd },
      `“${name}” is searched as a field of the application; did you mean “${similar}”?`,
    );
  }

  #hintWord(lexeme: Lexeme, word: string): void {
    if (word === '||') this.#notes.hint(lexeme, '“||” is searched as text; write “or”');
    const comparison = /^([\p{L}_@][\p{L}\p{N}_.@/-]*)(!=|==?)(.+)$/u.exec(word);
    if (comparison === null) return;
    const [, name = '', operator = '', value = ''] = comparison;
    if (!resolveField(name, this.#options.isKnownField).isKnown) return;
    const proposal = `${operator === '!=' ? '-' : ''}${name}:${value}`;
    this.#notes.hint(lexeme, `searched as text; to compare the field write ${proposal}`);
  }

  #slice({ start, end }: { start: number; end: number }): string {
    return this.#text.slice(start, end);
  }
}
