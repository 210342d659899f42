/** Earlier queries, newest first, as ArrowUp walks through them. */
export const QUERY_HISTORY_MAX = 50;
const QUERY_CHARS_MAX = 4000;

/** Puts a query first, taking it out of where it stood; blank ones are not kept. */
export function rememberQuery(history: readonly string[], query: string): string[] {
  const text = query.trim();
  if (text === '' || text.length > QUERY_CHARS_MAX) return [...history];
  return [text, ...history.filter((each) => each !== text)].slice(0, QUERY_HISTORY_MAX);
}

/** Reads a history out of storage; anything that is not a list of texts is an empty one. */
export function parseHistory(stored: string | null): string[] {
  if (stored === null) return [];
  try {
    const value: unknown = JSON.parse(stored);
    if (!Array.isArray(value)) return [];
    return value.filter((each): each is string => typeof each === 'string').slice(0, QUERY_HISTORY_MAX);
  } catch {
    return [];
  }
}

/** Where the walk stands: `index` -1 is the draft that was being typed. */
export interface HistoryWalk {
  readonly index: number;
  readonly draft: string;
}

/** Takes a step to older (1) or newer (-1) queries; returns undefined where there is nothing further. */
export function stepHistory(
  history: readonly string[],
  walk: HistoryWalk,
  step: 1 | -1,
): { walk: HistoryWalk; text: string } | undefined {
  const index = walk.index + step;
  const text = index === -1 ? walk.draft : history[index];
  return text === undefined ? undefined : { walk: { index, draft: walk.draft }, text };
}
