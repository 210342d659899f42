import { useEffect, useReducer } from 'react';
import { tailUrl } from '../api-client.ts';
import { after } from '../browser.ts';
import type { Document, Row } from '../model/document.ts';
import { toRow } from '../model/document.ts';
import type { LiveEvent, LiveState } from '../model/live-state.ts';
import { LIVE_STATE_INITIAL, nextLiveState } from '../model/live-state.ts';

/** Records are taken in at this pace: the eye does not follow faster, and each step draws the list once. */
const FLUSH_MS = 150;

/** A burst beyond this within one step is cut, and counted as skipped. */
const BURST_MAX = 5000;

/** EventSource gives up when the server answers with an error; this page tries again. */
const RECONNECT_MS = 2000;

/** Follows the server's stream of new records that match `query` while `isEnabled`. */
export function useLive(query: string, isEnabled: boolean): [LiveState, (event: LiveEvent) => void] {
  const [state, dispatch] = useReducer(nextLiveState, LIVE_STATE_INITIAL);
  useEffect(() => {
    dispatch({ kind: 'reset' });
    if (!isEnabled) {
      dispatch({ kind: 'connection', connection: 'off' });
      return undefined;
    }
    dispatch({ kind: 'connection', connection: 'connecting' });
    return follow(query, dispatch);
  }, [query, isEnabled]);
  return [state, dispatch];
}

function follow(query: string, dispatch: (event: LiveEvent) => void): () => void {
  let source: EventSource | undefined;
  let cancelRetry = (): void => undefined;
  const intake = createIntake(dispatch);
  const connect = (): void => {
    source = new EventSource(tailUrl(query));
    source.addEventListener('open', () => {
      dispatch({ kind: 'connection', connection: 'open' });
    });
    source.addEventListener('error', () => {
      dispatch({ kind: 'connection', connection: 'reconnecting' });
      if (source?.readyState === EventSource.CLOSED) cancelRetry = after(RECONNECT_MS, connect);
    });
    source.addEventListener('message', intake.onRecord);
    source.addEventListener('skipped', (event: MessageEvent<string>) => {
      dispatch({ kind: 'skipped', count: skippedCount(event.data) });
    });
  };
  connect();
  return () => {
    source?.close();
    cancelRetry();
    intake.stop();
  };
}

/** Gathers records for `FLUSH_MS` and hands them over together. */
function createIntake(dispatch: (event: LiveEvent) => void): {
  onRecord: (event: MessageEvent<string>) => void;
  stop: () => void;
} {
  let gathered: Row[] = [];
  let skipped = 0;
  let count = 0;
  let cancel: (() => void) | undefined;
  const flush = (): void => {
    cancel = undefined;
    dispatch({ kind: 'records', rows: gathered });
    dispatch({ kind: 'skipped', count: skipped });
    gathered = [];
    skipped = 0;
  };
  const onRecord = (event: MessageEvent<string>): void => {
    count += 1;
    const document = parseDocument(event.data);
    if (document === undefined || gathered.length >= BURST_MAX) skipped += 1;
    else gathered.push(toRow(document, `live-${count}`));
    cancel ??= after(FLUSH_MS, flush);
  };
  return { onRecord, stop: () => cancel?.() };
}

function parseDocument(text: string): Document | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Document) : undefined;
  } catch {
    return undefined;
  }
}

function skippedCount(text: string): number {
  const count = parseDocument(text)?.['skipped'];
  return typeof count === 'number' && count > 0 ? count : 0;
}
