import type { LineFormat } from '../capture/decoder-types.ts';

/** One tree or set of files to collect. */
export type SourceConfig = (
  | {
      readonly kind: 'apps';
      readonly root: string;
      readonly include: readonly string[];
      /** Milliseconds without a write after which a pod's directory is removed; undefined: it stays. */
      readonly removeAfter?: number | undefined;
    }
  | { readonly kind: 'pods'; readonly root: string }
  | { readonly kind: 'docker'; readonly root: string }
  | {
      readonly kind: 'files';
      readonly paths: readonly string[];
      /** A path with `{name}` pieces that name fields, such as `/srv/{kubernetes.namespace}/{service.name}.log`. */
      readonly template: string | undefined;
    }
) &
  CommonSourceConfig;

export interface CommonSourceConfig {
  readonly exclude: readonly string[];
  readonly format: LineFormat;
  /** What was rotated before the first start: everything, only uncompressed files, or nothing. */
  readonly history: 'all' | 'plain' | 'none';
  readonly encoding: 'auto' | 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1';
  readonly multiline: MultilineConfig;
  /** Added to every document. */
  readonly fields: Readonly<Record<string, string>>;
  /** The zone of s6-log's `T` stamps; undefined is the agent's. */
  readonly timeZone: string | undefined;
  /** Seconds between TAI64N labels and Unix time; undefined is found out per directory. */
  readonly taiOffsetSeconds: number | undefined;
  /** The `-l` of s6-log: a line of just this length may go on in the next one; 0 when none is split. */
  readonly s6LineBytesMax: number;
}

export interface MultilineConfig {
  /** `stack-traces` joins what it recognises of `languages`; `custom` needs `start` or `continue`. */
  readonly mode: 'stack-traces' | 'custom' | 'off';
  readonly languages: readonly MultilineLanguage[];
  /** RE2: a line that begins a record. */
  readonly start: string | undefined;
  /** RE2: a line that belongs to the record before it. */
  readonly continue: string | undefined;
  readonly linesMax: number;
  readonly bytesMax: number;
  /** Patience for the next line, by record time where there is one, and at the end of the file. */
  readonly flushMs: number;
}

export const MULTILINE_LANGUAGES = ['go', 'java', 'python', 'node', 'ruby', 'dotnet'] as const;

export type MultilineLanguage = (typeof MULTILINE_LANGUAGES)[number];
