import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * A directory of its own for one test, removed with everything in it at the end of the scope. LOGBOOM_E2E_KEEP=1 keeps
 * it and says where it is.
 */
export class TemporaryDirectory implements Disposable {
  readonly path: string;

  constructor(purpose: string) {
    this.path = mkdtempSync(path.join(tmpdir(), `logboom-${purpose}-`));
  }

  /** Returns the path of something inside. */
  join(...pieces: string[]): string {
    return path.join(this.path, ...pieces);
  }

  [Symbol.dispose](): void {
    if (process.env['LOGBOOM_E2E_KEEP'] === '1') {
      process.stdout.write(`kept ${this.path}\n`);
      return;
    }
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}
