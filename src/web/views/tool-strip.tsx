import type { ReactElement } from 'react';
import type { LiveState } from '../model/live-state.ts';
import { countText, plural } from '../model/number-text.ts';

interface ToolStripProps {
  readonly live: LiveState;
  readonly loadedCount: number;
  /** Why the records of a changed search are not here yet. */
  readonly problem: string | undefined;
  readonly exportHref: string;
  readonly isWrapping: boolean;
  readonly onWrap: () => void;
}

/** The quiet line over the list: how much of it is here, and how it is drawn. */
export function ToolStrip(props: ToolStripProps): ReactElement {
  const { live, loadedCount, problem, exportHref, isWrapping, onWrap } = props;
  return (
    <div className="tools">
      <span className="tools-state" role="status">
        {problem ?? (live.connection === 'off' ? loadedWords(loadedCount) : liveWords(live))}
      </span>
      <span className="grow" />
      <button type="button" aria-pressed={isWrapping} onClick={onWrap} title="Show long lines whole (w)">
        Wrap
      </button>
      <a href={exportHref} download title="Every match of this search, as NDJSON">
        Export
      </a>
    </div>
  );
}

function loadedWords(count: number): string {
  return count === 0 ? '' : `${plural(count, 'line')} loaded, newest first`;
}

function liveWords(live: LiveState): string {
  const skipped =
    live.skipped === 0
      ? ''
      : ` · ${plural(live.skipped, 'line')} skipped, too fast to show; Search finds them`;
  switch (live.connection) {
    case 'connecting':
      return 'Live · connecting…';
    case 'reconnecting':
      return `Live · connection lost, trying again…${skipped}`;
    default:
      return `Live · ${countText(live.received)} new${live.isPaused ? ' · paused while you read' : ''}${skipped}`;
  }
}

/** Brings the reader back to the top, where new records wait. */
export function WaitingButton({ count, onClick }: { count: number; onClick: () => void }): ReactElement {
  return (
    <button type="button" className="waiting" onClick={onClick}>
      ↑ {plural(count, 'new line')}
    </button>
  );
}
