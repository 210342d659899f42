import type { ReactElement } from 'react';
import type { AgentStatus, SourceStatus, StatsAnswer } from '../../api/api-types.ts';
import { localText } from '../model/clock-text.ts';
import { bytesText, countText, plural } from '../model/number-text.ts';
import { toggleValue } from '../model/query-edit.ts';
import { formatSearchState, SEARCH_STATE_DEFAULT } from '../model/search-state.ts';
import { timestampMs } from '../model/timestamp.ts';
import { useSources, useStats } from './use-status.ts';

const STATE_WORDS = { collecting: 'collecting', waiting: 'waiting', failed: 'failed' } as const;

/** What is collected, from where, and what the store holds of it. */
export function SourcesPage(): ReactElement {
  const sources = useSources();
  const stats = useStats(true);
  const list = sources.data?.sources;
  const agents = stats.data?.agents ?? [];
  return (
    <main className="page">
      <h1>Sources</h1>
      {list === undefined && <p className="dim">{sources.error?.message ?? 'Asking…'}</p>}
      {list?.length === 0 && (
        <p className="dim">
          {agents.length === 0
            ? 'No agent collects for this server right now.'
            : 'Agents elsewhere collect for this server.'}
        </p>
      )}
      {list !== undefined && list.length > 0 && <SourceTable sources={list} />}
      {agents.length > 0 && <Agents agents={agents} />}
      <h2>Store</h2>
      {stats.data === undefined ? <p className="dim">Asking…</p> : <StoreFigures stats={stats.data} />}
    </main>
  );
}

function SourceTable({ sources }: { sources: readonly SourceStatus[] }): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Source</th>
          <th scope="col">Place</th>
          <th scope="col">State</th>
          <th scope="col" className="number">
            Files
          </th>
          <th scope="col" className="number">
            Lag
          </th>
        </tr>
      </thead>
      <tbody>
        {sources.map((source) => (
          <tr key={source.name}>
            <td>
              {source.kind}{' '}
              {source.name !== `${source.kind} ${source.place}` && source.name !== source.kind && (
                <span className="dim">{source.name}</span>
              )}
            </td>
            <td className="mono">{source.place}</td>
            <td>
              <span className={`dot ${DOT[source.state]}`} aria-hidden="true" /> {STATE_WORDS[source.state]}
              {source.reason !== undefined && <p className="dim">{source.reason}</p>}
            </td>
            <td className="number">{countText(source.files)}</td>
            <td className="number">{bytesText(source.lagBytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Agents that the store has heard of, silent ones first. */
function Agents({ agents }: { agents: readonly AgentStatus[] }): ReactElement {
  return (
    <>
      <h2>Agents</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col">Spoke last</th>
            <th scope="col" className="number">
              Files
            </th>
            <th scope="col" className="number">
              Undelivered then
            </th>
            <th scope="col">Version</th>
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <tr key={`${agent.cluster} ${agent.node}`}>
              <td className="mono">{agent.node}</td>
              <td>
                <span className={`dot ${AGENT_DOT[agent.state]}`} aria-hidden="true" /> {agent.state}
                {agent.state === 'silent' && (
                  <p className="dim">
                    Start it again, or <code>logboom audit forget {agent.node}</code> when the node is gone.
                  </p>
                )}
              </td>
              <td>{spokenText(agent.saidAt)}</td>
              <td className="number">{countText(agent.files)}</td>
              <td className="number">{bytesText(agent.unreadBytes + agent.unacknowledgedBytes)}</td>
              <td>{agent.version}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const AGENT_DOT = { running: 'ok', silent: 'bad', stopped: 'unknown', gone: 'unknown' } as const;

function spokenText(time: string): string {
  const ms = timestampMs(time);
  return ms === undefined ? time : localText(Math.floor(ms / 1000) * 1000, undefined);
}

const DOT = { collecting: 'ok', waiting: 'unknown', failed: 'bad' } as const;

function StoreFigures({ stats }: { stats: StatsAnswer }): ReactElement {
  const oldestMs = stats.oldest === null ? undefined : timestampMs(stats.oldest);
  return (
    <>
      <p>
        {plural(stats.records, 'line')} in {bytesText(stats.bytesOnDisk)}
        {oldestMs !== undefined &&
          `, the oldest of ${localText(Math.floor(oldestMs / 1000) * 1000, undefined)}`}
      </p>
      {stats.namespaces.length > 0 && (
        <table className="narrow">
          <thead>
            <tr>
              <th scope="col">Namespace</th>
              <th scope="col" className="number">
                Lines
              </th>
            </tr>
          </thead>
          <tbody>
            {stats.namespaces.map(({ namespace, records }) => (
              <tr key={namespace}>
                <td>
                  {namespace === '' ? (
                    <span className="dim">none</span>
                  ) : (
                    <NamespaceLink namespace={namespace} />
                  )}
                </td>
                <td className="number">{countText(records)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {stats.quarantined.map(({ path, reason }) => (
        <p key={path} className="problem">
          Set aside because it cannot be read: <span className="mono">{path}</span> ({reason})
        </p>
      ))}
    </>
  );
}

function NamespaceLink({ namespace }: { namespace: string }): ReactElement {
  const query = toggleValue('', 'namespace', namespace);
  return <a href={`/${formatSearchState({ ...SEARCH_STATE_DEFAULT, query })}`}>{namespace}</a>;
}
