import type { Query, TextPattern } from './ast.ts';

/** One operand stands for itself; operands of the same kind are taken in, and each stands there once. */
export function join(kind: 'and' | 'or', operands: readonly Query[]): Query | undefined {
  const flat = operands.flatMap((operand) => (operand.kind === kind ? operand.operands : [operand]));
  const distinct = [...new Map(flat.map((operand) => [JSON.stringify(operand), operand])).values()];
  if (kind === 'and' && distinct.length > 1) return joinWithoutAll(distinct);
  return distinct.length <= 1 ? distinct[0] : { kind, operands: distinct };
}

/** Everything, and something: the second says it. */
function joinWithoutAll(operands: readonly Query[]): Query | undefined {
  const rest = operands.filter(({ kind }) => kind !== 'all');
  return rest.length === 1 ? rest[0] : { kind: 'and', operands: rest };
}

/** Returns the query that holds when it holds for one of the paths. */
export function anyOf(paths: readonly string[], make: (path: string) => Query): Query | undefined {
  return join('or', paths.map(make));
}

/** Tells a pattern of nothing but wildcards from one that has text. */
export function patternQuery<T>(
  pieces: readonly string[],
  all: () => T,
  some: (pattern: TextPattern) => T,
): T {
  return pieces.length > 1 && pieces.every((piece) => piece === '') ? all() : some({ pieces });
}
