import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { runLogboom } from './logboom-process.ts';

/** Returns the answer of the first audit to which everything is accounted for; fails when there is none within `msMax`. */
export async function waitForAudit<T>(baseUrl: string, msMax: number): Promise<T> {
  const deadlineMs = performance.now() + msMax;
  for (;;) {
    const args = ['audit', '--json', '--wait', '30s', '--server', baseUrl];
    const { code, output, stdout } = await runLogboom(args);
    if (code === 0) return JSON.parse(stdout) as T;
    assert.ok(performance.now() < deadlineMs, output);
    await sleep(500);
  }
}
