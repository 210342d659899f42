/**
 * Finds texts that whatever a regular expression matches must contain, so that an engine need not be asked for more.
 * Only what is certain counts: an expression with alternatives, groups or classes gives up there.
 */

/** What ends a literal; a backslash is looked at by itself. */
const SPECIAL = /[\\.^$|?*+()[\]{}]/;

/** Returns the literals of an expression in RE2's syntax, case as written. */
export function regexLiterals(source: string): string[] {
  if (/[|(]|\\[QEpPxcC0-9]/.test(source)) return [];
  const literals: string[] = [];
  let literal = '';
  let at = 0;
  const end = (): void => {
    if (literal !== '') literals.push(literal);
    literal = '';
  };
  while (at < source.length) {
    const [char, length] = literalAt(source, at);
    const next = source[at + length] ?? '';
    if (char === undefined || '?*{'.includes(next || ' ')) end();
    else {
      literal += char;
      // One or more of it: what follows need not stand beside the first.
      if (next === '+') end();
    }
    at = skipQuantifier(source, at + length);
  }
  end();
  return literals;
}

/** The literal character at `at`, undefined when it is none, and how many characters of source it takes. */
function literalAt(source: string, at: number): [char: string | undefined, length: number] {
  const char = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (char === '[') return [undefined, classLength(source, at)];
  if (char !== '\\') return [SPECIAL.test(char) ? undefined : char, char.length];
  const escaped = source[at + 1] ?? '';
  return [/[^\w\s]/.test(escaped) && escaped <= '~' ? escaped : undefined, 2];
}

/** Characters of a class with its brackets. */
function classLength(source: string, at: number): number {
  // A bracket right behind the opening one is a member.
  let end = at + (source[at + 1] === '^' ? 3 : 2);
  while (end < source.length && source[end] !== ']') {
    const name = source.startsWith('[:', end) ? source.indexOf(':]', end + 2) : -1;
    if (name > 0) end = name + 2;
    else end += source[end] === '\\' ? 2 : 1;
  }
  return end + 1 - at;
}

function skipQuantifier(source: string, at: number): number {
  let next = at;
  if (source[next] === '{') {
    const close = source.indexOf('}', next);
    next = close < 0 ? source.length : close + 1;
  } else if (next < source.length && '?*+'.includes(source.charAt(next))) next += 1;
  return source[next] === '?' && next > at ? next + 1 : next;
}
