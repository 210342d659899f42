/**
 * Returns the text in lower case, character by character, as databases do it. The language's own rules would make a
 * sigma depend on where it stands in a word, and make two characters of a dotted capital I.
 */
export function foldCase(text: string): string {
  return text.replaceAll('Σ', 'σ').replaceAll('İ', 'i').toLowerCase();
}
