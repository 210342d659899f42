/** Runs cases of the model in a thread of its own: the test runner's tracking of promises makes them four times as slow. */
import { parentPort, workerData } from 'node:worker_threads';
import { runCase } from './tailer-case.ts';
import { FLAVOURS, SLOW_COPIES } from './tailer-flavours.ts';

const { first, count, isSlow } = workerData as { first: number; count: number; isSlow: boolean };
const flavours = isSlow ? [SLOW_COPIES] : FLAVOURS;
let failure: string | undefined;
for (let index = 0; index < count && failure === undefined; index++) {
  try {
    await runCase(first + index, flavours);
  } catch (error) {
    const { message, cause } = error as Error;
    failure = `${message}\n${cause instanceof Error ? cause.stack : String(cause)}`;
  }
}
parentPort?.postMessage(failure);
