/**
 * The rules of the house that neither the compiler nor the linter knows. Every check is a pure function from files to
 * complaints, and every one has fixtures in `tidy.test.ts` that must be rejected: a check that silently stopped
 * working would be worse than none.
 */
import { checkDocuments } from './tidy-documents.ts';
import { checkImports, checkReachability } from './tidy-imports.ts';
import { checkSource } from './tidy-source.ts';

export interface TidyFile {
  /** Relative to the repository, `/` between the pieces. */
  readonly path: string;
  readonly text: string;
}

export interface Complaint {
  readonly path: string;
  /** From 1; 0 when it is about the file as a whole. */
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Returns everything that is wrong with the files of the repository, in the order of their paths. */
export function checkTidiness(files: readonly TidyFile[]): Complaint[] {
  const sources = files.filter(({ path }) => /\.(?:ts|tsx|mts|js)$/.test(path));
  return [
    ...sources.flatMap(checkSource),
    ...checkImports(sources),
    ...checkReachability(sources),
    ...checkDocuments(files),
  ].toSorted((left, right) =>
    left.path < right.path ? -1 : left.path > right.path ? 1 : left.line - right.line,
  );
}

/** Returns the complaint as one line that editors can jump to. */
export function formatComplaint({ path, line, rule, message }: Complaint): string {
  return `${path}${line > 0 ? `:${line}` : ''}: ${message} [${rule}]`;
}
