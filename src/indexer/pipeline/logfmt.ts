import { setOwn, type JsonObject } from './document.ts';

/** A line with more pairs is no logfmt line that anybody wrote on purpose. */
const PAIRS_MAX = 512;

/** A key, and a value in quotes or bare; the value may be missing (`debug` alone is a flag). */
const PAIR = /([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*)))?(?=\s|$)\s*/y;

/**
 * Returns the pairs of a logfmt line (`level=info msg="hello world" flag`), values as text, or undefined when the
 * line has no pair or has anything else between them. Flags without a value are true.
 */
export function parseLogfmt(text: string): JsonObject | undefined {
  const value: JsonObject = {};
  let pairCount = 0;
  PAIR.lastIndex = text.length - text.trimStart().length;
  for (let count = 0; PAIR.lastIndex < text.length; count++) {
    const found = PAIR.exec(text);
    if (found === null || count === PAIRS_MAX) return undefined;
    const [, key = '', quoted, bare] = found;
    if (quoted !== undefined || bare !== undefined) pairCount++;
    setOwn(value, key, quoted === undefined ? (bare ?? true) : unescape(quoted));
    if (found[0].length === 0) return undefined;
  }
  return pairCount > 0 ? value : undefined;
}

function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(.)/gs, (_, letter: string) => {
    if (letter === 'n') return '\n';
    if (letter === 't') return '\t';
    return letter === 'r' ? '\r' : letter;
  });
}
