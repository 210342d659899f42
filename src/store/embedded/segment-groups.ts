import type { ReadableSource } from './relation-sql.ts';
import type { Column } from './segment-engine.ts';

/** Segments with the same columns, read as one table. */
export interface SegmentGroup {
  readonly kind: 'segments';
  readonly paths: readonly string[];
  readonly columns: readonly Column[];
}

/** Joins segments with the same columns: planning a statement costs as much as reading thousands of rows. */
export function groupSegments(sources: readonly ReadableSource[]): (ReadableSource | SegmentGroup)[] {
  const groups = new Map<string, { paths: string[]; columns: readonly Column[] }>();
  const others: ReadableSource[] = [];
  for (const source of sources) {
    if (source.kind !== 'segment') {
      others.push(source);
      continue;
    }
    const key = JSON.stringify(source.columns.map(({ name, kind }) => [name, kind]));
    const group = groups.get(key) ?? { paths: [], columns: source.columns };
    groups.set(key, group);
    group.paths.push(source.path);
  }
  return [...[...groups.values()].map((group) => ({ kind: 'segments', ...group }) as const), ...others];
}
