/**
 * Finds values in JSON text without parsing them, so that documents come back with every digit and escape that they
 * were sent with. The text is an engine's own answer: it is taken to be well formed.
 */
const STRUCTURE = /["{}[\]]/g;

const QUOTE = 34;
const BACKSLASH = 92;

/** Calls `visit` with each member of the object at `at` (its `{`): the key's text and where its value stands. */
export function forEachMember(
  text: string,
  at: number,
  visit: (key: string, start: number, end: number) => void,
): void {
  let from = skipBlanks(text, at + 1);
  while (text.charCodeAt(from) === QUOTE) {
    const keyEnd = stringEnd(text, from);
    const start = skipBlanks(text, skipBlanks(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    visit(text.slice(from + 1, keyEnd - 1), start, end);
    const next = skipBlanks(text, end);
    if (text[next] !== ',') return;
    from = skipBlanks(text, next + 1);
  }
}

/** Calls `visit` with where each element of the array at `at` (its `[`) stands. */
export function forEachElement(text: string, at: number, visit: (start: number, end: number) => void): void {
  let start = skipBlanks(text, at + 1);
  while (start < text.length && text[start] !== ']') {
    const end = valueEnd(text, start);
    visit(start, end);
    const next = skipBlanks(text, end);
    if (text[next] !== ',') return;
    start = skipBlanks(text, next + 1);
  }
}

/** Returns where the value that begins at `at` ends. */
function valueEnd(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return stringEnd(text, at);
  if (first === '{' || first === '[') return nestedEnd(text, at);
  let end = at;
  while (end < text.length && !',}] \n\r\t'.includes(text.charAt(end))) end += 1;
  return end;
}

function nestedEnd(text: string, at: number): number {
  let depth = 0;
  STRUCTURE.lastIndex = at;
  for (let found = STRUCTURE.exec(text); found !== null; found = STRUCTURE.exec(text)) {
    const [char] = found;
    if (char === '"') STRUCTURE.lastIndex = stringEnd(text, found.index);
    else if (char === '{' || char === '[') depth += 1;
    else if ((depth -= 1) === 0) return found.index + 1;
  }
  return text.length;
}

/** Returns where the string that begins at `at` (its quote) ends. */
function stringEnd(text: string, at: number): number {
  let end = at;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function skipBlanks(text: string, at: number): number {
  let next = at;
  while (next < text.length && text.charCodeAt(next) <= 32) next += 1;
  return next;
}
