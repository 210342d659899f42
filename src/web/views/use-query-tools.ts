import { useSyncExternalStore } from 'react';
import type { describeQuery, highlighterOf } from '../model/query-highlight.ts';

interface QueryTools {
  readonly describeQuery: typeof describeQuery;
  readonly highlighterOf: typeof highlighterOf;
}

/**
 * The parser comes with a whole engine for regular expressions, a quarter of all code. The page is drawn without it,
 * the query in one colour, and it is loaded beside the first search.
 */
let tools: QueryTools | undefined;
const waiting = new Set<() => void>();

void import('../model/query-highlight.ts').then((loaded) => {
  tools = loaded;
  for (const onLoad of waiting) onLoad();
});

/** What is known of queries, or undefined for the first moments. */
export function useQueryTools(): QueryTools | undefined {
  return useSyncExternalStore(subscribe, () => tools);
}

function subscribe(onLoad: () => void): () => void {
  waiting.add(onLoad);
  return () => {
    waiting.delete(onLoad);
  };
}
