import { execFile } from 'node:child_process';
import path from 'node:path';

export interface SeedsReport {
  /** Sums over all seeds, by the names of the reports' figures. */
  readonly totals: Readonly<Record<string, number>>;
  /** The first ones, each with the seed that replays it. */
  readonly violations: readonly string[];
}

/**
 * Runs seeds from 1 on in a process of their own: the test runner follows every promise of its own process, which makes
 * a simulation eight times slower.
 */
export function runSeeds(count: number, ...flags: readonly string[]): Promise<SeedsReport> {
  const program = path.join(import.meta.dirname, 'main.ts');
  const args = [program, ...flags, '--seeds', String(count), '--json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      // Violations end it with 1, and are told on its output all the same.
      if (error !== null && error.code !== 1)
        reject(new Error(`the simulation ended\n${stderr}`, { cause: error }));
      else resolve(JSON.parse(stdout) as SeedsReport);
    });
  });
}
