/**
 * Turns the events of `node:test` into what a person wants to read while tests run: one line per file, failures in
 * full as soon as they are known, and at the very end one line `N passed, N failed, N skipped` for scripts.
 */
import { inspect } from 'node:util';

export interface TestEvent {
  readonly type: string;
  readonly data: unknown;
}

interface ResultData {
  readonly name: string;
  readonly file?: string;
  readonly nesting: number;
  readonly details: { readonly duration_ms: number; readonly type?: string; readonly error?: Error };
  readonly skip?: string | boolean;
}

interface FileState {
  passed: number;
  failed: number;
  skipped: number;
  /** What its tests took together. */
  durationMs: number;
  output: string;
}

/** Bytes of a file's output that are kept for the case that it fails. */
const OUTPUT_BYTES_MAX = 256 * 1024;

export class TestReport {
  readonly #files = new Map<string, FileState>();
  readonly #print: (text: string) => void;
  readonly #root: string;
  readonly #skips: string[] = [];
  readonly #failures: string[] = [];
  readonly #batches = new Map<string, readonly string[]>();
  /** The file whose output was printed last. */
  #speaker: string | undefined;
  isVerbose = false;

  constructor(print: (text: string) => void, root: string) {
    this.#print = print;
    this.#root = root;
  }

  /** Says that the process which begins with `entry` runs the tests of all these files. */
  expectBatch(entry: string, files: readonly string[]): void {
    this.#batches.set(entry, files);
  }

  onEvent(event: TestEvent): void {
    const data = event.data as ResultData & { message?: string; duration_ms?: number };
    switch (event.type) {
      case 'test:pass':
        return this.#onPass(data);
      case 'test:fail':
        return this.#onFail(data);
      case 'test:stdout':
      case 'test:stderr':
        return this.#onOutput(data.file, data.message ?? '');
      case 'test:summary':
        return this.#onProcessEnd(data.file, data.duration_ms ?? 0);
    }
  }

  /** Returns the numbers over all files so far. */
  totals(): { passed: number; failed: number; skipped: number } {
    const totals = { passed: 0, failed: 0, skipped: 0 };
    for (const state of this.#files.values()) {
      totals.passed += state.passed;
      totals.failed += state.failed;
      totals.skipped += state.skipped;
    }
    return totals;
  }

  /** Prints what was skipped and what failed once more, then the closing line. */
  printEnd(): void {
    for (const skip of this.#skips) this.#print(`skipped: ${skip}\n`);
    for (const failure of this.#failures) this.#print(`failed: ${failure}\n`);
    const { passed, failed, skipped } = this.totals();
    this.#print(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }

  #onPass(data: ResultData): void {
    if (data.nesting === 0) this.#stateOf(data.file).durationMs += data.details.duration_ms;
    if (data.details.type === 'suite' || this.#isFileItself(data)) return;
    const state = this.#stateOf(data.file);
    if (data.skip === undefined || data.skip === false) {
      state.passed += 1;
      return;
    }
    state.skipped += 1;
    const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given';
    this.#skips.push(`${this.#shorten(data.file)}: ${data.name} (${reason})`);
  }

  #onFail(data: ResultData): void {
    if (data.nesting === 0) this.#stateOf(data.file).durationMs += data.details.duration_ms;
    // A suite and a parent test fail with their children: only the innermost failure is counted and shown.
    const error = data.details.error as (Error & { failureType?: string }) | undefined;
    if (error?.failureType === 'subtestsFailed') return;
    this.#stateOf(data.file).failed += 1;
    const title = `${this.#shorten(data.file)}: ${data.name}`;
    this.#failures.push(title);
    const cause = error?.cause ?? error;
    this.#print(`\n✖ ${title}\n${indent(inspect(cause, { depth: 6 }))}\n`);
    if (error?.failureType === 'testTimeoutFailure') this.#print('  (it took longer than a test may)\n');
  }

  #onOutput(file: string | undefined, text: string): void {
    const state = this.#stateOf(file);
    if (this.isVerbose) this.#printOutput(file, text);
    else if (state.output.length < OUTPUT_BYTES_MAX) state.output += text;
  }

  /** Files that run beside each other take turns: whoever speaks is named. */
  #printOutput(file: string | undefined, text: string): void {
    if (this.#speaker !== file) this.#print(`  ${this.#shorten(file)}:\n`);
    this.#speaker = file;
    this.#print(indent(text));
  }

  #onProcessEnd(entry: string | undefined, durationMs: number): void {
    if (entry === undefined) return;
    const batch = this.#batches.get(entry);
    if (batch === undefined) return this.#onFileEnd(entry, durationMs);
    for (const file of batch) {
      const state = this.#stateOf(file);
      if (state.passed + state.failed + state.skipped === 0) this.#onNoResult(file);
      this.#onFileEnd(file, state.durationMs);
    }
    const hasFailures = [entry, ...batch].some((file) => this.#stateOf(file).failed > 0);
    if (hasFailures) this.#print(indent(this.#stateOf(entry).output));
    this.#stateOf(entry).output = '';
  }

  /** The process ended before this file's tests, or the file has none: neither may pass for success. */
  #onNoResult(file: string): void {
    this.#stateOf(file).failed += 1;
    this.#failures.push(`${this.#shorten(file)}: none of its tests has run`);
  }

  #onFileEnd(file: string, durationMs: number): void {
    const state = this.#stateOf(file);
    const mark = state.failed > 0 ? '✖' : state.skipped > 0 ? '﹣' : '✔';
    const seconds = (durationMs / 1000).toFixed(1);
    const counts = [`${state.passed} passed`];
    if (state.failed > 0) counts.push(`${state.failed} failed`);
    if (state.skipped > 0) counts.push(`${state.skipped} skipped`);
    this.#print(`${mark} ${this.#shorten(file)}  ${counts.join(', ')}  ${seconds} s\n`);
    if (state.failed > 0 && state.output !== '') this.#print(indent(state.output));
    state.output = '';
  }

  /** The runner reports each file as a test around its tests; it counts only when it fails on its own. */
  #isFileItself(data: ResultData): boolean {
    return data.nesting === 0 && data.file !== undefined && data.name === data.file;
  }

  #stateOf(file: string | undefined): FileState {
    const key = file ?? '(unknown file)';
    let state = this.#files.get(key);
    if (state === undefined) {
      state = { passed: 0, failed: 0, skipped: 0, durationMs: 0, output: '' };
      this.#files.set(key, state);
    }
    return state;
  }

  #shorten(file: string | undefined): string {
    if (file === undefined) return '(unknown file)';
    return file.startsWith(this.#root) ? file.slice(this.#root.length + 1) : file;
  }
}

function indent(text: string): string {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  return `${body.replaceAll(/^/gm, '    ')}\n`;
}
