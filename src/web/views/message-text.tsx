import type { ReactElement } from 'react';
import { memo } from 'react';
import { parseAnsi } from '../model/ansi.ts';
import { messageSegments } from '../model/message-segments.ts';
import type { Highlighter } from '../model/message-marks.ts';
import { marksOf } from '../model/message-marks.ts';

/** A message with the colours its program gave it, and marks where the query matches. */
export const MessageText = memo(function MessageText(props: {
  text: string;
  highlighter: Highlighter;
}): ReactElement {
  const { text, styles } = parseAnsi(props.text);
  const marks = marksOf(text, props.highlighter);
  if (styles.length === 0 && marks.length === 0) return <>{text}</>;
  const segments = messageSegments(text, styles, marks);
  return (
    <>
      {segments.map((segment, index) => {
        const color = segment.color === undefined ? '' : `ansi-${segment.color}`;
        const className = `${color}${segment.isBold ? ' bold' : ''}`;
        if (segment.isMarked) {
          return (
            <mark key={index} className={className}>
              {segment.text}
            </mark>
          );
        }
        return className === '' ? (
          segment.text
        ) : (
          <span key={index} className={className}>
            {segment.text}
          </span>
        );
      })}
    </>
  );
});
