/**
 * Colours that programs write for terminals (ECMA-48 "select graphic rendition"). The eight colours and bold are
 * shown; every other escape is removed.
 */
export interface StyledRange {
  readonly start: number;
  readonly end: number;
  /** A colour from 0 to 7, as in SGR 30 to 37, or undefined for the usual one. */
  readonly color: number | undefined;
  readonly isBold: boolean;
}

export interface StyledText {
  readonly text: string;
  readonly styles: readonly StyledRange[];
}

/** CSI sequences, OSC sequences up to BEL or ST, and other two-character escapes. */
const ESCAPE =
  /\u001b(?:\[([0-9:;<=>?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_=>78])/g;

/** Returns the text without escapes. */
export function stripAnsi(text: string): string {
  return text.includes('\u001b') ? text.replace(ESCAPE, '') : text;
}

/** Splits text with escapes into plain text and the ranges of it that have a colour or are bold. */
export function parseAnsi(input: string): StyledText {
  if (!input.includes('\u001b')) return { text: input, styles: [] };
  const styles: StyledRange[] = [];
  let text = '';
  let color: number | undefined;
  let isBold = false;
  let from = 0;
  const add = (piece: string): void => {
    const start = text.length;
    text += piece;
    if (piece !== '' && (color !== undefined || isBold))
      styles.push({ start, end: text.length, color, isBold });
  };
  for (const match of input.matchAll(ESCAPE)) {
    add(input.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') ({ color, isBold } = applyCodes(match[1] ?? '', color, isBold));
  }
  add(input.slice(from));
  return { text, styles };
}

function applyCodes(
  codes: string,
  color: number | undefined,
  isBold: boolean,
): Pick<StyledRange, 'color' | 'isBold'> {
  const list = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < list.length; i += 1) {
    const code = list[i] ?? 0;
    if (code === 0) [color, isBold] = [undefined, false];
    else if (code === 1) isBold = true;
    else if (code === 22) isBold = false;
    else if (code === 39) color = undefined;
    else if (code >= 30 && code <= 37) color = code - 30;
    else if (code >= 90 && code <= 97) color = code - 90;
    // 38 and 48 take further numbers: 5;n or 2;r;g;b.
    else if (code === 38 || code === 48) i += list[i + 1] === 5 ? 2 : 4;
  }
  return { color, isBold };
}
