/** Reads what `logrotate -v` says, as logrotate 3.8 to 3.22 word it. */
export interface LogrotateReport {
  /** Files that were rotated, and what they were rotated to. */
  readonly rotated: readonly { readonly path: string; readonly to: string; readonly isCopied: boolean }[];
  /** Files that were looked at and left alone, with the reason that logrotate gives. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly errors: readonly string[];
}

/** Errors kept of one run; all of them are counted. */
const ERRORS_MAX = 100;

/** Returns what happened, in order. */
export function parseLogrotateOutput(output: string): LogrotateReport {
  const rotated: { path: string; to: string; isCopied: boolean }[] = [];
  const skipped: { path: string; reason: string }[] = [];
  const errors: string[] = [];
  // All files of a configuration are considered before the first one is rotated.
  const begun = new Set<string>();
  let considered = '';
  for (const line of output.split('\n')) {
    const considering = /^considering log (.+)$/.exec(line);
    const rotating = /^rotating log (.+), log->rotateCount is -?\d+$/.exec(line);
    const moved = /^(renaming|copying) (.+) to (.+)$/.exec(line);
    const left = /^ {2}log does not need rotating(?: \((.*)\))?/.exec(line);
    const missing = /^ {2}log (.+) does not exist -- skipping/.exec(line);
    const error = /^(?:\S+: )?error: (.+)$/.exec(line);
    if (considering?.[1] !== undefined) considered = considering[1];
    else if (rotating?.[1] !== undefined) begun.add(rotating[1]);
    else if (moved?.[2] !== undefined && moved[3] !== undefined && begun.has(moved[2])) {
      rotated.push({ path: moved[2], to: moved[3], isCopied: moved[1] === 'copying' });
    } else if (left !== null) skipped.push({ path: considered, reason: left[1] ?? 'not due' });
    else if (missing?.[1] !== undefined) skipped.push({ path: missing[1], reason: 'it does not exist' });
    else if (error?.[1] !== undefined && errors.length < ERRORS_MAX) errors.push(error[1]);
  }
  return { rotated, skipped, errors };
}

/** Returns what to do about an error of logrotate's, as a sentence; undefined where nobody can say. */
export function logrotateHint(error: string): string | undefined {
  if (error.includes('insecure permissions')) {
    return 'Give the policy `su: "USER GROUP"` with the owner of the directory.';
  }
  if (error.includes('already locked'))
    return 'Another logrotate has the same state file; it goes on after it.';
  if (/No space left/.test(error)) return 'Free some space: copytruncate needs room for a whole copy.';
  if (/Permission denied/.test(error)) return 'Run the agent as root, or give the policy `su`.';
  return undefined;
}
