import type { ReactElement } from 'react';
import { ApiFailure } from '../api-client.ts';
import { nowMs } from '../browser.ts';
import type { SearchState } from '../model/search-state.ts';
import { rangeLabel, widerPreset } from '../model/search-state.ts';
import { EmptyState, FailureState, LoadingState } from './states.tsx';
import type { Address } from './use-address.ts';
import type { SearchResult } from './use-search.ts';

interface ResultNoticeProps {
  readonly state: SearchState;
  readonly result: SearchResult;
  readonly hasRows: boolean;
  readonly goTo: Address['goTo'];
  readonly onRetry: () => void;
}

/** What stands in the list's place, or over it: a failure, nothing found, still loading. */
export function ResultNotice({
  state,
  result,
  hasRows,
  goTo,
  onRetry,
}: ResultNoticeProps): ReactElement | null {
  const { error } = result;
  if (error instanceof ApiFailure && (!hasRows || !error.isRetryable)) {
    return <FailureState failure={error} onRetry={onRetry} />;
  }
  if (hasRows) return null;
  if (result.isLoading || result.isStale) return <LoadingState />;
  if (state.isLive) {
    return (
      <div className="notice" role="status">
        <h2>Waiting for new lines</h2>
        <p>They appear here as soon as they are written.</p>
      </div>
    );
  }
  return (
    <EmptyState
      hasQuery={state.query !== ''}
      rangeLabel={rangeLabel(state)}
      wider={widerPreset(state, nowMs())}
      onWider={({ from }) => goTo({ from, to: 'now' })}
      onClear={() => goTo({ query: '' })}
    />
  );
}
