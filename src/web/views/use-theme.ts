import { useCallback, useState } from 'react';
import { readStored, writeStored } from '../browser.ts';

export type Theme = 'system' | 'dark' | 'light';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'dark', dark: 'light', light: 'system' };

/** The theme that was chosen, and the step to the next one; `system` follows the machine. */
export function useTheme(): { theme: Theme; nextTheme: () => void } {
  const [theme, setTheme] = useState<Theme>(() => {
    const stored = readStored('theme');
    return stored === 'dark' || stored === 'light' ? stored : 'system';
  });
  const nextTheme = useCallback(() => {
    const next = NEXT[theme];
    if (next === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
    writeStored('theme', next === 'system' ? undefined : next);
    setTheme(next);
  }, [theme]);
  return { theme, nextTheme };
}
