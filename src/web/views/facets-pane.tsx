import type { ReactElement } from 'react';
import { useMemo } from 'react';
import type { Bucket } from '../model/histogram-layout.ts';
import { sumByValue } from '../model/facets.ts';
import { FacetList } from './facet-list.tsx';
import type { RecordActions } from './record-detail.tsx';
import type { Run } from './use-search.ts';
import { useFacetCounts } from './use-search.ts';

interface FacetsPaneProps {
  readonly run: Run;
  /** The histogram's answer, which has the counts by level already. */
  readonly buckets: readonly Bucket[];
  readonly query: string;
  /** Facets are counted after the search, so that the first records come as fast as they can. */
  readonly isSearched: boolean;
  /** The search did not work: there is nothing to count. */
  readonly hasFailed: boolean;
  readonly edit: Pick<RecordActions, 'onInclude' | 'onExclude'>;
}

/** Counts over the whole range, by what one filters by most. */
export function FacetsPane(props: FacetsPaneProps): ReactElement {
  const { run, buckets, query, isSearched, hasFailed, edit } = props;
  const levels = useMemo(() => (buckets.length === 0 ? undefined : sumByValue(buckets)), [buckets]);
  const namespaces = useFacetCounts(run, 'kubernetes.namespace', isSearched);
  const pods = useFacetCounts(run, 'kubernetes.pod.name', isSearched);
  const common = { query, onToggle: edit.onInclude, onExclude: edit.onExclude };
  if (hasFailed) return <aside />;
  return (
    <aside aria-label="Filters">
      <FacetList title="Level" field="level" counts={levels} {...common} />
      <FacetList title="Namespace" field="namespace" counts={namespaces} {...common} />
      <FacetList title="Pod" field="pod" counts={pods} {...common} />
    </aside>
  );
}
