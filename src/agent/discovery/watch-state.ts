/**
 * How one directory is observed. The kernel reports every single write to a watched directory, so a directory that
 * is written steadily is polled instead, and watched again when it has been still for a while: idle files cost
 * nothing, busy files cost a few calls per second and no flood of events.
 *
 *   watched ── many events within a second ──> polled ── still for 2 s ──> watched
 *   watched ── the kernel refuses a watch ──> unwatchable: polled slowly, for good
 */
export type WatchMode = 'unwatched' | 'watched' | 'polled' | 'unwatchable';

/** Events per window beyond which polling is cheaper than being told. */
const EVENTS_MAX = 12;
const EVENT_WINDOW_MS = 1000;
const POLL_MS_MIN = 100;
const POLL_MS_MAX = 250;
const STILL_MS = 2000;
/** Unwatchable directories may be thousands, and must still show new lines within two seconds. */
const UNWATCHABLE_POLL_MS_MAX = 1000;

export interface WatchState {
  mode: WatchMode;
  events: number;
  windowStartMs: number;
  pollMs: number;
  pollAtMs: number;
  lastChangeMs: number;
}

/** Returns the state of a directory that is not observed yet. */
export function createWatchState(): WatchState {
  return {
    mode: 'unwatched',
    events: 0,
    windowStartMs: 0,
    pollMs: POLL_MS_MIN,
    pollAtMs: Number.POSITIVE_INFINITY,
    lastChangeMs: 0,
  };
}

/** Notes the outcome of asking the kernel for a watch. */
export function noteWatch(state: WatchState, isWatched: boolean, nowMs: number): void {
  state.mode = isWatched ? 'watched' : 'unwatchable';
  state.events = 0;
  state.windowStartMs = nowMs;
  state.pollMs = POLL_MS_MIN;
  state.pollAtMs = isWatched ? Number.POSITIVE_INFINITY : nowMs + POLL_MS_MIN;
}

/** Notes a write event; returns whether the watch is to be closed and the directory polled from now on. */
export function noteEvent(state: WatchState, nowMs: number): boolean {
  if (state.mode !== 'watched') return false;
  if (nowMs - state.windowStartMs > EVENT_WINDOW_MS) {
    state.windowStartMs = nowMs;
    state.events = 0;
  }
  state.events++;
  if (state.events <= EVENTS_MAX) return false;
  state.mode = 'polled';
  state.pollMs = POLL_MS_MIN;
  state.pollAtMs = nowMs;
  state.lastChangeMs = nowMs;
  return true;
}

/** Notes a poll and whether it found anything new; returns whether the directory is to be watched again. */
export function notePoll(state: WatchState, hasChanged: boolean, nowMs: number): boolean {
  if (hasChanged) {
    state.lastChangeMs = nowMs;
    state.pollMs = POLL_MS_MIN;
  } else {
    const limitMs = state.mode === 'unwatchable' ? UNWATCHABLE_POLL_MS_MAX : POLL_MS_MAX;
    state.pollMs = Math.min(limitMs, state.pollMs * 2);
  }
  state.pollAtMs = nowMs + state.pollMs;
  return state.mode === 'polled' && nowMs - state.lastChangeMs >= STILL_MS;
}
