/**
 * Separates the code of a TypeScript file from its comments and texts, so that checks by pattern neither stumble
 * over a banned word in a sentence nor over a brace in a string. It knows the lexical grammar only; what it cannot
 * tell for certain (a slash may divide or begin a regular expression) it decides by what stands before.
 */
export interface MaskedSource {
  /** The file with every character of a comment, text or regular expression blanked; line breaks stay. */
  readonly code: string;
  /** The comments, each with the offset of its first character. */
  readonly comments: readonly TextSpan[];
  /** String literals without their quotes; templates with substitutions come in pieces. */
  readonly strings: readonly TextSpan[];
}

export interface TextSpan {
  readonly offset: number;
  readonly text: string;
}

/** What can stand directly before an expression: a slash behind it begins a regular expression. */
const BEFORE_EXPRESSION =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|await|yield|new))\s*$/;

/** How far back the character before a slash is looked for. */
const LOOK_BACK = 40;

/** Splits `text` into code, comments and strings. */
export function maskSource(text: string): MaskedSource {
  return new Masker(text).run();
}

class Masker {
  readonly #text: string;
  readonly #comments: TextSpan[] = [];
  readonly #strings: TextSpan[] = [];
  /** Depth of braces at which each open template substitution ends. */
  readonly #substitutions: number[] = [];
  #code = '';
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): MaskedSource {
    while (this.#at < this.#text.length) this.#step();
    return { code: this.#code, comments: this.#comments, strings: this.#strings };
  }

  #step(): void {
    const char = this.#text.charAt(this.#at);
    const pair = this.#text.slice(this.#at, this.#at + 2);
    if (pair === '//') return this.#comment(this.#find('\n', this.#at));
    if (pair === '/*') return this.#comment(this.#find('*/', this.#at + 2) + 2);
    if (char === "'" || char === '"') return this.#string(char);
    if (char === '`') return this.#template();
    if (char === '/' && BEFORE_EXPRESSION.test(this.#code.slice(-LOOK_BACK))) return this.#regex();
    if (char === '{') this.#depth += 1;
    if (char === '}') {
      if (this.#substitutions.at(-1) === this.#depth) {
        this.#substitutions.pop();
        this.#depth -= 1;
        return this.#template();
      }
      this.#depth -= 1;
    }
    this.#code += char;
    this.#at += 1;
  }

  #comment(end: number): void {
    const stop = Math.min(end, this.#text.length);
    this.#comments.push({ offset: this.#at, text: this.#text.slice(this.#at, stop) });
    this.#blankTo(stop);
  }

  #string(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== quote && this.#text[end] !== '\n') {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#keepQuotes(end);
  }

  /** Blanks from a backtick, or from the brace that ends a substitution, to the next of either. */
  #template(): void {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== '`' && this.#text.slice(end, end + 2) !== '${') {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    const opensSubstitution = this.#text[end] === '$';
    this.#keepQuotes(opensSubstitution ? end + 1 : end);
    if (!opensSubstitution) return;
    this.#depth += 1;
    this.#substitutions.push(this.#depth);
  }

  #regex(): void {
    let end = this.#at + 1;
    let isInClass = false;
    while (end < this.#text.length && this.#text[end] !== '\n' && (isInClass || this.#text[end] !== '/')) {
      if (this.#text[end] === '[') isInClass = true;
      if (this.#text[end] === ']') isInClass = false;
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#blankTo(Math.min(end + 1, this.#text.length));
  }

  /** Records a string that ends before `end`; its quotes stay in the code as `""`. */
  #keepQuotes(end: number): void {
    const stop = Math.min(end, this.#text.length);
    this.#strings.push({ offset: this.#at, text: this.#text.slice(this.#at + 1, stop) });
    this.#code += '"';
    this.#at += 1;
    this.#blankTo(stop);
    if (this.#at < this.#text.length && this.#text[this.#at] !== '\n') {
      this.#code += '"';
      this.#at += 1;
    }
  }

  #blankTo(end: number): void {
    this.#code += this.#text.slice(this.#at, end).replaceAll(/[^\n]/g, ' ');
    this.#at = end;
  }

  #find(needle: string, from: number): number {
    const found = this.#text.indexOf(needle, from);
    return found < 0 ? this.#text.length : found;
  }
}

/** Returns the number of the line, from 1, in which `offset` stands. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
