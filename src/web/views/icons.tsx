import type { ReactElement } from 'react';

/** Three logs on a river. */
export function BrandIcon(): ReactElement {
  return (
    <svg className="brand-icon" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <path
        d="M2 15.2c3-3 6-3 10 0s7 3 10 0"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.4"
        strokeLinecap="round"
      />
      <circle cx="6" cy="9" r="2.6" />
      <circle cx="12" cy="10.4" r="2.6" />
      <circle cx="18" cy="9" r="2.6" />
    </svg>
  );
}

export function ThemeIcon({ theme }: { theme: 'system' | 'dark' | 'light' }): ReactElement {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle
        cx="8"
        cy="8"
        r="5.4"
        fill={theme === 'dark' ? 'currentColor' : 'none'}
        stroke="currentColor"
        strokeWidth="1.4"
      />
      {theme === 'system' && <path d="M8 2.6a5.4 5.4 0 0 0 0 10.8z" fill="currentColor" />}
      {theme === 'light' && <circle cx="8" cy="8" r="1.8" fill="currentColor" />}
    </svg>
  );
}
