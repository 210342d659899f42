/**
 * What the HTTP API takes and gives, shared with its clients, the command line and the page. Paths and members are
 * stable: extend them, do not rename them.
 */

export const API_PREFIX = '/api/v1';

export const SEARCH_LIMIT_DEFAULT = 100;
export const SEARCH_LIMIT_MAX = 1_000;
export const BUCKETS_DEFAULT = 60;
export const BUCKETS_MAX = 500;

/** Where a search starts that names no time. */
export const START_DEFAULT = 'now-1h';

/** Longest time in milliseconds that one request lets an audit look again. */
export const AUDIT_WAIT_MS_MAX = 600_000;

/** Longest body of an import in bytes. */
export const IMPORT_BODY_BYTES_MAX = 32 * 1024 * 1024;

/** A document in the Elastic Common Schema; docs/formats/document.md names its members. */
export type ApiDocument = Readonly<Record<string, unknown>>;

/** Body of every answer that is no success. */
export interface ApiErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    /** What the reader can do about it. */
    readonly hint?: string | undefined;
  };
}

/** GET /api/v1/search */
export interface SearchAnswer {
  readonly records: readonly ApiDocument[];
  /** Gives the next page; null at the end. */
  readonly cursor: string | null;
}

/** GET /api/v1/histogram */
export interface HistogramAnswer {
  readonly buckets: readonly {
    /** RFC 3339, UTC, nine digits: where the bucket starts. */
    readonly time: string;
    readonly count: number;
    readonly by?: Readonly<Record<string, number>> | undefined;
  }[];
}

/** Events of GET /api/v1/tail; the data of `message` is a document, that of `skipped` this. */
export interface TailSkipped {
  /** Documents that were left out, because the client read too slowly. */
  readonly skipped: number;
}

/** What an agent said of itself when it spoke last. */
export interface AgentStatus {
  readonly node: string;
  readonly cluster: string;
  readonly version: string;
  /**
   * `silent`: nobody has heard of it for three of its intervals, or it stopped with bytes that it had not delivered.
   * `stopped`: in good order, with everything delivered. `gone`: silent or stopped for so long that it is no news.
   */
  readonly state: 'running' | 'silent' | 'stopped' | 'gone';
  /** When it spoke last, by its own clock. */
  readonly saidAt: string;
  readonly files: number;
  readonly unreadBytes: number;
  /** Bytes that it had read, and that were in no acknowledged record. */
  readonly unacknowledgedBytes: number;
  /** Since when the oldest of both had waited, at least; null when there were none. */
  readonly oldestUnread: string | null;
  /** Files and directories that it could not look into; absent from earlier servers. */
  readonly unreadable?: number;
  /** The first of them, with the reason and the remedy; null when there are none. */
  readonly firstUnreadable?: string | null;
}

/** Agents that one answer names at most. */
export const AGENTS_LIMIT_MAX = 1_000;

/** POST /api/v1/agents/forget */
export interface ForgetAnswer {
  readonly forgotten: number;
}

/** GET /api/v1/stats */
export interface StatsAnswer {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly records: number;
  readonly bytesOnDisk: number;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly namespaces: readonly { readonly namespace: string; readonly records: number }[];
  readonly quarantined: readonly { readonly path: string; readonly reason: string }[];
  /** Clients that follow live. */
  readonly tails: number;
  /** Agents that were heard of, silent ones first. */
  readonly agents: readonly AgentStatus[];
}

/** One source of an agent. */
export interface SourceStatus {
  readonly name: string;
  readonly kind: string;
  /** The root or the globs. */
  readonly place: string;
  readonly state: 'collecting' | 'waiting' | 'failed';
  /** Why it waits or fails, and what helps. */
  readonly reason?: string | undefined;
  readonly files: number;
  /** Bytes written and not yet acknowledged. */
  readonly lagBytes: number;
}

/** GET /api/v1/sources */
export interface SourcesAnswer {
  readonly sources: readonly SourceStatus[];
}

export type AuditVerdict = 'accounted' | 'discrepancy' | 'unknown';

export interface AuditFigures {
  readonly files: number;
  readonly bytesWritten: number;
  /** Records that the agents delivered and the transport acknowledged. */
  readonly records: number;
  /** Bytes written that are not acknowledged yet. */
  readonly lagBytes: number;
  /** Of these, bytes of last lines that wait for their ends. */
  readonly unfinishedBytes: number;
  /** Records delivered and not found. */
  readonly missing: number;
  /** Records found a second time. */
  readonly twice: number;
  /** By a pipeline, or by a person among the dead letters. */
  readonly droppedByPipeline: number;
  /** Records that the store refused and that wait for a replay. */
  readonly deadLettered: number;
  readonly expired: number;
  /** Of these: deleted by somebody before the store's own retention would have. */
  readonly expiredEarly: number;
  /** Bytes that are in no record, by reason. */
  readonly droppedBytes: Readonly<Record<string, number>>;
  /** What was odd about the records, by kind: cut lines, invalid UTF-8, and so on. */
  readonly flaws: Readonly<Record<string, number>>;
  /** Places where bytes were lost, or may have been. */
  readonly possibleLoss: number;
  readonly possibleLossBytes: number;
  /** Places of which nobody knows where the loss ended: their bytes are not in `possibleLossBytes`. */
  readonly possibleLossUnsized: number;
}

