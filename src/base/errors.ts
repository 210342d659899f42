/**
 * The kinds of error (a fourth, data that cannot be used, is no exception: see `record/drop-reason.ts`).
 *
 *   ConfigError   an operator's mistake, found before anything starts: exit code 100
 *   AppError      an expected failure of the environment, with a code from the table below
 *   BugError      a broken invariant (`assert.ts`): exit code 101
 *
 * There is one class for all expected failures; what differs between codes is data in `ERROR_CODES`.
 */

/** Exit codes, as in s6: a supervisor restarts after 101 and 111, and gives up after 100. */
export const EXIT_CODE = {
  ok: 0,
  discrepancy: 1,
  unknown: 2,
  usage: 100,
  bug: 101,
  environment: 111,
} as const;

interface ErrorFacts {
  /** Whether the same call can succeed later without anybody changing its arguments. */
  readonly retryable: boolean;
  /** HTTP status where the error reaches an API client. */
  readonly status: number;
}

export const ERROR_CODES = {
  aborted: { retryable: false, status: 503 },
  bad_request: { retryable: false, status: 400 },
  not_found: { retryable: false, status: 404 },
  unauthorized: { retryable: false, status: 401 },
  closed: { retryable: false, status: 503 },
  corrupt: { retryable: false, status: 503 },
  disk_full: { retryable: true, status: 503 },
  io_failed: { retryable: true, status: 503 },
  locked: { retryable: false, status: 503 },
  permission_denied: { retryable: true, status: 503 },
  port_in_use: { retryable: false, status: 503 },
  read_only: { retryable: true, status: 503 },
  timed_out: { retryable: true, status: 503 },
  too_busy: { retryable: true, status: 503 },
  unreachable: { retryable: true, status: 503 },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface AppErrorOptions {
  readonly cause?: unknown;
  /** Small facts for the log line; never secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** What the reader can do about it, as a sentence. */
  readonly hint?: string | undefined;
}

/** An expected failure. The message has the form `cannot <verb> <object>`, lower case, no full stop. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status: number;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.status = ERROR_CODES[code].status;
    this.details = options.details ?? {};
    this.hint = options.hint;
  }
}

/** An operator's mistake: which option, what was given, what was expected, and how to mend it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly option: string;
  readonly hint: string | undefined;

  constructor(option: string, message: string, hint?: string) {
    super(`${option}: ${message}`);
    this.option = option;
    this.hint = hint;
  }
}

/** Returns the message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns the system error name (`ENOENT`, …) of anything thrown, or undefined. */
export function systemCodeOf(error: unknown): string | undefined {
  const code: unknown = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Returns the failure of opening `path` as a file that was seen there, when its name has moved to another one since. */
export function movedError(path: string): Error {
  return Object.assign(new Error(`another file is ${path} now`), { code: 'ESTALE' });
}

/** Whether a file was not opened because it no longer has the name by which it was seen. */
export function isMoved(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOENT' || code === 'ESTALE';
}
