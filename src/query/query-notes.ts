import type { QueryMessage, Token, TokenKind } from './parser.ts';

interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** What a parser notes down beside the query itself: a token for every part of the text, hints, and errors. */
export class QueryNotes {
  readonly hints: QueryMessage[] = [];
  readonly errors: QueryMessage[] = [];
  readonly #tokens: Token[] = [];

  /** The tokens in the order of the text: blanks are passed before what they follow is understood. */
  get tokens(): Token[] {
    return this.#tokens.toSorted((left, right) => left.start - right.start);
  }

  mark(kind: TokenKind, { start, end }: Span): void {
    this.#tokens.push({ kind, start, end });
  }

  /** Changes the kind of the token that begins where `span` does. */
  remark(kind: TokenKind, span: { readonly start: number }): void {
    const index = this.#tokens.findLastIndex((token) => token.start === span.start);
    const token = this.#tokens[index];
    if (token !== undefined) this.#tokens[index] = { ...token, kind };
  }

  /** Marks a part that has no effect, and says why. */
  ignore(span: Span, message: string): void {
    this.mark('ignored', span);
    this.hint(span, message);
  }

  hint({ start, end }: Span, message: string): void {
    this.hints.push({ message, start, end });
  }
}
