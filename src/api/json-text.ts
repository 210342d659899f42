/**
 * Reads members of a JSON object out of its text, as the text that they are: numbers keep their digits, and nothing
 * is made that is not asked for. The text must be valid JSON.
 */
const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;

/** Returns the text of each member of the object that `json` is, by key; undefined when it is no object. */
export function memberTexts(json: string): ReadonlyMap<string, string> | undefined {
  let at = skipBlanks(json, 0);
  if (json[at] !== '{') return undefined;
  const members = new Map<string, string>();
  at = skipBlanks(json, at + 1);
  while (json.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(json, at);
    const start = skipBlanks(json, skipBlanks(json, keyEnd) + 1);
    const end = valueEnd(json, start);
    members.set(stringOf(json.slice(at, keyEnd)), json.slice(start, end));
    at = skipBlanks(json, end);
    if (json.charCodeAt(at) !== COMMA) break;
    at = skipBlanks(json, at + 1);
  }
  return members;
}

/** Returns what a value says as plain text: a string without its quotes, everything else as it stands. */
export function plainText(json: string): string {
  return json.charCodeAt(0) === QUOTE ? stringOf(json) : json;
}

function stringOf(json: string): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

/** Returns the position behind the value that begins at `start`. */
function valueEnd(json: string, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(json, at) - 1;
    else if (isOpening(code)) depth += 1;
    else if (isClosing(code)) {
      depth -= 1;
      if (depth < 0) return at;
    } else if (depth === 0 && (code === COMMA || code === COLON || code <= 32)) return at;
    if (depth === 0 && (code === QUOTE || isClosing(code))) return at + 1;
  }
  return json.length;
}

/** Returns the position behind the closing quote of the string that begins at `start`. */
function stringEnd(json: string, start: number): number {
  for (let at = start + 1; ;) {
    const quote = json.indexOf('"', at);
    if (quote < 0) return json.length;
    let slashes = 0;
    while (json.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function skipBlanks(json: string, start: number): number {
  let at = start;
  while (json.charCodeAt(at) <= 32) at += 1;
  return at;
}

/** `{` and `[` */
function isOpening(code: number): boolean {
  return code === 123 || code === 91;
}

/** `}` and `]` */
function isClosing(code: number): boolean {
  return code === 125 || code === 93;
}
