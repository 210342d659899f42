import type { ReactElement } from 'react';
import { useMemo, useState } from 'react';
import { after, copyText } from '../browser.ts';
import type { Row } from '../model/document.ts';
import { plainMessageOf } from '../model/document.ts';
import type { FieldEntry } from '../model/fields.ts';
import { flattenFields } from '../model/fields.ts';

export interface RecordActions {
  readonly onInclude: (field: string, value: string) => void;
  readonly onExclude: (field: string, value: string) => void;
  /** Returns the address that shows the record to somebody else. */
  readonly linkTo: (row: Row) => string;
}

const COPIED_MS = 1400;
const TABS = ['Fields', 'JSON'] as const;

/** What is known of an open record beside its message. */
export function RecordDetail({ row, actions }: { row: Row; actions: RecordActions }): ReactElement {
  const [tab, setTab] = useState<(typeof TABS)[number]>('Fields');
  return (
    <div className="detail">
      <div className="detail-head">
        <div role="tablist" aria-label="Record">
          {TABS.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={tab === name}
              onClick={() => setTab(name)}
            >
              {name}
            </button>
          ))}
        </div>
        <span className="grow" />
        <CopyButton label="Copy message" text={() => plainMessageOf(row.document)} />
        <CopyButton label="Copy link" text={() => actions.linkTo(row)} />
      </div>
      {tab === 'Fields' ? <Fields row={row} actions={actions} /> : <Json row={row} />}
    </div>
  );
}

function Fields({ row, actions }: { row: Row; actions: RecordActions }): ReactElement {
  const entries = useMemo(() => flattenFields(row.document), [row]);
  return (
    <dl className="fields">
      {entries.map((entry) => (
        <Field key={entry.path} entry={entry} actions={actions} />
      ))}
    </dl>
  );
}

function Field({ entry, actions }: { entry: FieldEntry; actions: RecordActions }): ReactElement {
  const { name, path, value, canFilter } = entry;
  return (
    <div className="field">
      <dt title={path}>{name}</dt>
      <dd>
        <span className="field-value">{value}</span>
        <span className="field-actions">
          {canFilter && (
            <>
              <button
                type="button"
                title={`Only ${name} = ${value}`}
                onClick={() => actions.onInclude(path, value)}
              >
                only
              </button>
              <button
                type="button"
                title={`Without ${name} = ${value}`}
                onClick={() => actions.onExclude(path, value)}
              >
                without
              </button>
            </>
          )}
          <CopyButton label="copy" text={() => value} />
        </span>
      </dd>
    </div>
  );
}

function Json({ row }: { row: Row }): ReactElement {
  const text = useMemo(() => JSON.stringify(row.document, null, 2), [row]);
  return (
    <div className="json">
      <pre tabIndex={0}>{text}</pre>
      <CopyButton label="Copy JSON" text={() => text} />
    </div>
  );
}

function CopyButton({ label, text }: { label: string; text: () => string }): ReactElement {
  const [said, setSaid] = useState<string>();
  const copy = async (): Promise<void> => {
    setSaid((await copyText(text())) ? 'copied' : 'not allowed');
    after(COPIED_MS, () => setSaid(undefined));
  };
  return (
    <button type="button" aria-live="polite" onClick={() => void copy()}>
      {said ?? label}
    </button>
  );
}
