/** The list's place when there are no records to show, each with what the reader can do about it. */
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { ApiFailure } from '../api-client.ts';
import { login } from '../api-client.ts';
import type { TimePreset } from '../model/search-state.ts';

interface EmptyProps {
  readonly hasQuery: boolean;
  readonly rangeLabel: string;
  readonly wider: TimePreset | undefined;
  readonly onWider: (preset: TimePreset) => void;
  readonly onClear: () => void;
}

export function EmptyState({ hasQuery, rangeLabel, wider, onWider, onClear }: EmptyProps): ReactElement {
  return (
    <div className="notice" role="status">
      <h2>No lines in this range</h2>
      <p>
        {hasQuery ? 'Nothing that was collected matches the query' : 'Nothing was collected'} (
        {rangeLabel.toLowerCase()}).
      </p>
      <p className="remedies">
        {wider !== undefined && (
          <button type="button" onClick={() => onWider(wider)}>
            Search {wider.label.toLowerCase()}
          </button>
        )}
        {hasQuery && (
          <button type="button" onClick={onClear}>
            Clear the query
          </button>
        )}
        <a href="/sources">What is collected</a>
      </p>
    </div>
  );
}

export function FailureState({
  failure,
  onRetry,
}: {
  failure: ApiFailure;
  onRetry: () => void;
}): ReactElement {
  return (
    <div className="notice" role="alert">
      <h2>{failure.kind === 'unreachable' ? 'The server does not answer' : 'This search did not work'}</h2>
      <p>{sentence(failure.message)}</p>
      {failure.hint !== undefined && <p className="dim">{sentence(failure.hint)}</p>}
      {failure.kind !== 'rejected' && (
        <p className="remedies">
          {failure.isRetryable && <span className="dim">Trying again by itself.</span>}
          <button type="button" onClick={onRetry}>
            Try now
          </button>
        </p>
      )}
    </div>
  );
}

export function LoadingState(): ReactElement {
  return (
    <div className="ghost-rows" role="status" aria-label="Searching">
      {Array.from({ length: 24 }, (_, index) => (
        <div key={index} className={`ghost w${index % 5}`} />
      ))}
    </div>
  );
}

/** Asks for the server's token; `onDone` is called once the server has taken it. */
export function LoginForm({ onDone }: { onDone: () => void }): ReactElement {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = async (): Promise<void> => {
    try {
      await login(token);
      onDone();
    } catch (error) {
      setProblem(error instanceof Error ? sentence(error.message) : String(error));
    }
  };
  return (
    <form
      className="notice login"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2>This server asks for its token</h2>
      <p className="dim">
        It stands in the configuration as <code>server.token</code>.
      </p>
      <label htmlFor="token">Token</label>
      <input
        id="token"
        type="password"
        autoComplete="current-password"
        autoFocus
        value={token}
        onChange={(event) => setToken(event.target.value)}
      />
      {problem !== undefined && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="primary" disabled={token === ''}>
        Sign in
      </button>
    </form>
  );
}

/** Makes a message of the server a sentence: it comes in lower case, without a full stop. */
function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
