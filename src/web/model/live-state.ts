/**
 * Live tail as a state machine without a browser in it.
 *
 *   rows      records to show, newest first, at most `LIVE_ROWS_MAX`: the oldest leave, and search finds them
 *   waiting   records that came while the reader had scrolled away, at most `LIVE_ROWS_MAX`
 *   skipped   what the server left out because this page was too slow, and what left `waiting` unseen
 *
 * Every record is taken once: ids already in `rows` or `waiting` are ignored, because a reconnected stream may repeat.
 */
import type { Row } from './document.ts';

export type LiveConnection = 'off' | 'connecting' | 'open' | 'reconnecting';

export interface LiveState {
  readonly connection: LiveConnection;
  readonly rows: readonly Row[];
  readonly waiting: readonly Row[];
  readonly skipped: number;
  readonly received: number;
  readonly isPaused: boolean;
}

export type LiveEvent =
  | { readonly kind: 'connection'; readonly connection: LiveConnection }
  | { readonly kind: 'records'; readonly rows: readonly Row[] }
  | { readonly kind: 'skipped'; readonly count: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'reset' };

/** More than anyone scrolls back through while lines stream in; about 10 MB of documents. */
export const LIVE_ROWS_MAX = 10_000;

export const LIVE_STATE_INITIAL: LiveState = {
  connection: 'off',
  rows: [],
  waiting: [],
  skipped: 0,
  received: 0,
  isPaused: false,
};

/** Returns the state after an event; an event that changes nothing returns the same object. */
export function nextLiveState(state: LiveState, event: LiveEvent): LiveState {
  switch (event.kind) {
    case 'connection':
      return state.connection === event.connection ? state : { ...state, connection: event.connection };
    case 'records':
      return addRows(state, event.rows);
    case 'skipped':
      return event.count === 0 ? state : { ...state, skipped: state.skipped + event.count };
    case 'pause':
      return state.isPaused ? state : { ...state, isPaused: true };
    case 'resume':
      if (!state.isPaused && state.waiting.length === 0) return state;
      return {
        ...state,
        isPaused: false,
        rows: merge(state.rows, state.waiting).slice(0, LIVE_ROWS_MAX),
        waiting: [],
      };
    case 'reset':
      return { ...LIVE_STATE_INITIAL, connection: state.connection };
  }
}

/**
 * Merges live rows over the rows of a search, both newest first, each id once. Returns `searched` itself when there
 * is nothing live, so that lists need not draw again.
 */
export function mergeRows(live: readonly Row[], searched: readonly Row[]): readonly Row[] {
  if (live.length === 0) return searched;
  const ids = new Set(live.map(({ id }) => id));
  return merge(
    live,
    searched.filter(({ id }) => !ids.has(id)),
  );
}

/** Orders rows newest first by (time, id): the id ends in the offset, so lines of one file keep their order. */
export function compareNewestFirst(a: Row, b: Row): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? 1 : -1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? 1 : -1;
}

function addRows(state: LiveState, rows: readonly Row[]): LiveState {
  const known = new Set([...state.rows, ...state.waiting].map(({ id }) => id));
  const fresh = rows.filter(({ id }) => !known.has(id) && known.add(id));
  if (fresh.length === 0) return state;
  fresh.sort(compareNewestFirst);
  const received = state.received + fresh.length;
  if (!state.isPaused) return { ...state, received, rows: merge(state.rows, fresh).slice(0, LIVE_ROWS_MAX) };
  const waiting = merge(state.waiting, fresh);
  const unseen = Math.max(0, waiting.length - LIVE_ROWS_MAX);
  return { ...state, received, waiting: waiting.slice(0, LIVE_ROWS_MAX), skipped: state.skipped + unseen };
}

function merge(a: readonly Row[], b: readonly Row[]): Row[] {
  const merged: Row[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    const isLeft = right === undefined || (left !== undefined && compareNewestFirst(left, right) <= 0);
    const row = isLeft ? left : right;
    if (row !== undefined) merged.push(row);
    if (isLeft) i += 1;
    else j += 1;
  }
  return merged;
}
