/**
 * A document that the store refused for a reason of its own (a mapping conflict, a limit, a parse error), kept as it
 * came from the transport, so that a replay runs the current pipelines over it (G7).
 *
 * `id` names one document for ever: its record id, or for a document without one a hash of its bytes. A letter that
 * is sent again replaces the earlier one of the same id, and a removal takes both away.
 */
export interface DeadLetter {
  readonly id: string;
  /** File id and `log.offset` of the record: what `logboom audit` counts by. */
  readonly fileId: string;
  readonly offset: number;
  readonly lane: number;
  /** When it was given up, RFC 3339 in UTC. */
  readonly time: string;
  /** The document as it came from the transport: text that need not be JSON, invalid UTF-8 replaced. */
  readonly document: string;
  readonly error: DeadLetterError;
  /** Index that it was meant for; undefined when it was given up before that was known. */
  readonly index: string | undefined;
  /** Where it stood on the transport. */
  readonly source:
    | { readonly topic: string; readonly partition: number; readonly offset: string }
    | undefined;
  /** How often it was given up: 1 at first, more after replays that failed. */
  readonly attempts: number;
}

export interface DeadLetterError {
  /** Stable word to group by: the store's own type (`mapper_parsing_exception`) or one of Logboom's (`not_json`). */
  readonly type: string;
  /** What the store said of this document. */
  readonly reason: string;
}

/** What became of a letter in a replay. */
export interface ReplayOutcome {
  readonly id: string;
  /** `refused` ones stay among the dead letters, with the new error. */
  readonly result: 'stored' | 'dropped' | 'refused';
  /** Why it was refused. */
  readonly error: DeadLetterError | undefined;
}

const DISCARDED = 'discarded';

/**
 * Returns what is kept of a letter that a person discarded or a pipeline dropped in a replay: enough for the audit,
 * which would call the record missing otherwise.
 */
export function toDiscarded(letter: DeadLetter, reason: string): DeadLetter {
  return { ...letter, document: '', index: undefined, source: undefined, error: { type: DISCARDED, reason } };
}

/** Whether a letter only says that there was one. */
export function isDiscarded({ error, document }: DeadLetter): boolean {
  return error.type === DISCARDED && document === '';
}
