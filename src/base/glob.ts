/**
 * Compiles a pattern in which `*` stands for any characters, also none, and `?` for exactly one. Everything else
 * stands for itself; the whole text has to fit. Matching takes at most pattern length times text length steps.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  return (text) => matchesGlob(pattern, text);
}

function matchesGlob(pattern: string, text: string): boolean {
  let patternIndex = 0;
  let textIndex = 0;
  // Where the last star stood, and how much of the text it has taken: the only place to go back to.
  let starIndex = -1;
  let starTextIndex = 0;
  while (textIndex < text.length) {
    const character = pattern[patternIndex];
    if (character === '*') {
      starIndex = patternIndex++;
      starTextIndex = textIndex;
    } else if (character === '?' || character === text[textIndex]) {
      patternIndex++;
      textIndex++;
    } else if (starIndex >= 0) {
      patternIndex = starIndex + 1;
      textIndex = ++starTextIndex;
    } else {
      return false;
    }
  }
  while (pattern[patternIndex] === '*') patternIndex++;
  return patternIndex === pattern.length;
}
