/**
 * The layout of the documents that agents write, one per line, so that hot paths can splice bytes:
 *
 *   {"@timestamp":"2026-11-23T04:30:00.123456789Z","message":"…","stream":"stdout","log":{"offset":123,
 *   "file":{"path":"…"}},"event":{"id":"<20 hex>-<12 hex>"},"kubernetes":{…},…}\n
 *
 * (without the line break after the comma). `@timestamp` always has 30 characters, so the message begins at a
 * fixed place. The string of the message is canonical: only `"`, `\` and control characters are escaped, in their
 * short forms where JSON has one. Members of `log` that not every record has follow `file`, in the order of
 * `LogExtras`. Documents of other shippers need not have this layout and take a slow path.
 */

export const DOCUMENT_HEAD = '{"@timestamp":"';

/** Between the timestamp and the message's text. */
export const MESSAGE_HEAD = '","message":"';

/** Where the timestamp's 30 characters begin. */
export const TIMESTAMP_START = DOCUMENT_HEAD.length;

/** Where the message's text begins. */
export const MESSAGE_START = TIMESTAMP_START + 30 + MESSAGE_HEAD.length;

/** Between the message's text and the stream's name. */
export const STREAM_HEAD = '","stream":"';

/** Between the stream's name and the digits of the offset. */
export const OFFSET_HEAD = '","log":{"offset":';

/** What is odd about a record, as bits; `LOG_FLAG_NAMES` are the values of `log.flags`, by bit. */
export const LOG_FLAG = { partial: 1, truncated: 2, multiline: 4, cr: 8, s6Split: 16, split: 32 } as const;

export const LOG_FLAG_NAMES = ['partial', 'truncated', 'multiline', 'cr', 's6_split', 'split'] as const;

/** Members of `log` that only odd records have. */
export interface LogExtras {
  /** A set of `LOG_FLAG` bits. */
  readonly flags: number;
  /** Bytes of the message before it was cut. */
  readonly originalLength: number | undefined;
  /** Which part of a line that was split this is, from 0. */
  readonly sequence: number | undefined;
  /** Why the line could not be taken apart. */
  readonly parseError: string | undefined;
}

/** Returns the extras as members of `log`, each led by a comma. */
export function logExtrasJson(extras: LogExtras): string {
  let json = '';
  if (extras.flags !== 0) {
    const names = LOG_FLAG_NAMES.filter((_, bit) => (extras.flags & (1 << bit)) !== 0);
    json += `,"flags":${JSON.stringify(names)}`;
  }
  if (extras.originalLength !== undefined) json += `,"original_length":${extras.originalLength}`;
  if (extras.parseError !== undefined) json += `,"parse_error":${JSON.stringify(extras.parseError)}`;
  if (extras.sequence !== undefined) json += `,"sequence":${extras.sequence}`;
  return json;
}

/**
 * Members that say where a record comes from: the same in all documents of a file for long stretches, and the last
 * ones of each.
 */
export const RESOURCE_KEYS: ReadonlySet<string> = new Set([
  'agent',
  'cloud',
  'cluster',
  'container',
  'ecs',
  'host',
  'input',
  'kubernetes',
  'labels',
  'orchestrator',
  'service',
]);
