/** Between a path and what is said of its value. */
export const SEPARATOR = '\u007f';

/** Paths that every document has, with one value each, unless it is odd. */
export const ALWAYS_THERE: ReadonlySet<string> = new Set([
  '@timestamp',
  'event',
  'event.id',
  'log',
  'log.offset',
  'message',
]);

/** Long and different in every document: only that it is there is said. */
export const UNREAD_PATHS: ReadonlySet<string> = new Set(['event.original']);
