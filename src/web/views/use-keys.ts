import { useEffect, useRef } from 'react';
import { isTyping } from '../browser.ts';
import type { KeyCommand } from '../model/key-command.ts';
import { keyCommand } from '../model/key-command.ts';

/**
 * Calls `onCommand` for the page's keys, except in fields and dialogs. Enter on a focused button or link stays the
 * browser's. `onCommand` says whether it used the key.
 */
export function useKeys(onCommand: (command: KeyCommand) => boolean): void {
  const latest = useRef(onCommand);
  useEffect(() => {
    latest.current = onCommand;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const isOnControl = event.target instanceof HTMLElement && event.target.closest('button, a') !== null;
      if (event.key === 'Enter' && isOnControl) return;
      const command = keyCommand({
        key: event.key,
        hasModifier: event.ctrlKey || event.altKey || event.metaKey,
      });
      if (command !== undefined && latest.current(command)) event.preventDefault();
    };
    addEventListener('keydown', onKeyDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
    };
  }, []);
}
