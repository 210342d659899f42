/** What a key means on the page, outside of fields in which one types. */
export type KeyCommand =
  | 'focus-query'
  | 'next'
  | 'previous'
  | 'first'
  | 'last'
  | 'page-down'
  | 'page-up'
  | 'toggle'
  | 'close'
  | 'help'
  | 'live'
  | 'wrap';

export interface KeyPress {
  readonly key: string;
  readonly hasModifier: boolean;
}

const COMMANDS: Readonly<Record<string, KeyCommand>> = {
  '/': 'focus-query',
  j: 'next',
  ArrowDown: 'next',
  k: 'previous',
  ArrowUp: 'previous',
  g: 'first',
  Home: 'first',
  G: 'last',
  End: 'last',
  PageDown: 'page-down',
  PageUp: 'page-up',
  Enter: 'toggle',
  Escape: 'close',
  '?': 'help',
  l: 'live',
  w: 'wrap',
};

/** The help that `?` shows: keys and what they do. */
export const SHORTCUTS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['/'], does: 'Go to the query' },
  { keys: ['Enter'], does: 'In the query: search. In the list: open or close a record' },
  { keys: ['↑'], does: 'In the query: earlier queries' },
  { keys: ['j', 'k'], does: 'Next and previous record (arrows too)' },
  { keys: ['g', 'G'], does: 'First and last loaded record' },
  { keys: ['Esc'], does: 'Close what is open' },
  { keys: ['l'], does: 'Live on and off' },
  { keys: ['w'], does: 'Wrap long lines' },
  { keys: ['Shift', 'click'], does: 'On a value at the left: exclude it' },
  { keys: ['?'], does: 'These shortcuts' },
];

/** Returns the command of a key press, or undefined; keys with Ctrl, Alt or Meta belong to the browser. */
export function keyCommand(press: KeyPress): KeyCommand | undefined {
  return press.hasModifier ? undefined : COMMANDS[press.key];
}
