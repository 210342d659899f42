import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { SearchPageResult, SearchParams } from '../api-client.ts';
import { fetchHistogram, fetchSearch } from '../api-client.ts';
import type { Row } from '../model/document.ts';
import { toRow } from '../model/document.ts';
import { sumByValue } from '../model/facets.ts';
import type { Bucket } from '../model/histogram-layout.ts';

/** A search that was asked for: what to send, and a number that is new with every press of Search. */
export interface Run {
  readonly params: SearchParams;
  readonly number: number;
  readonly isReady: boolean;
}

export interface SearchResult {
  readonly rows: readonly Row[];
  readonly tookMs: number | undefined;
  readonly error: Error | null;
  readonly isLoading: boolean;
  /** Earlier rows are shown while those of a changed search are on their way. */
  readonly isStale: boolean;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly loadMore: () => void;
}

/** Pages that are kept; 100,000 records are more than anyone scrolls through, and export has no limit. */
export const PAGES_MAX = 500;

/** Width of the histogram in buckets. */
const BUCKETS = 96;

/** Live counts follow at this pace: often enough to see a change, seldom enough to cost nothing. */
const LIVE_COUNT_MS = 5000;

/** Searches page by page, newest first. */
export function useSearch(run: Run): SearchResult {
  const result = useInfiniteQuery({
    queryKey: ['search', run.params, run.number],
    queryFn: ({ pageParam, signal }) => fetchSearch(run.params, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last, pages) => (pages.length < PAGES_MAX ? (last.cursor ?? undefined) : undefined),
    placeholderData: keepPreviousData,
    enabled: run.isReady,
  });
  const pages = result.data?.pages;
  const rows = useMemo(() => (pages ?? []).flatMap(rowsOfPage), [pages]);
  return {
    rows,
    tookMs: pages?.[0]?.tookMs,
    error: result.error ?? result.failureReason,
    isLoading: result.isPending,
    isStale: result.isPlaceholderData,
    hasMore: result.hasNextPage,
    isLoadingMore: result.isFetchingNextPage,
    loadMore: () => {
      if (result.hasNextPage && !result.isFetchingNextPage) void result.fetchNextPage();
    },
  };
}

/** Counts the matches by level over the range. */
export function useHistogram(
  run: Run,
  isLive: boolean,
): { buckets: readonly Bucket[]; isLoading: boolean; hasFailed: boolean } {
  const result = useQuery({
    queryKey: ['histogram', run.params, run.number],
    queryFn: ({ signal }) => fetchHistogram({ ...run.params, buckets: BUCKETS, by: 'level' }, signal),
    placeholderData: keepPreviousData,
    enabled: run.isReady,
    refetchInterval: isLive ? LIVE_COUNT_MS : false,
  });
  const hasFailed = result.isError && !result.isFetching;
  return { buckets: hasFailed ? [] : (result.data ?? []), isLoading: result.isPending, hasFailed };
}

/** Counts the matches by the values of a field; undefined until the first answer. */
export function useFacetCounts(
  run: Run,
  field: string,
  isEnabled: boolean,
): Readonly<Record<string, number>> | undefined {
  const result = useQuery({
    queryKey: ['facet', field, run.params, run.number],
    queryFn: ({ signal }) => fetchHistogram({ ...run.params, buckets: 1, by: field }, signal),
    placeholderData: keepPreviousData,
    enabled: run.isReady && isEnabled,
  });
  return useMemo(() => (result.data === undefined ? undefined : sumByValue(result.data)), [result.data]);
}

/** A page's rows are made once, whatever is loaded after it. */
const ROWS_OF_PAGE = new WeakMap<SearchPageResult, Row[]>();

function rowsOfPage(page: SearchPageResult, pageIndex: number): Row[] {
  let rows = ROWS_OF_PAGE.get(page);
  if (rows === undefined) {
    rows = page.records.map((record, index) => toRow(record, `${pageIndex}-${index}`));
    ROWS_OF_PAGE.set(page, rows);
  }
  return rows;
}
