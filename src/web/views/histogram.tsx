import type { PointerEvent, ReactElement } from 'react';
import { memo, useMemo, useRef, useState } from 'react';
import { axisText, rangeText } from '../model/clock-text.ts';
import type { Bucket, Column, HistogramLayout } from '../model/histogram-layout.ts';
import { axisTimes, brushedRange, columnAt, layoutHistogram } from '../model/histogram-layout.ts';
import { countText } from '../model/number-text.ts';
import type { RangeMs } from '../model/search-state.ts';

interface HistogramProps {
  readonly buckets: readonly Bucket[];
  readonly range: RangeMs;
  readonly tookMs: number | undefined;
  readonly isLoading: boolean;
  /** Nobody knows how many lines match. */
  readonly hasFailed: boolean;
  readonly onZoom: (range: RangeMs) => void;
}

interface Brush {
  readonly from: number;
  readonly to: number;
}

/** Bars end on whole pixels of this height: between them the ground would shine through. */
const PLOT_PX = 72;

/** Counts over time, by level; drag over it to zoom in. */
export function Histogram({
  buckets,
  range,
  tookMs,
  isLoading,
  hasFailed,
  onZoom,
}: HistogramProps): ReactElement {
  const layout = useMemo(() => layoutHistogram(buckets, range), [buckets, range]);
  return (
    <figure className="histogram">
      <figcaption>
        <strong>{isLoading || hasFailed ? ' ' : countText(layout.total)}</strong>{' '}
        {!hasFailed && (layout.total === 1 ? 'line' : 'lines')}
        <span className="took">{tookMs === undefined ? '' : `in ${Math.max(1, Math.round(tookMs))} ms`}</span>
        <span className="grow" />
        <span className="legend">
          {layout.classes.map(({ levelClass }) => (
            <span key={levelClass} className={`level-${levelClass}`}>
              <i className={`level-${levelClass}`} aria-hidden="true" />
              {levelClass === 'none' ? 'no level' : levelClass}
            </span>
          ))}
        </span>
      </figcaption>
      <Plot layout={layout} onZoom={onZoom} />
      <Axis range={layout.range} />
    </figure>
  );
}

function Axis({ range }: { range: RangeMs }): ReactElement {
  const labels = axisTimes(range).map((timeMs) => axisText(timeMs, range.endMs - range.startMs, undefined));
  const isLong = labels.some((label) => label.length > '00:00'.length);
  return (
    <div className={isLong ? 'axis long' : 'axis'} aria-hidden="true">
      {labels.map((label, index) => (
        <span key={index}>{label}</span>
      ))}
    </div>
  );
}

function Plot({
  layout,
  onZoom,
}: {
  layout: HistogramLayout;
  onZoom: (range: RangeMs) => void;
}): ReactElement {
  const ref = useRef<HTMLDivElement>(null);
  const [brush, setBrush] = useState<Brush>();
  const [hover, setHover] = useState<number>();
  const partOf = (event: PointerEvent): number => {
    const box = ref.current?.getBoundingClientRect();
    return box === undefined || box.width === 0
      ? 0
      : Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const column = hover === undefined || brush !== undefined ? undefined : columnAt(layout, hover);
  return (
    <div
      className="plot"
      ref={ref}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setBrush({ from: partOf(event), to: partOf(event) });
      }}
      onPointerMove={(event) => {
        const part = partOf(event);
        setHover(part);
        if (brush !== undefined) setBrush({ from: brush.from, to: part });
      }}
      onPointerUp={() => {
        const zoomed = brush === undefined ? undefined : brushedRange(layout, brush.from, brush.to);
        setBrush(undefined);
        if (zoomed !== undefined) onZoom(zoomed);
      }}
      onPointerCancel={() => setBrush(undefined)}
      onPointerLeave={() => setHover(undefined)}
    >
      <Bars layout={layout} />
      {brush !== undefined && <div className="brush" style={brushStyle(brush)} />}
      {column !== undefined && <Tip column={column} layout={layout} />}
    </div>
  );
}

const Bars = memo(function Bars({ layout }: { layout: HistogramLayout }): ReactElement {
  const spanMs = layout.range.endMs - layout.range.startMs;
  const title = `${countText(layout.total)} lines, ${rangeText(layout.range.startMs, layout.range.endMs, undefined)}`;
  return (
    <svg viewBox={`0 0 1000 ${PLOT_PX}`} preserveAspectRatio="none" role="img" aria-label={title}>
      {layout.columns.map(({ startMs, endMs, bars }) => {
        const x = ((startMs - layout.range.startMs) / spanMs) * 1000;
        const width = ((endMs - startMs) / spanMs) * 1000;
        return bars.map((bar) => (
          <rect
            key={`${startMs} ${bar.levelClass}`}
            className={`level-${bar.levelClass}`}
            x={x + width * 0.1}
            width={Math.max(0.6, width * 0.8)}
            y={pixels(bar.top)}
            height={pixels(bar.top + bar.height) - pixels(bar.top)}
          />
        ));
      })}
    </svg>
  );
});

function pixels(part: number): number {
  return Math.round(part * PLOT_PX);
}

function Tip({ column, layout }: { column: Column; layout: HistogramLayout }): ReactElement {
  const middle = (column.startMs + column.endMs) / 2;
  const part = (middle - layout.range.startMs) / (layout.range.endMs - layout.range.startMs);
  const place =
    part < 0.5 ? { left: `calc(${part * 100}% + 10px)` } : { right: `calc(${(1 - part) * 100}% + 10px)` };
  return (
    <div className="tip" style={place} aria-hidden="true">
      <b>{rangeText(column.startMs, column.endMs, undefined)}</b>
      {column.bars.map(({ levelClass, count }) => (
        <span key={levelClass}>
          <i className={`level-${levelClass}`} />
          {levelClass === 'none' ? 'no level' : levelClass} <em>{countText(count)}</em>
        </span>
      ))}
      {column.bars.length === 0 && <span>no lines</span>}
    </div>
  );
}

function brushStyle({ from, to }: Brush): { left: string; width: string } {
  return { left: `${Math.min(from, to) * 100}%`, width: `${Math.abs(to - from) * 100}%` };
}
