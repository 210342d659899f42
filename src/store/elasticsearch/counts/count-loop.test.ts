import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { VirtualScheduler } from '../../../base/virtual-scheduler.ts';
import { CountLoop } from './count-loop.ts';

const LOOK_MS = 300_000;

test('indices are looked at every five minutes until the end, and a lasting refusal is told once', async () => {
  const scheduler = new VirtualScheduler();
  const lines: string[] = [];
  const ignore = (): void => undefined;
  const log = (_level: string, event: string): void => void lines.push(event);
  const telemetry = { count: ignore, gauge: ignore, observe: ignore, log };
  const errors = [
    undefined,
    new AppError('unreachable', 'cannot count'),
    new AppError('permission_denied', 'cannot count'),
    new AppError('permission_denied', 'cannot count'),
    undefined,
    new AppError('permission_denied', 'cannot count'),
  ];
  let looks = 0;
  const look = (): Promise<void> => {
    const error = errors[looks];
    looks += 1;
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  };
  const loop = new CountLoop({ look }, { scheduler, telemetry });
  loop.start();
  loop.start();
  assert.equal(looks, 0);
  for (const [index] of errors.entries()) {
    await scheduler.advance(LOOK_MS);
    assert.equal(looks, index + 1);
  }
  // Whether the engine is away is told by those who write; what lasts is told again after it was mended.
  assert.deepEqual(lines, ['store_counts_failed', 'store_counts_failed']);
  await loop.close();
  await scheduler.advance(10 * LOOK_MS);
  assert.equal(looks, errors.length);
});
