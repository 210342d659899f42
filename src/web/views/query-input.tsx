import type { KeyboardEvent, ReactElement, RefObject } from 'react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { readStored } from '../browser.ts';
import type { HistoryWalk } from '../model/query-history.ts';
import { parseHistory, stepHistory } from '../model/query-history.ts';
import { useQueryTools } from './use-query-tools.ts';

interface QueryInputProps {
  readonly inputRef: RefObject<HTMLTextAreaElement | null>;
  /** The query that is searched; what is typed becomes it with Enter. */
  readonly query: string;
  readonly draft: string;
  readonly onDraft: (text: string) => void;
  readonly onSearch: (text: string) => void;
}

const WHOLE = { kind: 'text', start: 0, end: undefined } as const;
const WALK_START: HistoryWalk = { index: -1, draft: '' };

/** The query field: its text lies transparent over a layer with the same text in colours. */
export function QueryInput({ inputRef, query, draft, onDraft, onSearch }: QueryInputProps): ReactElement {
  const layerRef = useRef<HTMLDivElement>(null);
  const [walk, setWalk] = useState(WALK_START);
  const tools = useQueryTools();
  const described = useMemo(() => tools?.describeQuery(draft), [tools, draft]);
  const [hasFocus, setHasFocus] = useState(false);
  useEffect(() => {
    onDraft(query);
    setWalk(WALK_START);
  }, [query, onDraft]);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      event.preventDefault();
      onSearch(draft);
    } else if (event.key === 'Escape') event.currentTarget.blur();
    else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const from = walk.index === -1 ? { index: -1, draft } : walk;
      const step = stepHistory(parseHistory(readStored('history')), from, event.key === 'ArrowUp' ? 1 : -1);
      if (step === undefined) return;
      event.preventDefault();
      setWalk(step.walk);
      onDraft(step.text);
    }
  };

  return (
    <div className="query">
      <div className="query-field">
        <div className="query-layer" ref={layerRef} aria-hidden="true">
          {(described?.tokens ?? [WHOLE]).map((token) => (
            <span key={token.start} className={`t-${token.kind}`}>
              {draft.slice(token.start, token.end)}
            </span>
          ))}
        </div>
        <textarea
          ref={inputRef}
          rows={1}
          value={draft}
          placeholder='Search: words, "a phrase", level:error, namespace:shop, /regex/'
          aria-label="Query"
          aria-describedby="query-hints"
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          onChange={(event) => {
            setWalk(WALK_START);
            onDraft(event.target.value.replace(/\r?\n/g, ' '));
          }}
          onScroll={(event) => {
            if (layerRef.current !== null) layerRef.current.scrollLeft = event.currentTarget.scrollLeft;
          }}
          onFocus={() => setHasFocus(true)}
          onBlur={() => setHasFocus(false)}
          onKeyDown={onKeyDown}
        />
        {!hasFocus && <kbd aria-hidden="true">/</kbd>}
      </div>
      <div id="query-hints" className="query-hints" aria-live="polite">
        {described?.hints.map((hint) => (
          <p key={hint.message} className={hint.isError ? 'error' : undefined}>
            {hint.message}
          </p>
        ))}
      </div>
    </div>
  );
}
