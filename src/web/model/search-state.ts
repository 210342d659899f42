/**
 * What the page shows, as it stands in the address: `?q=…&from=…&to=…&live=1&record=…`. A link shows the same
 * search to everyone; `from` and `to` are `now-15m`, RFC 3339 in UTC, or `all`.
 */
import { resolveTime, timestampText } from './timestamp.ts';

export interface SearchState {
  readonly query: string;
  readonly from: string;
  /** `now`, or RFC 3339. */
  readonly to: string;
  readonly isLive: boolean;
  /** `event.id` of the record that is open. */
  readonly record: string | undefined;
}

export interface TimePreset {
  readonly from: string;
  readonly label: string;
}

export const TIME_PRESETS: readonly TimePreset[] = [
  { from: 'now-5m', label: 'Last 5 minutes' },
  { from: 'now-15m', label: 'Last 15 minutes' },
  { from: 'now-1h', label: 'Last hour' },
  { from: 'now-6h', label: 'Last 6 hours' },
  { from: 'now-24h', label: 'Last 24 hours' },
  { from: 'now-7d', label: 'Last 7 days' },
  { from: 'all', label: 'All time' },
];

const FROM_DEFAULT = 'now-1h';

export const SEARCH_STATE_DEFAULT: SearchState = {
  query: '',
  from: FROM_DEFAULT,
  to: 'now',
  isLive: false,
  record: undefined,
};

/** Reads the state out of `location.search`; what is not understood takes its default. */
export function parseSearchState(search: string): SearchState {
  const params = new URLSearchParams(search);
  const from = params.get('from') ?? FROM_DEFAULT;
  const to = params.get('to') ?? 'now';
  return {
    query: params.get('q') ?? '',
    from: from === 'all' || resolveTime(from, 0) !== undefined ? from : FROM_DEFAULT,
    to: resolveTime(to, 0) === undefined ? 'now' : to,
    isLive: params.get('live') === '1',
    record: params.get('record') ?? undefined,
  };
}

/** Writes the state as `location.search`, leaving out what has its default. */
export function formatSearchState(state: SearchState): string {
  const params = new URLSearchParams();
  if (state.query !== '') params.set('q', state.query);
  if (state.from !== FROM_DEFAULT || state.to !== 'now') params.set('from', state.from);
  if (state.to !== 'now') params.set('to', state.to);
  if (state.isLive) params.set('live', '1');
  if (state.record !== undefined) params.set('record', state.record);
  // Times and fields stay readable in the address: a colon needs no escape in a query string.
  const text = params.toString().replaceAll('%3A', ':');
  return text === '' ? '' : `?${text}`;
}

/** Milliseconds: start inclusive, end exclusive. */
export interface RangeMs {
  readonly startMs: number;
  readonly endMs: number;
}

/** Resolves the range of a state; `oldestMs` is where `all` begins. */
export function resolveRange(
  state: Pick<SearchState, 'from' | 'to'>,
  nowMs: number,
  oldestMs: number,
): RangeMs {
  const endMs = resolveTime(state.to, nowMs) ?? nowMs;
  const startMs =
    state.from === 'all' ? Math.min(oldestMs, endMs - 1) : (resolveTime(state.from, nowMs) ?? oldestMs);
  return { startMs: Math.min(startMs, endMs - 1), endMs };
}

/** Returns the name of a range for its button: that of the preset, or `Custom range`. */
export function rangeLabel(state: Pick<SearchState, 'from' | 'to'>): string {
  if (state.to !== 'now') return 'Custom range';
  const preset = TIME_PRESETS.find(({ from }) => from === state.from);
  if (preset !== undefined) return preset.label;
  return state.from.startsWith('now-') ? `Last ${state.from.slice(4)}` : 'Since';
}

/** Returns the next wider preset than the state's range, for the empty page; undefined when it is `all` already. */
export function widerPreset(state: Pick<SearchState, 'from' | 'to'>, nowMs: number): TimePreset | undefined {
  if (state.from === 'all') return undefined;
  const startMs = resolveTime(state.from, nowMs) ?? nowMs;
  return TIME_PRESETS.find(({ from }) => from === 'all' || (resolveTime(from, nowMs) ?? nowMs) < startMs);
}

/** Returns the state that shows a record at the top of a list: the five minutes up to and including it. */
export function linkToRecord(state: SearchState, record: { id: string; timeMs: number }): SearchState {
  return {
    query: state.query,
    from: timestampText(record.timeMs - 300_000),
    to: timestampText(record.timeMs + 1),
    isLive: false,
    record: record.id,
  };
}
