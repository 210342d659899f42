/**
 * Rotation policies decide what becomes of bytes that are acknowledged. The first policy whose `match` fits is taken;
 * plain files of the apps tree that none fits are punched at 256 MiB. Members have the names that logrotate's users
 * know; their units stand beside them.
 */
export interface RotatePolicyConfig {
  readonly match: RotateMatch;
  readonly method: 'punch' | 'rename' | 'logrotate' | 'none';
  /** Bytes on disk of the active file from which it is rotated. */
  readonly size: number;
  /** Milliseconds: the age from which a file is rotated whatever its size. */
  readonly age: number | undefined;
  /** Five or six fields of cron: active files are rotated only then. */
  readonly schedule: string | undefined;
  readonly timeZone: string | undefined;
  /** Number of rotated files that stay; undefined: the method's own number. */
  readonly keep: number | undefined;
  readonly keepBytes: number | undefined;
  /** Milliseconds. */
  readonly keepAge: number | undefined;
  /** Milliseconds: files that nobody writes are removed after this time without a write. */
  readonly idleAge: number | undefined;
  readonly compress: 'none' | 'gzip' | 'zstd';
  /** `user group`: whom logrotate and commands run as; undefined: the agent's user. */
  readonly su: string | undefined;
  readonly missingok: boolean;
  readonly notifempty: boolean;
  readonly copytruncate: boolean;
  /** Shell command after a rotation, which makes the writer open its file again. */
  readonly postrotate: string | undefined;
  /** Sent to the process that `pidFile` names, for the same purpose. */
  readonly signal: 'HUP' | 'USR1' | 'USR2' | undefined;
  readonly pidFile: string | undefined;
  /** When the budget is exceeded and only unacknowledged bytes are left: fill the disk, or give up the oldest. */
  readonly overBudget: 'hold' | 'drop';
}

/** Globs; every given one must fit. */
export interface RotateMatch {
  readonly source: string | undefined;
  readonly namespace: string | undefined;
  readonly app: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  readonly path: string | undefined;
  /** Labels of the pod and the source's `fields`, by name. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of the pod. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Bytes on disk of all followed files together, archives included; undefined: no limit. */
export interface RotateBudgetConfig {
  readonly nodeBytesMax: number | undefined;
  readonly namespaceBytesMax: number | undefined;
  readonly podBytesMax: number | undefined;
}
