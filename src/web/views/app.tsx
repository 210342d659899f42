import { useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useCallback, useState } from 'react';
import { useFailure } from '../failures.ts';
import { DeadLettersPage } from './dead-letters-page.tsx';
import { Header } from './header.tsx';
import { SearchPage } from './search-page.tsx';
import { Shortcuts } from './shortcuts.tsx';
import { SourcesPage } from './sources-page.tsx';
import { LoginForm } from './states.tsx';
import { useAddress } from './use-address.ts';
import { useProof, useReadiness } from './use-status.ts';
import { useTheme } from './use-theme.ts';

/** The whole page: header, what is wrong if anything is, and the page that the address names. */
export function App(): ReactElement {
  const address = useAddress();
  const { theme, nextTheme } = useTheme();
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const readiness = useReadiness();
  const proof = useProof();
  const client = useQueryClient();
  const isLocked = useFailure(client) === 'unauthorized';
  const openHelp = useCallback(() => setIsHelpOpen(true), []);
  const isSearch = address.path !== '/sources' && address.path !== '/dead-letters';
  return (
    <div className="app">
      <Header
        path={address.path}
        proof={proof}
        isReady={readiness?.ready}
        theme={theme}
        onTheme={nextTheme}
        onHelp={openHelp}
      />
      {readiness !== undefined && !readiness.ready && (
        <div className="banner" role="alert">
          {readiness.problems.map(({ part, reason }) => (
            <p key={`${part} ${reason}`}>
              <b>{part}</b> {reason}
            </p>
          ))}
          {readiness.problems.length === 0 && <p>The server is not ready yet.</p>}
        </div>
      )}
      {isLocked && <LoginForm onDone={() => void client.resetQueries()} />}
      {!isLocked && address.path === '/sources' && <SourcesPage />}
      {!isLocked && address.path === '/dead-letters' && <DeadLettersPage />}
      {!isLocked && isSearch && <SearchPage address={address} onHelp={openHelp} />}
      {isHelpOpen && <Shortcuts onClose={() => setIsHelpOpen(false)} />}
    </div>
  );
}
