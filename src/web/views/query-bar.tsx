import type { ReactElement, RefObject } from 'react';
import { useState } from 'react';
import type { LiveConnection } from '../model/live-state.ts';
import type { RangeMs, SearchState } from '../model/search-state.ts';
import { QueryInput } from './query-input.tsx';
import { TimePicker } from './time-picker.tsx';

interface QueryBarProps {
  readonly inputRef: RefObject<HTMLTextAreaElement | null>;
  readonly state: SearchState;
  readonly range: RangeMs;
  readonly connection: LiveConnection;
  readonly onSearch: (query: string) => void;
  readonly onTime: (choice: Pick<SearchState, 'from' | 'to'>) => void;
  readonly onLive: () => void;
}

const LIVE_TITLES: Readonly<Record<LiveConnection, string>> = {
  off: 'Show new lines as they arrive (l)',
  connecting: 'Connecting',
  open: 'New lines appear at the top',
  reconnecting: 'The connection was lost; trying again',
};

export function QueryBar({ inputRef, state, range, connection, ...on }: QueryBarProps): ReactElement {
  const [draft, setDraft] = useState(state.query);
  return (
    <form
      className="bar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        on.onSearch(draft);
      }}
    >
      <QueryInput
        inputRef={inputRef}
        query={state.query}
        draft={draft}
        onDraft={setDraft}
        onSearch={on.onSearch}
      />
      <TimePicker choice={state} range={range} onChoice={on.onTime} />
      <button
        type="button"
        className={`bar-button live ${connection}`}
        aria-pressed={state.isLive}
        title={LIVE_TITLES[connection]}
        onClick={on.onLive}
      >
        <i aria-hidden="true" />
        Live
      </button>
      <button type="submit" className="bar-button run">
        Search
      </button>
    </form>
  );
}
