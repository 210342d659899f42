import { useCallback, useMemo, useState } from 'react';
import { nowMs } from '../browser.ts';
import type { RangeMs, SearchState } from '../model/search-state.ts';
import { resolveRange } from '../model/search-state.ts';
import { timestampMs } from '../model/timestamp.ts';
import type { Run } from './use-search.ts';
import { useStats } from './use-status.ts';

/** Where `all` begins for a store that does not say what its oldest record is. */
const EPOCH = '1970-01-01T00:00:00Z';

/**
 * The search that the address asks for. Relative times go to the server as they are, because its clock stamped the
 * records; `range` is what this machine's clock makes of them, for drawing.
 */
export function useRun(state: SearchState): { run: Run; range: RangeMs; search: () => void } {
  const [{ number, askedAtMs }, setAsked] = useState(() => ({ number: 0, askedAtMs: nowMs() }));
  const isAll = state.from === 'all';
  const stats = useStats(isAll);
  const oldest = stats.data?.oldest ?? EPOCH;
  const { query, from, to } = state;
  const run = useMemo<Run>(() => {
    const params = { query, start: from === 'all' ? oldest : from, end: to };
    return { params, number, isReady: from !== 'all' || stats.isSettled };
  }, [query, from, to, number, oldest, stats.isSettled]);
  const search = useCallback(() => setAsked((each) => ({ number: each.number + 1, askedAtMs: nowMs() })), []);
  // A new press of Search moves `now` on, and with it the range that is drawn.
  const range = useMemo(
    () => resolveRange({ from, to }, askedAtMs, timestampMs(oldest) ?? 0),
    [from, to, oldest, askedAtMs],
  );
  return { run, range, search: search };
}