export interface AuditRow extends AuditFigures {
  readonly namespace: string | null;
  readonly pod: string | null;
  readonly container: string | null;
  readonly verdict: AuditVerdict;
}

/** A file that is not accounted for, and why. */
export interface AuditProblem {
  readonly fileId: string;
  readonly path: string | null;
  readonly verdict: AuditVerdict;
  readonly reason: string;
}

/**
 * Records of file ids that no agent follows, such as those that were posted to the API or that other shippers wrote; in no
 * other figure.
 */
export interface WithoutAgentFigures {
  readonly files: number;
  /** Stored, those dropped and those expired included. */
  readonly records: number;
  readonly droppedByPipeline: number;
  /** Refused by the store: in `records` they are not. */
  readonly deadLettered: number;
  readonly expired: number;
}

/** GET /api/v1/audit: the members of `AuditFigures` are the totals. */
export interface AuditAnswer extends AuditFigures {
  readonly verdict: AuditVerdict;
  readonly rows: readonly AuditRow[];
  readonly withoutAgent: WithoutAgentFigures;
  /**
   * Time, RFC 3339, of the last word of the agent elsewhere that has been silent for longest: what was written there since
   * is in no figure. Null when all files are followed by the process that is asked.
   */
  readonly toldAt: string | null;
  /** Agents elsewhere: each silent one is among the problems as well. */
  readonly agents: {
    readonly running: number;
    readonly silent: readonly AgentStatus[];
    readonly stopped: readonly AgentStatus[];
  };
  /** At most 100; `problemCount` says how many there are. */
  readonly problems: readonly AuditProblem[];
  readonly problemCount: number;
}

/** POST /api/v1/import */
export interface ImportAnswer {
  readonly accepted: number;
}

/** Letters that one page of a list holds at most. */
export const LETTERS_LIMIT_MAX = 1_000;

/** Dead letters of one error and index. */
export interface DeadLetterGroup {
  /** Names the group in a selection; null for what is beyond the groups that are told apart. */
  readonly id: string | null;
  readonly type: string;
  /** Null where a document was given up before its index was known. */
  readonly index: string | null;
  /** What the store said of all of them: ids and quoted values are `…` in it, numbers `#`. */
  readonly reason: string;
  readonly count: number;
  /** When the first and the last of them were given up. */
  readonly first: string;
  readonly last: string;
  readonly example: { readonly id: string; readonly reason: string };
}

/** GET /api/v1/dead-letters */
export interface DeadLettersAnswer {
  readonly letters: number;
  /** Of letters that were discarded or dropped in a replay: only that they were there is kept. */
  readonly discarded: number;
  /** The largest first. */
  readonly groups: readonly DeadLetterGroup[];
}

/** A dead letter as the API shows it. */
export interface DeadLetterAnswer {
  readonly id: string;
  readonly time: string;
  /** Id of its group. */
  readonly group: string;
  readonly index: string | null;
  readonly error: { readonly type: string; readonly reason: string };
  readonly attempts: number;
  readonly fileId: string;
  readonly offset: number;
  /** Where it stood on the broker. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: string } | null;
  /** As it was delivered, before any pipeline. */
  readonly document: string;
}

/** GET /api/v1/dead-letters/list: newest first, documents left out. */
export interface DeadLetterListAnswer {
  readonly letters: readonly Omit<DeadLetterAnswer, 'document'>[];
  /** How many fit, on all pages. */
  readonly matched: number;
  /** Gives the next page; null at the end. */
  readonly cursor: string | null;
}

/** Which letters are meant: those that fit all members; `all` stands for every one. */
export interface DeadLetterSelection {
  readonly ids?: readonly string[] | undefined;
  readonly type?: string | undefined;
  /** Empty for letters without an index. */
  readonly index?: string | undefined;
  /** Id of a group. */
  readonly group?: string | undefined;
  /** What their documents match as they were delivered, in the language of searches. */
  readonly query?: string | undefined;
  readonly all?: boolean | undefined;
}

/** POST /api/v1/dead-letters/replay answers with one of these per line; the last one has `isDone`. */
export interface ReplayProgress {
  readonly selected: number;
  readonly stored: number;
  readonly dropped: number;
  /** Refused again: they stay, with the new error. */
  readonly refused: number;
  readonly isDone: boolean;
  /** What the store said of the first that was refused again. */
  readonly example?: { readonly id: string; readonly type: string; readonly reason: string } | undefined;
  /** Why the replay broke off; what was not stored by then is where it was. */
  readonly error?: ApiErrorBody['error'] | undefined;
}

/** POST /api/v1/dead-letters/discard */
export interface DiscardAnswer {
  readonly discarded: number;
}

/** GET /readyz */
export interface ReadinessAnswer {
  readonly ready: boolean;
  readonly problems: readonly { readonly part: string; readonly reason: string }[];
  /** What a person should mend, while every part does its work. */
  readonly warnings: readonly { readonly part: string; readonly reason: string }[];
}
