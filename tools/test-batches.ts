/**
 * Which test files share a process. Starting Node and loading what nearly every test needs takes longer than most of
 * our tests, so neighbours are run one after the other in one process. A file whose tests touch what belongs to the
 * process as a whole keeps a process of its own.
 */

/** What runs in one process: one file, or several one after the other. */
export type TestBatch = readonly string[];

/** A process that dies takes the results of at most this many files with it. */
const BATCH_FILES_MAX = 12;

const OWN_PROCESS: readonly RegExp[] = [
  // A hook outside of any suite applies to every test of the process.
  /^(?:before|after|beforeEach|afterEach)\(/m,
  // The environment, the exit code, signals and the working directory.
  /\bprocess\.|['"](?:node:)?process['"]/,
  // Other processes and threads wait for each other; a clock or function that is replaced is replaced for everyone.
  /['"]node:(?:child_process|worker_threads|cluster|vm)['"]/,
  /\bmock\b|\bglobalThis\b/,
];

/** Whether the text of a test file holds something that the tests of other files would notice. */
export function needsOwnProcess(source: string): boolean {
  return OWN_PROCESS.some((pattern) => pattern.test(source));
}

/** Returns every file once: those that need a process of their own first, in their order, then the shared ones. */
export function batchTests(files: readonly string[], isAlone: (file: string) => boolean): TestBatch[] {
  const batches: TestBatch[] = files.filter(isAlone).map((file) => [file]);
  const shared = files.filter((file) => !isAlone(file));
  const count = Math.ceil(shared.length / BATCH_FILES_MAX);
  for (let index = 0; index < count; index++) {
    const at = (part: number): number => Math.round((part * shared.length) / count);
    batches.push(shared.slice(at(index), at(index + 1)));
  }
  return batches;
}

/** Returns a module that runs the tests of the given files (URLs) one after the other. */
export function batchModule(urls: readonly string[]): string {
  return urls.map((url) => `await import(${JSON.stringify(url)});\n`).join('');
}
