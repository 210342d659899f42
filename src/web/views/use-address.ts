import { useCallback, useSyncExternalStore } from 'react';
import type { SearchState } from '../model/search-state.ts';
import { formatSearchState, parseSearchState } from '../model/search-state.ts';

export interface Address {
  readonly path: string;
  readonly state: SearchState;
  /** Goes to a changed search; `replace` when going back should not lead here. */
  readonly goTo: (change: Partial<SearchState>, options?: { replace?: boolean }) => void;
}

const CHANGED = 'logboom:address';

/** Keeps the page and the browser's address the same: the address is the state, the back button works. */
export function useAddress(): Address {
  const href = useSyncExternalStore(subscribe, () => `${location.pathname}${location.search}`);
  const at = href.indexOf('?');
  const search = at === -1 ? '' : href.slice(at);
  const goTo = useCallback((change: Partial<SearchState>, options?: { replace?: boolean }) => {
    const state = { ...parseSearchState(location.search), ...change };
    navigate(`/${formatSearchState(state)}`, options?.replace ?? false);
  }, []);
  return { path: at === -1 ? href : href.slice(0, at), state: parseSearchState(search), goTo };
}

/** Goes to an address within the page without loading it anew. */
export function navigate(href: string, isReplacing = false): void {
  if (href === `${location.pathname}${location.search}`) return;
  if (isReplacing) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  dispatchEvent(new Event(CHANGED));
}

function subscribe(onChange: () => void): () => void {
  addEventListener('popstate', onChange);
  addEventListener(CHANGED, onChange);
  return () => {
    removeEventListener('popstate', onChange);
    removeEventListener(CHANGED, onChange);
  };
}
