import type { RefObject } from 'react';
import { useCallback, useState } from 'react';
import type { Row } from '../model/document.ts';
import type { KeyCommand } from '../model/key-command.ts';
import type { RecordListHandle } from './record-list.tsx';
import { useKeys } from './use-keys.ts';

interface SelectionOptions {
  readonly rows: readonly Row[];
  readonly listRef: RefObject<RecordListHandle | null>;
  readonly inputRef: RefObject<HTMLTextAreaElement | null>;
  readonly openId: string | undefined;
  readonly onOpen: (id: string | undefined) => void;
  readonly onOther: (command: KeyCommand) => void;
}

/** The record that the keyboard stands on; it stays the same record while lines arrive above it. */
export function useSelection(options: SelectionOptions): { index: number; toggle: (id: string) => void } {
  const { rows, listRef, inputRef, openId, onOpen } = options;
  const [selectedId, setSelectedId] = useState<string>();
  const index = selectedId === undefined ? -1 : rows.findIndex(({ id }) => id === selectedId);
  const toggle = useCallback(
    (id: string) => {
      setSelectedId(id);
      onOpen(id === openId ? undefined : id);
    },
    [openId, onOpen],
  );
  const moveTo = (target: number): boolean => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, target))];
    if (row === undefined) return false;
    setSelectedId(row.id);
    listRef.current?.scrollToIndex(rows.indexOf(row));
    return true;
  };
  const page = (): number => listRef.current?.pageRows() ?? 1;
  useKeys((command) => {
    switch (command) {
      case 'focus-query':
        inputRef.current?.focus();
        inputRef.current?.select();
        return true;
      case 'next':
        return moveTo(index + 1);
      case 'previous':
        return moveTo(index - 1);
      case 'first':
        return moveTo(0);
      case 'last':
        return moveTo(rows.length - 1);
      case 'page-down':
        return moveTo(index + page());
      case 'page-up':
        return moveTo(index - page());
      case 'toggle':
        if (selectedId !== undefined && index >= 0) toggle(selectedId);
        return index >= 0;
      case 'close':
        if (openId !== undefined) onOpen(undefined);
        else setSelectedId(undefined);
        return true;
      case 'help':
      case 'live':
      case 'wrap':
        options.onOther(command);
        return true;
    }
  });
  return { index, toggle };
}
