/** Finds the members of a JSON object in its bytes, without making objects. */
export interface MemberSpan {
  readonly key: string;
  /** Where the key's opening quote stands. */
  readonly start: number;
  readonly valueStart: number;
  /** One past the value. */
  readonly end: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

/**
 * Returns the top-level members of the compact JSON object at `[start, end)`, or undefined when it has blanks
 * between its parts or is no object: the caller then parses it.
 */
export function scanMembers(bytes: Uint8Array, start: number, end: number): MemberSpan[] | undefined {
  if (bytes[start] !== OPEN_BRACE || bytes[end - 1] !== CLOSE_BRACE) return undefined;
  const members: MemberSpan[] = [];
  let at = start + 1;
  while (at < end - 1) {
    if (bytes[at] !== QUOTE) return undefined;
    const keyEnd = skipString(bytes, at, end);
    if (bytes[keyEnd] !== COLON) return undefined;
    const valueEnd = skipValue(bytes, keyEnd + 1, end);
    if (valueEnd === undefined) return undefined;
    members.push({ key: keyText(bytes, at, keyEnd), start: at, valueStart: keyEnd + 1, end: valueEnd });
    if (valueEnd === end - 1) return members;
    if (bytes[valueEnd] !== COMMA) return undefined;
    at = valueEnd + 1;
  }
  return members;
}

/** Returns the position behind a string's closing quote, at most `end`. */
function skipString(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start + 1; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at + 1;
  }
  return end;
}

function skipValue(bytes: Uint8Array, start: number, end: number): number | undefined {
  let depth = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = skipString(bytes, at, end) - 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === COMMA && depth === 0) return at;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth -= 1;
    } else if (byte !== undefined && byte <= 32) return undefined;
  }
  return undefined;
}

function keyText(bytes: Uint8Array, start: number, end: number): string {
  const text = new TextDecoder().decode(bytes.subarray(start, end));
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1);
}
