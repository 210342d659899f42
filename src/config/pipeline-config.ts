/**
 * Pipelines run in the indexer, on documents. The first pipeline whose `match` fits is taken; without one, lines
 * that are one JSON object are parsed and levels are recognised (the built-in `default` pipeline).
 */
export interface PipelineConfig {
  readonly name: string;
  readonly match: PipelineMatch;
  readonly steps: readonly PipelineStep[];
  readonly tests: readonly PipelineTest[];
}

/** Globs; every given one must fit. */
export interface PipelineMatch {
  readonly source: string | undefined;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  readonly app: string | undefined;
  readonly path: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

interface StepCommon {
  /** A query in Logboom's language: the step runs only on documents that it matches. */
  readonly if: string | undefined;
}

export type PipelineStep = StepCommon &
  (
    | { readonly kind: 'json'; readonly field: string; readonly keepOriginal: boolean }
    | { readonly kind: 'logfmt'; readonly field: string }
    /** RE2 with named groups. */
    | { readonly kind: 'regex'; readonly field: string; readonly pattern: string }
    /** `%{name} [%{time}] %{->}` in Logstash's dissect syntax. */
    | { readonly kind: 'dissect'; readonly field: string; readonly pattern: string }
    /** `%{IP:client.ip} %{WORD:method}`: named patterns, own ones in `patterns`. */
    | {
        readonly kind: 'grok';
        readonly field: string;
        readonly pattern: string;
        readonly patterns: Readonly<Record<string, string>>;
      }
    | {
        readonly kind: 'timestamp';
        readonly field: string;
        readonly formats: readonly string[];
        readonly timeZone: string | undefined;
      }
    | { readonly kind: 'level'; readonly field: string | undefined }
    | { readonly kind: 'rename'; readonly from: string; readonly to: string }
    | { readonly kind: 'remove'; readonly fields: readonly string[] }
    | { readonly kind: 'set'; readonly field: string; readonly value: string | number | boolean }
    | { readonly kind: 'drop'; readonly reason: string }
    /** Sends the documents to an index (partition) of this name instead of their namespace's. */
    | { readonly kind: 'route'; readonly index: string }
  );

export interface PipelineTest {
  readonly name: string;
  readonly input: readonly string[];
  /** Members that each resulting document must have; `dropped` where the line is dropped. */
  readonly expect: readonly (Readonly<Record<string, unknown>> | 'dropped')[];
}
