/** Writes what rotation did and holds where `logboom rotate status` finds it: soon when it changes, seldom otherwise. */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { RotateMachine } from '../../base/log-directory.ts';
import { joinPath } from '../discovery/layout.ts';
import type { RotateLog, RotateStatus } from './rotate-status.ts';

const STATUS_MS = 2000;
const QUIET_STATUS_MS = 60_000;

const STATUS_MODE = 0o640;

/** Returns the file that the status of a data directory is written to. */
export function statusPathOf(data: string): string {
  return joinPath(joinPath(data, 'agent'), 'rotate.json');
}

export interface StatusFileOptions {
  readonly data: string;
  readonly machine: RotateMachine;
  readonly fileSystem: FileSystem;
  readonly onProblem: (text: string) => void;
}

export class StatusFile {
  readonly #options: StatusFileOptions;
  readonly #path: string;
  #writtenMs = Number.NEGATIVE_INFINITY;
  #isOld = true;

  constructor(options: StatusFileOptions) {
    this.#options = options;
    this.#path = statusPathOf(options.data);
  }

  /** Hands what an earlier run wrote to `log`, and returns it. */
  restore(log: RotateLog): RotateStatus | undefined {
    try {
      return log.restore(new TextDecoder().decode(this.#options.fileSystem.readFile(this.#path)));
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') {
        this.#options.onProblem(`cannot read ${this.#path} (${messageOf(error)})`);
      }
      return undefined;
    }
  }

  /** Writes the status when it is due. */
  write(status: () => RotateStatus, at: { readonly nowMs: number; readonly hasNews: boolean }): void {
    this.#isOld ||= at.hasNews;
    if (at.nowMs < this.#writtenMs + (this.#isOld ? STATUS_MS : QUIET_STATUS_MS)) return;
    this.#writtenMs = at.nowMs;
    this.#isOld = false;
    try {
      this.#options.machine.writeFile(this.#path, `${JSON.stringify(status())}\n`, STATUS_MODE);
    } catch (error) {
      this.#options.onProblem(`cannot write ${this.#path} (${messageOf(error)})`);
    }
  }
}
