import type { ReactElement } from 'react';
import type { Proof } from '../model/proof.ts';
import { BrandIcon, ThemeIcon } from './icons.tsx';
import { navigate } from './use-address.ts';
import type { Theme } from './use-theme.ts';

interface HeaderProps {
  readonly path: string;
  readonly proof: Proof;
  readonly isReady: boolean | undefined;
  readonly theme: Theme;
  readonly onTheme: () => void;
  readonly onHelp: () => void;
}

const THEME_NAMES = { system: 'as the system', dark: 'dark', light: 'light' } as const;

export function Header({ path, proof, isReady, theme, onTheme, onHelp }: HeaderProps): ReactElement {
  const isSearch = path !== '/sources' && path !== '/dead-letters';
  return (
    <header className="header">
      <NavLink href="/" className="brand" label="Logboom: a new search">
        <BrandIcon />
        <span>Logboom</span>
      </NavLink>
      <nav aria-label="Pages">
        <NavLink href="/" isCurrent={isSearch}>
          Search
        </NavLink>
        <NavLink href="/sources" isCurrent={path === '/sources'}>
          Sources
          <StatusDot isReady={isReady} />
        </NavLink>
        <NavLink href="/dead-letters" isCurrent={path === '/dead-letters'}>
          Dead letters
        </NavLink>
      </nav>
      <span className="grow" />
      <span className={proof.isProblem ? 'proof problem' : 'proof'} title={proof.title}>
        {proof.text}
      </span>
      <button
        type="button"
        className="icon-button"
        onClick={onTheme}
        title={`Theme: ${THEME_NAMES[theme]}`}
        aria-label={`Theme: ${THEME_NAMES[theme]}. Change`}
      >
        <ThemeIcon theme={theme} />
      </button>
      <button
        type="button"
        className="icon-button"
        onClick={onHelp}
        title="Shortcuts (?)"
        aria-label="Keyboard shortcuts"
      >
        ?
      </button>
    </header>
  );
}

function StatusDot({ isReady }: { isReady: boolean | undefined }): ReactElement {
  const [name, words] =
    isReady === undefined
      ? ['unknown', 'not known yet']
      : isReady
        ? ['ok', 'collecting']
        : ['bad', 'waiting'];
  return <span className={`dot ${name}`} role="img" aria-label={words} title={words} />;
}

interface NavLinkProps {
  readonly href: string;
  readonly children: React.ReactNode;
  readonly className?: string;
  readonly label?: string;
  readonly isCurrent?: boolean;
}

/** A real link, so that it opens in a new tab too; a plain click stays within the page. */
function NavLink({ href, children, className, label, isCurrent }: NavLinkProps): ReactElement {
  return (
    <a
      href={href}
      className={className}
      aria-label={label}
      aria-current={isCurrent === true ? 'page' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        navigate(href);
      }}
    >
      {children}
    </a>
  );
}
