/** Parts of documents as values, numbers with their digits, for the paths that need not be fast. */
import { parseKeepingDigits } from '../../base/exact-json.ts';

/** Returns the document at `[start, end)`, or undefined when it is no JSON object. */
export function parseObject(
  body: Uint8Array,
  start: number,
  end: number,
): Record<string, unknown> | undefined {
  const value = parseJson(decodeText(body, start, end));
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

/** Returns undefined for what is no JSON: sealing finds such documents and sets them aside. */
export function parseJson(text: string): unknown {
  try {
    return parseKeepingDigits(text);
  } catch {
    return undefined;
  }
}

/** Returns the text at `[start, end)`. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}
