import type { ReactElement } from 'react';
import { useEffect, useId, useRef, useState } from 'react';
import { localText, parseTimeInput, rangeText, zoneName } from '../model/clock-text.ts';
import type { RangeMs, SearchState } from '../model/search-state.ts';
import { rangeLabel, TIME_PRESETS } from '../model/search-state.ts';
import { timestampText } from '../model/timestamp.ts';

type TimeChoice = Pick<SearchState, 'from' | 'to'>;

interface TimePickerProps {
  readonly choice: TimeChoice;
  readonly range: RangeMs;
  readonly onChoice: (choice: TimeChoice) => void;
}

/** The button that says the range, and the panel to choose another. */
export function TimePicker({ choice, range, onChoice }: TimePickerProps): ReactElement {
  const [isOpen, setIsOpen] = useState(false);
  const rootRef = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    const onPointerDown = (event: PointerEvent): void => {
      if (event.target instanceof Node && rootRef.current?.contains(event.target) === false) setIsOpen(false);
    };
    addEventListener('pointerdown', onPointerDown);
    return () => {
      removeEventListener('pointerdown', onPointerDown);
    };
  }, [isOpen]);
  const choose = (next: TimeChoice): void => {
    setIsOpen(false);
    onChoice(next);
  };
  const words = choice.from === 'all' ? 'everything kept' : rangeText(range.startMs, range.endMs, undefined);
  return (
    <div
      className="time"
      ref={rootRef}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setIsOpen(false);
      }}
    >
      <button type="button" className="bar-button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        {rangeLabel(choice)}
        <small>
          {words} {choice.from === 'all' ? '' : zoneName(range.startMs, undefined)}
        </small>
      </button>
      {isOpen && <TimePanel choice={choice} range={range} onChoice={choose} />}
    </div>
  );
}

function TimePanel({ choice, range, onChoice }: TimePickerProps): ReactElement {
  return (
    <div className="panel time-panel" role="dialog" aria-label="Time range">
      <div className="presets">
        {TIME_PRESETS.map((preset, index) => (
          <button
            key={preset.from}
            type="button"
            autoFocus={index === 0}
            aria-pressed={choice.from === preset.from && choice.to === 'now'}
            onClick={() => onChoice({ from: preset.from, to: 'now' })}
          >
            {preset.label}
          </button>
        ))}
      </div>
      <AbsoluteRange range={range} onChoice={onChoice} />
    </div>
  );
}

function AbsoluteRange({ range, onChoice }: Pick<TimePickerProps, 'range' | 'onChoice'>): ReactElement {
  const [from, setFrom] = useState(() => localText(range.startMs, undefined));
  const [to, setTo] = useState(() => localText(range.endMs, undefined));
  const [problem, setProblem] = useState<string>();
  const apply = (): void => {
    const startMs = parseTimeInput(from, undefined);
    const endMs = to.trim() === '' || to.trim() === 'now' ? 'now' : parseTimeInput(to, undefined);
    if (startMs === undefined) setProblem(`“${from}” is no time: write 2026-11-23 09:30, or RFC 3339`);
    else if (endMs === undefined) setProblem(`“${to}” is no time: write 2026-11-23 09:45, RFC 3339, or now`);
    else if (endMs !== 'now' && endMs <= startMs) setProblem('The end has to come after the start');
    else onChoice({ from: timestampText(startMs), to: endMs === 'now' ? 'now' : timestampText(endMs) });
  };
  return (
    <form
      className="absolute"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <TimeField label="From" value={from} onValue={setFrom} />
      <TimeField label="To" value={to} onValue={setTo} />
      {problem !== undefined && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <p className="dim">Local time ({zoneName(range.endMs, undefined)}) unless a zone is written</p>
      <button type="submit" className="primary">
        Apply
      </button>
    </form>
  );
}

function TimeField(props: { label: string; value: string; onValue: (value: string) => void }): ReactElement {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        value={props.value}
        spellCheck={false}
        onChange={(event) => props.onValue(event.target.value)}
      />
    </>
  );
}
