/**
 * Asks others now and then whether they can be reached, for readiness: a part that has nothing to do just now would not
 * notice otherwise. It says so in the log once per change.
 */
import { messageOf, AppError } from '../base/errors.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Service } from '../base/service.ts';
import type { Road } from './road.ts';
import type { Storage } from './storage.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface Probe {
  /** Name of the part, as in `/readyz`. */
  readonly name: string;
  /** Rejects with what is wrong. */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
}

const ASK_MS = 5_000;

/** An answer that takes longer is none. */
const ANSWER_MS_MAX = 10_000;

export interface ReachWatch extends Service {
  /** What cannot be reached, and why. */
  problems(): readonly { readonly part: string; readonly reason: string }[];
}

/** Makes the service that asks. */
export function createReachWatch(probes: readonly Probe[], telemetry: Telemetry): ReachWatch {
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const problems = new Map<string, string>();
  const ask = async (probe: Probe): Promise<void> => {
    const reason = await reasonOf(probe, stopping.signal);
    if (stopping.signal.aborted) return;
    const isKnown = problems.has(probe.name);
    if (reason === undefined) problems.delete(probe.name);
    else problems.set(probe.name, reason);
    if (reason !== undefined && !isKnown)
      telemetry.log('warn', 'away', `waiting for the ${probe.name}: ${reason}`);
    if (reason === undefined && isKnown)
      telemetry.log('info', 'reached', `the ${probe.name} can be reached again`);
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await Promise.all(probes.map(ask));
      await nodeScheduler.sleep(ASK_MS, stopping.signal);
    }
  };
  return {
    name: 'reach',
    run: () => Promise.race([loop(), stopped.promise]),
    async stop() {
      stopping.abort();
      stopped.resolve();
    },
    problem: () => undefined,
    problems: () => [...problems].map(([part, reason]) => ({ part, reason })),
  };
}

async function reasonOf({ ask }: Probe, stopping: AbortSignal): Promise<string | undefined> {
  const limit = new AbortController();
  const timer = nodeScheduler.schedule(ANSWER_MS_MAX, () => limit.abort());
  const late = new Promise<string>((resolve) => {
    limit.signal.addEventListener('abort', () => resolve('it does not answer'), { once: true });
  });
  const answered = ask(AbortSignal.any([limit.signal, stopping])).then(
    () => undefined,
    (error: unknown) => textOf(error),
  );
  const reason = await Promise.race([answered, late]);
  timer.cancel();
  return reason;
}

function textOf(error: unknown): string {
  if (!(error instanceof AppError)) return `${messageOf(error)}.`;
  const { reason } = error.details;
  const detail = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return `${error.message}${detail.replace(/\.$/, '')}.${hint}`;
}

/** Lists the store among what is asked, where it is elsewhere. */
export function storeProbes({ ask }: Storage): Probe[] {
  return ask === undefined ? [] : [{ name: 'store', ask }];
}

/** Lists the broker among what is asked, for a role that may have nothing to read or send. */
export function roadProbes({ ask }: Road): Probe[] {
  return ask === undefined ? [] : [{ name: 'transport', ask: () => ask() }];
}

/** Adds what cannot be reached to what parts say of themselves: of a part with both, what it says itself. */
export function withReach(
  problems: readonly { part: string; reason: string }[],
  reach: ReachWatch,
): { part: string; reason: string }[] {
  const told = new Set(problems.map(({ part }) => part));
  return [...problems, ...reach.problems().filter(({ part }) => !told.has(part))];
}
