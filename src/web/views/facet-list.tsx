import type { ReactElement } from 'react';
import { useState } from 'react';
import { FACET_VALUES_ALL, FACET_VALUES_MAX, facetOf } from '../model/facets.ts';
import type { FacetValue } from '../model/facets.ts';
import { levelClass } from '../model/level.ts';
import { countText } from '../model/number-text.ts';
import { valueState } from '../model/query-edit.ts';

interface FacetListProps {
  readonly title: string;
  /** The name that the query uses for the field. */
  readonly field: string;
  readonly counts: Readonly<Record<string, number>> | undefined;
  readonly query: string;
  readonly onToggle: (field: string, value: string) => void;
  readonly onExclude: (field: string, value: string) => void;
}

/** Values of a field with counts: a click asks for a value, a click with Shift excludes it. */
export function FacetList({
  title,
  field,
  counts,
  query,
  onToggle,
  onExclude,
}: FacetListProps): ReactElement | null {
  const [isWhole, setIsWhole] = useState(false);
  if (counts === undefined) return <FacetPlaceholder title={title} />;
  const { values, hiddenCount, otherCount } = facetOf(counts, isWhole ? FACET_VALUES_ALL : FACET_VALUES_MAX);
  if (values.length === 0) return null;
  return (
    <section className="facet">
      <h3>{title}</h3>
      {values.map((each) => (
        <FacetButton
          key={each.value}
          facet={each}
          field={field}
          state={valueState(query, field, each.value)}
          onClick={(isExcluding) => (isExcluding ? onExclude : onToggle)(field, each.value)}
        />
      ))}
      {hiddenCount > 0 && (
        <button type="button" className="more" onClick={() => setIsWhole(true)}>
          <span>more…</span>
          <em>{countText(hiddenCount)}</em>
        </button>
      )}
      {otherCount > 0 && (
        <p className="other" title={`Lines with other values, or without ${field}`}>
          <span>other or none</span>
          <em>{countText(otherCount)}</em>
        </p>
      )}
    </section>
  );
}

interface FacetButtonProps {
  readonly facet: FacetValue;
  readonly field: string;
  readonly state: ReturnType<typeof valueState>;
  readonly onClick: (isExcluding: boolean) => void;
}

function FacetButton({ facet, field, state, onClick }: FacetButtonProps): ReactElement {
  const level = field === 'level' ? ` level-text-${levelClass(facet.value)}` : '';
  return (
    <button
      type="button"
      className={`value ${state}${level}`}
      aria-pressed={state === 'included'}
      title={`${facet.value}\nClick: only these. Shift-click: without these.`}
      onClick={(event) => onClick(event.shiftKey)}
    >
      <span>{facet.value}</span>
      <em>{countText(facet.count)}</em>
      <u style={{ width: `${Math.round(facet.part * 100)}%` }} />
    </button>
  );
}

function FacetPlaceholder({ title }: { title: string }): ReactElement {
  return (
    <section className="facet" aria-busy="true">
      <h3>{title}</h3>
      <div className="ghost" />
      <div className="ghost short" />
    </section>
  );
}
