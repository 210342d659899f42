import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type {
  DeadLetterAnswer,
  DeadLetterGroup,
  DeadLetterListAnswer,
  DeadLettersAnswer,
  DeadLetterSelection,
} from '../../api/api-types.ts';
import { ApiFailure, discardDeadLetters, fetchResource, replayDeadLetters } from '../api-client.ts';
import { localText } from '../model/clock-text.ts';
import { listFilterOf, prettyDocument, progressText, selectionOf } from '../model/dead-letters.ts';
import { countText, plural } from '../model/number-text.ts';
import { timestampMs } from '../model/timestamp.ts';

const KEY = 'dead-letters';

/** What the store refused: by error, letter by letter, with what can be done about it. */
export function DeadLettersPage(): ReactElement {
  const groups = useQuery({
    queryKey: [KEY],
    queryFn: ({ signal }) => fetchResource<DeadLettersAnswer>('/dead-letters', signal),
  });
  const [open, setOpen] = useState<DeadLetterGroup>();
  const [query, setQuery] = useState('');
  const { data } = groups;
  return (
    <main className="page">
      <h1>Dead letters</h1>
      <p className="dim">
        Documents that the store refused for a reason of their own. They wait here for you.
      </p>
      {data === undefined && <p className="dim">{groups.error?.message ?? 'Asking…'}</p>}
      {data?.letters === 0 && <p role="status">None: the store has everything that was delivered.</p>}
      {data !== undefined && data.letters > 0 && (
        <>
          <Actions selection={{ all: true }} count={data.letters} />
          <QuerySelection onSelect={setQuery} />
          <GroupTable groups={data.groups} open={open} onOpen={setOpen} />
        </>
      )}
      {data !== undefined && data.discarded > 0 && (
        <p className="dim">{plural(data.discarded, 'earlier letter')} discarded, or dropped by pipelines.</p>
      )}
      {query !== '' && <Letters key={query} title={query} selection={{ query }} />}
      {open !== undefined && (
        <Letters
          key={open.id ?? open.type}
          title={open.type}
          reason={open.reason}
          selection={selectionOf(open)}
        />
      )}
    </main>
  );
}

/** Selects letters of any group by what their documents hold. */
function QuerySelection({ onSelect }: { readonly onSelect: (query: string) => void }): ReactElement {
  const [text, setText] = useState('');
  return (
    <form
      className="remedies"
      onSubmit={(event) => {
        event.preventDefault();
        onSelect(text.trim());
      }}
    >
      <input
        type="search"
        className="mono"
        aria-label="Query over the documents"
        placeholder="namespace:shop error"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit">Select</button>
    </form>
  );
}

interface GroupTableProps {
  readonly groups: readonly DeadLetterGroup[];
  readonly open: DeadLetterGroup | undefined;
  readonly onOpen: (group: DeadLetterGroup | undefined) => void;
}

