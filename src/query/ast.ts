/**
 * A query as a tree: what the parser makes, and what each store compiles. The same tree decides about live lines in
 * `match.ts`, so every node's meaning is written down here once (docs/formats/query.md has it for people).
 *
 * Comparing text is case-insensitive everywhere but in `regex`.
 */
export type Query =
  | { readonly kind: 'all' }
  | { readonly kind: 'and'; readonly operands: readonly Query[] }
  | { readonly kind: 'or'; readonly operands: readonly Query[] }
  | { readonly kind: 'not'; readonly operand: Query }
  /** The text occurs in `message` or in the text of any parsed field (not in ids, paths or Kubernetes names). */
  | { readonly kind: 'text'; readonly pattern: TextPattern }
  /** The field's whole value equals the pattern; for `message`, which is prose, the pattern occurs in it. */
  | { readonly kind: 'field'; readonly field: string; readonly pattern: TextPattern }
  /** The pattern occurs in the field's value (`field~"x"`). */
  | { readonly kind: 'contains'; readonly field: string; readonly pattern: TextPattern }
  /** The field is there and not null. */
  | { readonly kind: 'exists'; readonly field: string }
  /** Numbers compare as numbers, text as text, `@timestamp` as time in RFC 3339. */
  | {
      readonly kind: 'range';
      readonly field: string;
      readonly operator: RangeOperator;
      readonly value: string;
    }
  /** RE2 syntax, unanchored, case-sensitive unless it says `(?i)`; without a field it reads `message`. */
  | { readonly kind: 'regex'; readonly field: string | undefined; readonly source: string };

export type RangeOperator = '<' | '<=' | '>' | '>=';

/** Literal pieces with a wildcard between each two: `foo*bar` is `['foo', 'bar']`, `*x` is `['', 'x']`. */
export interface TextPattern {
  readonly pieces: readonly string[];
}
