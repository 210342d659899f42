import { useVirtualizer } from '@tanstack/react-virtual';
import type { ReactElement, RefObject } from 'react';
import { useCallback, useEffect, useImperativeHandle, useRef } from 'react';
import type { ClockStyle } from '../model/clock-text.ts';
import type { Row } from '../model/document.ts';
import type { Highlighter } from '../model/message-marks.ts';
import type { RecordActions } from './record-detail.tsx';
import { RecordRow } from './record-row.tsx';

/** What the page asks of the list from outside. */
export interface RecordListHandle {
  readonly scrollToTop: () => void;
  readonly scrollToIndex: (index: number) => void;
  readonly pageRows: () => number;
}

interface RecordListProps {
  readonly handleRef: RefObject<RecordListHandle | null>;
  readonly rows: readonly Row[];
  readonly openId: string | undefined;
  readonly selectedIndex: number;
  readonly clock: ClockStyle;
  readonly highlighter: Highlighter;
  readonly isWrapping: boolean;
  readonly isStale: boolean;
  readonly actions: RecordActions;
  readonly onToggle: (id: string, index: number) => void;
  readonly onNearEnd: () => void;
  readonly onTop: (isAtTop: boolean) => void;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
}

const ROW_PX = 22;

/** Further pages are asked for while this many rows are still ahead. */
const AHEAD_ROWS = 80;

/** The records, newest first; only those on the screen exist in the document. */
export function RecordList(props: RecordListProps): ReactElement {
  const { rows, onNearEnd, onTop } = props;
  const scrollRef = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => ROW_PX,
    getItemKey: useCallback((index: number) => rows[index]?.id ?? index, [rows]),
    overscan: 12,
  });
  useImperativeHandle(
    props.handleRef,
    () => ({
      scrollToTop: () => scrollRef.current?.scrollTo({ top: 0 }),
      scrollToIndex: (index: number) => virtualizer.scrollToIndex(index, { align: 'auto' }),
      pageRows: () => Math.max(1, Math.floor((scrollRef.current?.clientHeight ?? ROW_PX) / ROW_PX) - 1),
    }),
    [virtualizer],
  );
  const items = virtualizer.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (rows.length > 0 && lastIndex >= rows.length - AHEAD_ROWS) onNearEnd();
  }, [lastIndex, rows.length, onNearEnd]);
  return (
    <div
      ref={scrollRef}
      className={`list${props.isWrapping ? ' wrapping' : ''}${props.isStale ? ' stale' : ''}${props.clock.hasDate ? ' dated' : ''}`}
      role="grid"
      aria-label="Records, newest first"
      aria-rowcount={rows.length}
      aria-activedescendant={props.selectedIndex >= 0 ? `row-${props.selectedIndex}` : undefined}
      tabIndex={0}
      onScroll={(event) => onTop(event.currentTarget.scrollTop < ROW_PX)}
    >
      <div className="rows" role="rowgroup" style={{ height: virtualizer.getTotalSize() }}>
        <div className="rows-window" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map(({ index, key }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <div key={key} data-index={index} ref={virtualizer.measureElement} role="presentation">
                <RecordRow
                  row={row}
                  index={index}
                  isOpen={row.id === props.openId}
                  isSelected={index === props.selectedIndex}
                  clock={props.clock}
                  highlighter={props.highlighter}
                  actions={props.actions}
                  onToggle={props.onToggle}
                />
              </div>
            );
          })}
        </div>
      </div>
      <p className="list-end dim" role="status">
        {props.isLoadingMore ? 'Loading more…' : props.hasMore ? '' : 'The first line of this range'}
      </p>
    </div>
  );
}
