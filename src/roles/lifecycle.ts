/**
 * The life of a process that runs until it is told to stop: services are started together and stopped one after the
 * other, so that what the first one still holds can pass through the later ones. SIGTERM, SIGINT and SIGHUP drain; a
 * second signal ends the process at once.
 */
import type { Service } from '../base/service.ts';
import { BugError } from '../base/assert.ts';
import { EXIT_CODE, messageOf } from '../base/errors.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { DrainBudget } from './drain-budget.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface LifecycleOptions {
  /** In the order in which they are stopped. */
  readonly services: readonly Service[];
  readonly budget: DrainBudget;
  readonly telemetry: Telemetry;
  /** Called when the first signal arrives. */
  readonly onStopping: (reason: string) => void;
  /** Called after the services and before the process ends, with whether all of them have stopped in time. */
  readonly onStopped: (isDrained: boolean) => Promise<void>;
}

/** Exit code of a process that was told twice, as shells have it for SIGINT. */
const EXIT_IMPATIENT = 130;

/** Services end their own draining within the budget; one that hangs all the same is given up this much later. */
const GRACE_MS = 5_000;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Runs the services until a signal or a failure, and returns the exit code. Rejects with what made a service fail. */
export async function runUntilStopped(options: LifecycleOptions): Promise<number> {
  const stopSignal = awaitSignal();
  const failures = options.services.map(async (service) => {
    await service.run();
    throw new BugError(`the ${service.name} stopped by itself`);
  });
  let failure: unknown;
  try {
    const signal = await Promise.race([stopSignal.received, ...failures]);
    options.onStopping(signal);
  } catch (error) {
    failure = error;
    options.telemetry.log('error', 'service_failed', `stopping: ${messageOf(error)}`);
  }
  for (const running of failures) running.catch(() => undefined);
  const isDrained = await stopAll(options);
  await options.onStopped(isDrained && failure === undefined);
  stopSignal.release();
  if (failure !== undefined) throw failure;
  return EXIT_CODE.ok;
}

/** Resolves with whether every service has stopped in time. */
async function stopAll({ services, budget, telemetry }: LifecycleOptions): Promise<boolean> {
  budget.begin();
  const deadlineMs = nodeScheduler.monotonicMs() + budget.totalMs + GRACE_MS;
  let isDrained = true;
  for (const service of services) {
    const late = new AbortController();
    const waited = nodeScheduler
      .sleep(Math.max(1, deadlineMs - nodeScheduler.monotonicMs()), late.signal)
      .then(() => false);
    const stopped = service.stop().then(
      () => true,
      (error: unknown) => {
        telemetry.log(
          'error',
          'stop_failed',
          `the ${service.name} did not stop cleanly: ${messageOf(error)}`,
        );
        return false;
      },
    );
    isDrained = (await Promise.race([stopped, waited])) && isDrained;
    late.abort();
  }
  return isDrained;
}

function awaitSignal(): { received: Promise<string>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  let count = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count > 1) process.exit(EXIT_IMPATIENT);
    resolve(signal);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    received: promise,
    release: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
