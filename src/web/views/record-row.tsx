import type { ReactElement } from 'react';
import { memo } from 'react';
import { hasSelectedText } from '../browser.ts';
import type { ClockStyle } from '../model/clock-text.ts';
import { rowTimeText } from '../model/clock-text.ts';
import type { Row } from '../model/document.ts';
import { messageOf } from '../model/document.ts';
import { hueOf } from '../model/hue.ts';
import { levelClass } from '../model/level.ts';
import { countText } from '../model/number-text.ts';
import type { Highlighter } from '../model/message-marks.ts';
import { MessageText } from './message-text.tsx';
import type { RecordActions } from './record-detail.tsx';
import { RecordDetail } from './record-detail.tsx';

export interface RecordRowProps {
  readonly row: Row;
  readonly index: number;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  readonly clock: ClockStyle;
  readonly highlighter: Highlighter;
  readonly actions: RecordActions;
  readonly onToggle: (id: string, index: number) => void;
}

/** An open record shows this much of its message; Copy takes all of it. */
const MESSAGE_CHARS_MAX = 20_000;

/** One record: a line of the list, or, when open, its whole message and what else is known of it. */
export const RecordRow = memo(function RecordRow(props: RecordRowProps): ReactElement {
  const { row, index, isOpen, isSelected, clock, highlighter } = props;
  const level = levelClass(row.level);
  return (
    <div
      id={`row-${index}`}
      role="row"
      aria-rowindex={index + 1}
      aria-expanded={isOpen}
      aria-selected={isSelected}
      className={`row level-${level}${isOpen ? ' open' : ''}${isSelected ? ' selected' : ''}`}
    >
      <div
        className="line"
        onClick={() => {
          if (!hasSelectedText()) props.onToggle(row.id, index);
        }}
      >
        <time role="gridcell" dateTime={row.timestamp} title={row.timestamp}>
          {rowTimeText(row.timeMs, clock)}
        </time>
        <span role="gridcell" className="level">
          {row.level}
        </span>
        <Source row={row} />
        <div role="gridcell" className="message">
          {isOpen ? (
            <WholeMessage row={row} highlighter={highlighter} />
          ) : (
            <FirstLine row={row} highlighter={highlighter} />
          )}
        </div>
      </div>
      {isOpen && <RecordDetail row={row} actions={props.actions} />}
    </div>
  );
});

function Source({ row }: { row: Row }): ReactElement {
  return (
    <span
      role="gridcell"
      className="source"
      title={row.namespace === '' ? row.name : `${row.namespace}/${row.name}`}
    >
      {row.name !== '' && (
        <i className="source-dot" style={{ '--hue': hueOf(`${row.namespace}/${row.name}`) }} />
      )}
      {row.namespace !== '' && (
        <>
          {row.namespace}
          <s>/</s>
        </>
      )}
      {row.name}
    </span>
  );
}

function FirstLine({ row, highlighter }: { row: Row; highlighter: Highlighter }): ReactElement {
  return (
    <>
      <span className="first-line">
        <MessageText text={row.firstLine} highlighter={highlighter} />
        {row.isCut && <span className="dim">…</span>}
      </span>
      {row.moreLines > 0 && (
        <span className="fold">
          +{row.moreLines} {row.moreLines === 1 ? 'line' : 'lines'}
        </span>
      )}
    </>
  );
}

function WholeMessage({ row, highlighter }: { row: Row; highlighter: Highlighter }): ReactElement {
  const message = messageOf(row.document);
  const cutChars = message.length - MESSAGE_CHARS_MAX;
  return (
    <>
      <MessageText text={message.slice(0, MESSAGE_CHARS_MAX)} highlighter={highlighter} />
      {cutChars > 0 && (
        <span className="dim"> … {countText(cutChars)} more characters; Copy message takes all</span>
      )}
    </>
  );
}
