/**
 * The only wrappers over the browser's clock, timers, storage, clipboard and address: the rest of the page receives
 * values, which is what keeps model/ testable without a browser.
 */

/** Returns milliseconds since the epoch, by this machine's clock. */
export function nowMs(): number {
  return Date.now();
}

/** Returns a clock for measuring spans, in milliseconds. */
export function monotonicMs(): number {
  return performance.now();
}

/** Calls `run` once after `delayMs`; the returned function cancels it. */
export function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => {
    clearTimeout(timer);
  };
}

/** Returns a stored text, or null when there is none or storage is forbidden. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(`logboom.${key}`);
  } catch {
    return null;
  }
}

/** Stores a text, or removes it; where storage is forbidden nothing happens, and the page works on. */
export function writeStored(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`logboom.${key}`);
    else localStorage.setItem(`logboom.${key}`, value);
  } catch {
    // Forbidden or full: the choice holds until the page is left.
  }
}

/** Copies a text; false when the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughField(text);
  }
}

/** The clipboard interface exists only on secure origins; a page on a plain address of the network has this way. */
function copyThroughField(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'offscreen';
  document.body.append(field);
  field.select();
  const hasCopied = document.execCommand('copy');
  field.remove();
  return hasCopied;
}

/** Says whether the event came out of a field in which one types. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
  );
}

/** Says whether a person has just selected text, so that the click that ended the selection does nothing else. */
export function hasSelectedText(): boolean {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed;
}