function GroupTable({ groups, open, onOpen }: GroupTableProps): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col" className="number">
            Letters
          </th>
          <th scope="col">Error</th>
          <th scope="col">Index</th>
          <th scope="col">First</th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => {
          const isOpen = open !== undefined && open.id === group.id;
          return (
            <tr key={group.id ?? group.type}>
              <td className="number">{countText(group.count)}</td>
              <td>
                <button
                  type="button"
                  className="link"
                  aria-expanded={isOpen}
                  onClick={() => onOpen(isOpen ? undefined : group)}
                >
                  {group.type}
                </button>
                <p className="dim">{group.reason === '' ? group.example.reason : group.reason}</p>
              </td>
              <td className="mono">{group.index ?? <span className="dim">none</span>}</td>
              <td>{timeText(group.first)}</td>
              <td>{timeText(group.last)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

interface LettersProps {
  readonly title: string;
  readonly reason?: string;
  readonly selection: DeadLetterSelection;
}

/** The newest letters of a selection, and what can be done to all of them. */
function Letters({ title, reason, selection }: LettersProps): ReactElement {
  const list = useQuery({
    queryKey: [KEY, selection],
    queryFn: ({ signal }) =>
      fetchResource<DeadLetterListAnswer>('/dead-letters/list', signal, listFilterOf(selection)),
  });
  const [id, setId] = useState<string>();
  const { letters, matched = 0 } = list.data ?? {};
  return (
    <section aria-label={`Letters with ${title}`}>
      <h2>{title}</h2>
      {reason !== undefined && <p className="dim">{reason}</p>}
      {letters !== undefined && <Actions selection={selection} count={matched} />}
      {letters === undefined && <p className="dim">{list.error?.message ?? 'Asking…'}</p>}
      {letters !== undefined && matched === 0 && <p role="status">None fits.</p>}
      {letters !== undefined && letters.length < matched && (
        <p className="dim">The newest {countText(letters.length)}:</p>
      )}
      <ul className="letters">
        {letters?.map((letter) => (
          <li key={letter.id}>
            <button
              type="button"
              className="link mono"
              aria-expanded={letter.id === id}
              onClick={() => setId(letter.id === id ? undefined : letter.id)}
            >
              {letter.id}
            </button>{' '}
            <span className="dim">
              {timeText(letter.time)}
              {letter.attempts > 1 && `, given up ${letter.attempts} times`}
            </span>
            {letter.id === id && <LetterDetail id={letter.id} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function LetterDetail({ id }: { id: string }): ReactElement {
  const letter = useQuery({
    // Apart from the lists: a letter never changes, and is not asked for again when it may be gone.
    queryKey: ['dead-letter', id],
    staleTime: Infinity,
    queryFn: ({ signal }) =>
      fetchResource<DeadLetterAnswer>(`/dead-letters/letters/${encodeURIComponent(id)}`, signal),
  });
  const { data } = letter;
  if (data === undefined) return <p className="dim">{letter.error?.message ?? 'Asking…'}</p>;
  const { source, error, document } = data;
  return (
    <div className="letter">
      <p>{error.reason}</p>
      {source !== null && (
        <p className="dim">
          From {source.topic}, partition {source.partition}, offset {source.offset}
        </p>
      )}
      <pre className="mono">{prettyDocument(document)}</pre>
      <Actions selection={{ ids: [id] }} count={1} />
    </div>
  );
}

interface ActionsProps {
  readonly selection: DeadLetterSelection;
  readonly count: number;
}

/** Replay, and discard after a second click. */
function Actions({ selection, count }: ActionsProps): ReactElement {
  const client = useQueryClient();
  const [isBusy, setIsBusy] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const [outcome, setOutcome] = useState('');
  const run = async (action: () => Promise<string>): Promise<void> => {
    setIsBusy(true);
    setIsAsking(false);
    try {
      setOutcome(await action());
    } catch (error) {
      setOutcome(error instanceof ApiFailure ? failureText(error) : String(error));
    }
    setIsBusy(false);
    await client.invalidateQueries({ queryKey: [KEY] });
  };
  const replay = async (): Promise<string> =>
    progressText(await replayDeadLetters(selection, (progress) => setOutcome(progressText(progress))));
  const discard = async (): Promise<string> =>
    `${plural((await discardDeadLetters(selection)).discarded, 'letter')} discarded`;
  return (
    <div className="remedies">
      {count > 0 && (
        <button type="button" disabled={isBusy} onClick={() => void run(replay)}>
          Replay {count === 1 ? 'it' : countText(count)}
        </button>
      )}
      {count > 0 && !isAsking && (
        <button type="button" disabled={isBusy} onClick={() => setIsAsking(true)}>
          Discard…
        </button>
      )}
      {isAsking && (
        <>
          <button type="button" className="problem" onClick={() => void run(discard)}>
            Discard {plural(count, 'letter')} for good
          </button>
          <button type="button" onClick={() => setIsAsking(false)}>
            Keep
          </button>
        </>
      )}
      <span role="status">{outcome}</span>
    </div>
  );
}

function failureText({ message, hint }: ApiFailure): string {
  return hint === undefined ? message : `${message} ${hint}`;
}

function timeText(time: string): string {
  const ms = timestampMs(time);
  return ms === undefined ? time : localText(Math.floor(ms / 1000) * 1000, undefined);
}
