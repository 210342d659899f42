/**
 * What an answer to one document of a bulk request means. What any other document would have met too is waited out;
 * an error of the document itself is its rejection; what is not known is taken for an error of the document, which
 * keeps it visible and does not stop the others.
 */
import type { DeadLetterError } from '../../../record/dead-letter.ts';
import { NAME_OF_ALIAS, type EngineFault } from '../engine/engine-error.ts';

export type Verdict =
  | { readonly kind: 'created' }
  /** It was there before. */
  | { readonly kind: 'duplicate' }
  /** To be sent again, alone, after a while; `cause` says why in words, with the remedy where a person must act. */
  | { readonly kind: 'wait'; readonly cause: WaitCause; readonly fault: EngineFault }
  /** Its index is missing and was not created by the engine. */
  | { readonly kind: 'missing_index'; readonly fault: EngineFault }
  /** More than the engine ever has room for: sent alone, and rejected if it is alone. */
  | { readonly kind: 'oversized'; readonly error: DeadLetterError }
  | { readonly kind: 'rejected'; readonly error: DeadLetterError };

export type WaitCause =
  /** 429: the engine has too much to do. */
  | 'overloaded'
  /** Shards, nodes or the cluster's master are away. */
  | 'unavailable'
  | 'unauthorized'
  | 'forbidden'
  /** An index or the cluster is read-only. */
  | 'read_only'
  /** The disk watermark made indices read-only. */
  | 'disk_full'
  /** The cluster takes no further shards. */
  | 'shard_limit'
  | 'index_closed'
  /** No index can be made, because one has the name of the alias of all. */
  | 'alias_taken'
  /** 500: where other documents pass meanwhile, `bulk-writer.ts` gives the document up. */
  | 'failed'
  /** Something in front of the engine answers. */
  | 'not_the_engine';

/** Errors that engines give the status of a bad request although the document is not to blame, by what they say. */
const NOT_OF_THE_DOCUMENT: readonly { readonly pattern: RegExp; readonly cause: WaitCause }[] = [
  { pattern: /maximum (?:normal |frozen )?shards open/i, cause: 'shard_limit' },
  { pattern: /index_closed_exception/, cause: 'index_closed' },
  { pattern: NAME_OF_ALIAS, cause: 'alias_taken' },
  { pattern: /no write index is defined for alias/i, cause: 'unavailable' },
];

/** Returns the verdict of an item's status and error. */
export function verdictOf(status: number, fault: EngineFault): Verdict {
  if (status === 200 || status === 201) return { kind: 'created' };
  if (status === 409) return { kind: 'duplicate' };
  const error = { type: fault.type || `http_${status}`, reason: fault.reason };
  if (status === 429 && isOversized(fault)) return { kind: 'oversized', error };
  const cause = waitCauseOf(status, fault);
  if (cause !== undefined) return { kind: 'wait', cause, fault };
  if (status === 404 && fault.type === 'index_not_found_exception') return { kind: 'missing_index', fault };
  return { kind: 'rejected', error };
}

/** What engines write when a request alone is larger than all the memory that they set aside for requests. */
const SIZE_AND_LIMIT = [
  /_operation_bytes=(?<size>\d+).*\bmax_\w+=(?<limit>\d+)/,
  /limit of \[(?<limit>\d+).*new bytes reserved: \[(?<size>\d+)/,
];

function isOversized({ reason }: EngineFault): boolean {
  return SIZE_AND_LIMIT.some((pattern) => {
    const { size, limit } = pattern.exec(reason)?.groups ?? {};
    return size !== undefined && Number(size) > Number(limit);
  });
}

function waitCauseOf(status: number, fault: EngineFault): WaitCause | undefined {
  if (fault.type === 'cluster_block_exception') return blockCauseOf(fault);
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 429:
      return 'overloaded';
    case 408:
    case 502:
    case 503:
    case 504:
      return 'unavailable';
    case 400:
      return NOT_OF_THE_DOCUMENT.find(({ pattern }) => pattern.test(`${fault.type} ${fault.reason}`))?.cause;
    default:
      return status >= 500 ? 'failed' : undefined;
  }
}

function blockCauseOf({ reason }: EngineFault): WaitCause {
  if (/flood.stage|disk usage exceeded|read-only-allow-delete|read-only \/ allow delete/i.test(reason))
    return 'disk_full';
  return /SERVICE_UNAVAILABLE|no master|state not recovered/i.test(reason) ? 'unavailable' : 'read_only';
}

/** What a person reads in `/readyz` and in the log while records wait: the fact, and what to do about it. */
export const WAIT_TEXTS: Readonly<Record<WaitCause, string>> = {
  overloaded: 'the store is overloaded (429); Logboom sends more slowly until it keeps up',
  unavailable: 'the store cannot reach all of its shards or its master; it goes on when they are back',
  unauthorized:
    'the store refuses the credentials: correct store.auth.username and store.auth.password, or store.auth.apiKey',
  forbidden:
    'the store forbids writing: grant the user the privileges that docs/formats/elasticsearch.md lists',
  read_only:
    'an index of the store is read-only: release it by setting index.blocks.write and index.blocks.read_only to false',
  disk_full:
    'the disk of the store is too full (flood stage watermark): free space; then the engine releases its indices',
  shard_limit:
    'the cluster takes no further shards: delete old indices, or raise cluster.max_shards_per_node',
  index_closed: 'an index of the store is closed: open it, or delete it',
  alias_taken:
    'an index has the name of the alias that all indices get: delete it, or choose another beginning of names in store.index',
  not_the_engine: 'what answers is not the engine: correct store.urls, or mend the proxy in front of it',
  failed: 'the store fails inside (500): look into its log',
};
