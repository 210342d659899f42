import type { ReactElement } from 'react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { exportUrl } from '../api-client.ts';
import { readStored, writeStored } from '../browser.ts';
import { spansDays } from '../model/clock-text.ts';
import { mergeRows } from '../model/live-state.ts';
import { HIGHLIGHTER_NONE } from '../model/message-marks.ts';
import { parseHistory, rememberQuery } from '../model/query-history.ts';
import { toggleExclusion, toggleValue } from '../model/query-edit.ts';
import { formatSearchState, linkToRecord } from '../model/search-state.ts';
import type { RangeMs } from '../model/search-state.ts';
import { timestampText } from '../model/timestamp.ts';
import { FacetsPane } from './facets-pane.tsx';
import { Histogram } from './histogram.tsx';
import { ToolStrip, WaitingButton } from './tool-strip.tsx';
import { QueryBar } from './query-bar.tsx';
import type { RecordActions } from './record-detail.tsx';
import type { RecordListHandle } from './record-list.tsx';
import { RecordList } from './record-list.tsx';
import { ResultNotice } from './result-notice.tsx';
import type { Address } from './use-address.ts';
import { useLive } from './use-live.ts';
import { useQueryTools } from './use-query-tools.ts';
import { useRun } from './use-run.ts';
import { useHistogram, useSearch } from './use-search.ts';
import { useSelection } from './use-selection.ts';

/** Query, histogram, facets and records. */
export function SearchPage({ address, onHelp }: { address: Address; onHelp: () => void }): ReactElement {
  const { state, goTo } = address;
  const { run, range, search } = useRun(state);
  const result = useSearch(run);
  const histogram = useHistogram(run, state.isLive);
  const [live, liveEvent] = useLive(state.query, state.isLive);
  const [isWrapping, setIsWrapping] = useState(false);
  const inputRef = useRef<HTMLTextAreaElement>(null);
  const listRef = useRef<RecordListHandle>(null);
  const rows = useMemo(() => mergeRows(live.rows, result.rows), [live.rows, result.rows]);
  const tools = useQueryTools();
  const highlighter = useMemo(
    () => tools?.highlighterOf(state.query) ?? HIGHLIGHTER_NONE,
    [tools, state.query],
  );
  const clock = useMemo(() => clockOf(state.from === 'all', range), [state.from, range]);

  useEffect(() => {
    document.title = state.query === '' ? 'Logboom' : `${state.query} · Logboom`;
  }, [state.query]);
  const searchFor = useCallback(
    (query: string) => {
      writeStored('history', JSON.stringify(rememberQuery(parseHistory(readStored('history')), query)));
      goTo({ query: query.trim(), record: undefined });
      search();
      listRef.current?.scrollToTop();
    },
    [goTo, search],
  );
  const toggleLive = (): void =>
    goTo({ isLive: !state.isLive, to: 'now', from: state.to === 'now' ? state.from : 'now-15m' });
  const edit = useMemo(() => editActions(state.query, searchFor), [state.query, searchFor]);
  const actions = useMemo<RecordActions>(
    () => ({ ...edit, linkTo: (row) => `${location.origin}/${formatSearchState(linkToRecord(state, row))}` }),
    [edit, state],
  );
  const selection = useSelection({
    rows,
    listRef,
    inputRef,
    openId: state.record,
    onOpen: useCallback((record) => goTo({ record }, { replace: true }), [goTo]),
    onOther: (command) => {
      if (command === 'help') onHelp();
      else if (command === 'live') toggleLive();
      else setIsWrapping(!isWrapping);
    },
  });
  const onTop = useCallback(
    (isAtTop: boolean) => liveEvent({ kind: isAtTop ? 'resume' : 'pause' }),
    [liveEvent],
  );
  const toTop = (): void => {
    liveEvent({ kind: 'resume' });
    listRef.current?.scrollToTop();
  };
  return (
    <>
      <QueryBar
        inputRef={inputRef}
        state={state}
        range={range}
        connection={live.connection}
        onSearch={searchFor}
        onTime={(choice) => {
          goTo({ ...choice, isLive: state.isLive && choice.to === 'now', record: undefined });
          search();
        }}
        onLive={toggleLive}
      />
      <main className="search">
        <FacetsPane
          run={run}
          buckets={histogram.buckets}
          query={state.query}
          isSearched={!result.isLoading}
          hasFailed={result.error !== undefined && rows.length === 0}
          edit={edit}
        />
        <section className="results" aria-label="Results">
          <Histogram
            {...histogram}
            range={range}
            tookMs={result.tookMs}
            onZoom={(zoomed) => goTo({ ...zoomChoice(zoomed), isLive: false, record: undefined })}
          />
          <ToolStrip
            live={live}
            loadedCount={rows.length}
            problem={rows.length > 0 ? result.error?.message : undefined}
            exportHref={exportUrl(run.params)}
            isWrapping={isWrapping}
            onWrap={() => setIsWrapping(!isWrapping)}
          />
          {live.waiting.length > 0 && <WaitingButton count={live.waiting.length} onClick={toTop} />}
          <ResultNotice
            state={state}
            result={result}
            hasRows={rows.length > 0}
            goTo={goTo}
            onRetry={search}
          />
          {rows.length > 0 && (
            <RecordList
              handleRef={listRef}
              rows={rows}
              openId={state.record}
              selectedIndex={selection.index}
              clock={clock}
              highlighter={highlighter}
              isWrapping={isWrapping}
              isStale={result.isStale}
              actions={actions}
              onToggle={selection.toggle}
              onNearEnd={result.loadMore}
              onTop={onTop}
              isLoadingMore={result.isLoadingMore}
              hasMore={result.hasMore}
            />
          )}
        </section>
      </main>
    </>
  );
}

function clockOf(isAll: boolean, range: RangeMs): { zone: undefined; hasDate: boolean } {
  return { zone: undefined, hasDate: isAll || spansDays(range.startMs, range.endMs, undefined) };
}

function zoomChoice(range: RangeMs): { from: string; to: string } {
  return { from: timestampText(range.startMs), to: timestampText(range.endMs) };
}

function editActions(
  query: string,
  searchFor: (query: string) => void,
): Pick<RecordActions, 'onInclude' | 'onExclude'> {
  return {
    onInclude: (field, value) => searchFor(toggleValue(query, field, value)),
    onExclude: (field, value) => searchFor(toggleExclusion(query, field, value)),
  };
}
