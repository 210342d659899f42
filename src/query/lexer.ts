/**
 * Cuts a query into lexemes, on demand, because what a character means depends on where it stands: `-` negates a
 * term and belongs to a value, `:` ends a field's name at the start of a term and is text inside one, `)` closes a
 * group only when one is open. Whatever fits nothing is a word: no input is an error here.
 *
 * The lexemes lie end to end and cover the whole text.
 */

/** `term`: where a term begins; `group`: the same inside `field:( )`; `value`: right behind a field's operator. */
export type LexerMode = 'term' | 'group' | 'value';

export type FieldOperator = ':' | '~' | '<' | '<=' | '>' | '>=';

interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export type Lexeme = Span &
  (
    | { readonly kind: 'end' | 'blank' | 'open' | 'close' | 'stray' | 'negation' | 'and' | 'or' | 'not' }
    /** `level:`, `status >= `; `nameEnd` is where the name ends. */
    | {
        readonly kind: 'head';
        readonly name: string;
        readonly nameEnd: number;
        readonly operator: FieldOperator;
      }
    /** Quoted text, with wildcards outside the quotes only. */
    | { readonly kind: 'phrase'; readonly pieces: readonly string[]; readonly isClosed: boolean }
    | { readonly kind: 'regex'; readonly source: string }
    | { readonly kind: 'word'; readonly text: string }
  );

/** Groups nested deeper than this are read as text, so that nothing that walks the tree runs out of stack. */
const GROUP_DEPTH_MAX = 50;

const BLANK = /\s+/y;
/** A name, then its operator, with blanks around only where an operator that compares stands before a number. */
const HEAD = /([\p{L}_@](?:[\p{L}\p{N}_.@/$-]*[\p{L}\p{N}_@$])?)(:?(?:<=|>=|<|>)|:|~)/uy;
const SPACED_HEAD =
  /([\p{L}_@](?:[\p{L}\p{N}_.@/$-]*[\p{L}\p{N}_@$])?)\s+(<=|>=|<|>)\s*(?=[\d"]|[+-]\d|now\b)/uy;
const PHRASE = /\*?"(?:[^"\\]|\\[^])*"(?:\*"(?:[^"\\]|\\[^])*")*\*?(?=[\s)]|$)/y;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/gy;
const REGEX = /\/(?!\s)((?:[^/\\]|\\[^])+)\/(?=[\s)]|$)/y;
const KEYWORD = /(and|or|not)(?=[\s()"]|$)/iy;

export class Lexer {
  readonly #text: string;
  #position = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the next lexeme and moves past it. At the end it returns `end` again and again. */
  next(mode: LexerMode): Lexeme {
    const lexeme = this.#read(mode);
    this.#position = lexeme.end;
    if (lexeme.kind === 'open') this.#depth += 1;
    if (lexeme.kind === 'close') this.#depth -= 1;
    return lexeme;
  }

  #read(mode: LexerMode): Lexeme {
    const start = this.#position;
    const character = this.#text[start];
    if (character === undefined) return { kind: 'end', start, end: start };
    const blank = this.#match(BLANK);
    if (blank !== null) return { kind: 'blank', start, end: start + blank[0].length };
    if (character === '(')
      return { kind: this.#depth < GROUP_DEPTH_MAX ? 'open' : 'stray', start, end: start + 1 };
    if (character === ')') return { kind: this.#depth > 0 ? 'close' : 'stray', start, end: start + 1 };
    return (
      this.#readQuoted() ?? (mode === 'value' ? undefined : this.#readOperator(mode)) ?? this.#readWord()
    );
  }

  /** A phrase or a regular expression. */
  #readQuoted(): Lexeme | undefined {
    const start = this.#position;
    const phrase = this.#match(PHRASE);
    if (phrase !== null) {
      return {
        kind: 'phrase',
        start,
        end: start + phrase[0].length,
        pieces: piecesOf(phrase[0]),
        isClosed: true,
      };
    }
    const regex = this.#match(REGEX);
    if (regex !== null) return { kind: 'regex', start, end: start + regex[0].length, source: regex[1] ?? '' };
    // A quote that nothing closes takes the rest; one that closes before more text is text, like pasted JSON.
    if (this.#text[start] !== '"') return undefined;
    QUOTED.lastIndex = start;
    if (QUOTED.exec(this.#text) !== null) return undefined;
    const rest = unescapeQuoted(this.#text.slice(start + 1));
    return { kind: 'phrase', start, end: this.#text.length, pieces: [rest], isClosed: false };
  }

  #readOperator(mode: LexerMode): Lexeme | undefined {
    const start = this.#position;
    const keyword = this.#match(KEYWORD);
    if (keyword !== null) {
      const kind = keyword[0].toLowerCase();
      if (kind === 'and' || kind === 'or' || kind === 'not') return { kind, start, end: start + kind.length };
    }
    if (this.#isNegation()) return { kind: 'negation', start, end: start + 1 };
    if (mode === 'group') return undefined;
    const head = this.#match(HEAD) ?? this.#match(SPACED_HEAD);
    if (head === null) return undefined;
    const [whole, name = '', written = ''] = head;
    const operator = operatorOf(written);
    return { kind: 'head', start, end: start + whole.length, name, nameEnd: start + name.length, operator };
  }

  /** `-x` and `!x` negate; `--x`, `- x` and a sign at the end are text. */
  #isNegation(): boolean {
    const sign = this.#text[this.#position];
    if (sign !== '-' && sign !== '!') return false;
    const following = this.#text[this.#position + 1];
    return following !== undefined && !/[\s)!=>-]/.test(following);
  }

  /** Up to a blank, or to the `)` of a group around it: brackets that the word itself opens belong to it. */
  #readWord(): Lexeme {
    const start = this.#position;
    let end = start;
    let opened = 0;
    for (; end < this.#text.length; end += 1) {
      const character = this.#text.charAt(end);
      if (character === '(') opened += 1;
      else if (character === ')') {
        if (opened === 0 && this.#depth > 0) break;
        opened = Math.max(0, opened - 1);
      } else if (/\s/.test(character)) break;
    }
    return { kind: 'word', start, end, text: this.#text.slice(start, end) };
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    return pattern.exec(this.#text);
  }
}

/** Splits a word at its wildcards. */
export function wordPieces(word: string): string[] {
  return word.split(/\*+/);
}

function operatorOf(written: string): FieldOperator {
  const operator = written.length > 1 && written.startsWith(':') ? written.slice(1) : written;
  return operator as FieldOperator;
}

function piecesOf(phrase: string): string[] {
  const pieces: string[] = phrase.startsWith('*') ? [''] : [];
  for (const [, quoted = ''] of phrase.matchAll(/"((?:[^"\\]|\\[^])*)"/g))
    pieces.push(unescapeQuoted(quoted));
  if (phrase.endsWith('*')) pieces.push('');
  return pieces;
}

function unescapeQuoted(text: string): string {
  return text.replace(/\\(["\\])/g, '$1');
}
