/** What rotation decides on, and what it decides: plain data, so that every rule is a pure function. */
import type { ByteRange } from '../../base/log-directory.ts';
import type { FileIdentity } from '../file-identity.ts';
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';

/** One name in a directory, with what the agent knows of what stands behind it. */
export interface RotateFile extends FileIdentity {
  readonly name: string;
  readonly path: string;
  /** Undefined for what the agent does not know. */
  readonly fileId: string | undefined;
  /** Whether the writer opens it under this name. */
  readonly isActive: boolean;
  readonly isCompressed: boolean;
  readonly size: number;
  readonly diskBytes: number;
  readonly modifiedMs: number;
  /** Milliseconds since the Unix epoch: when it was begun, as far as is known. */
  readonly bornMs: number;
  readonly readOffset: number;
  /** Every byte below is acknowledged, and a checkpoint on disk says so. */
  readonly freeOffset: number;
  /** Whether that holds for every byte. */
  readonly isDone: boolean;
  /** Whether only a last line without its end is not. */
  readonly hasUnfinishedLine: boolean;
  /** Ranges that were given up, as a checkpoint on disk says. */
  readonly given: readonly ByteRange[];
}

/** The files that one writer fills one after another. */
export interface RotateGroup {
  readonly key: string;
  readonly directory: string;
  readonly style: 'rotated' | 's6';
  readonly sourceKind: 'apps' | 'pods' | 'docker' | 'files';
  /** Path of the active file, whether it is there or not. */
  readonly activePath: string;
  readonly names: GroupNames;
  readonly labels: Readonly<Record<string, string>>;
  readonly blockBytes: number;
  /** Oldest first; the active one last. */
  readonly files: readonly RotateFile[];
}

export interface GroupNames {
  readonly namespace: string | undefined;
  readonly app: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
}

/** Which policy a group has. */
export type PolicyChoice =
  | {
      readonly kind: 'policy';
      readonly policy: RotatePolicyConfig;
      /** Place in the list, 0 for the first; undefined for the built-in one. */
      readonly index: number | undefined;
      readonly reason: string;
    }
  /** Left alone, and why; `index` is the place of the policy that says so, if one does. */
  | { readonly kind: 'none'; readonly reason: string; readonly index: number | undefined };

/** What is to be done with one file. Each is checked again when it is done: the world goes on meanwhile. */
export type RotateAction = {
  readonly group: string;
  readonly file: RotateFile;
  /** As the end of "because". */
  readonly reason: string;
} & (
  | { readonly kind: 'punch'; readonly ranges: readonly ByteRange[] }
  /** Gives the active file a dated name; `isReset`: nobody has it open, and its bytes are freed. */
  | { readonly kind: 'rename'; readonly isReset: boolean }
  /** Tells the writer of a renamed file once more to open the new one. */
  | { readonly kind: 'remind' }
  | { readonly kind: 'compress'; readonly compression: 'gzip' | 'zstd' }
  | { readonly kind: 'remove' }
  /** Has the last line of a rotated file given out without its end. */
  | { readonly kind: 'finish' }
  /** Gives up what was not read below this offset. */
  | { readonly kind: 'drop'; readonly untilOffset: number }
  | { readonly kind: 'logrotate' }
);

/** Bytes that a budget says are too many, and that nobody may free. */
export interface HeldBudget {
  /** `node`, or a namespace or pod by name. */
  readonly scope: string;
  readonly usedBytes: number;
  readonly bytesMax: number;
}
