/**
 * Looks now and then how far the parts of a process are: tells their lag in metrics, and is not ready while one of them
 * stands still although more and more waits for it.
 */
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Service } from '../base/service.ts';
import type { GaugeReading, NodeTelemetry } from '../telemetry/node-telemetry.ts';
import { LagState, type Lag, type ProgressSample } from './lag-state.ts';
import type { Road, RoadProgress } from './road.ts';
import { StallState } from './stall-state.ts';

export interface WatchedStage {
  /** What it does, as the end of `nothing was …`. */
  readonly verb: string;
  /** Unit of its amounts, such as `bytes`. */
  readonly unit: string;
  /** Where every part of the stage is. */
  readonly sample: () => Promise<readonly ProgressSample[]> | readonly ProgressSample[];
  /** Called with what is behind after each look, the furthest in time first. */
  readonly onLag: (lags: readonly Lag[]) => void;
}

const LOOK_MS = 5_000;

/** Files whose lag is told one by one: a metric must not have a label for each file of a node. */
const FILES_MAX = 20;

/** Makes the service that watches stages. */
export function createProgressWatch(stages: readonly WatchedStage[]): Service {
  const watches = stages.map((stage) => ({ stage, lag: new LagState(), stall: new StallState() }));
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      for (const watch of watches) await look(watch);
      await nodeScheduler.sleep(LOOK_MS, stopping.signal);
    }
  };
  return {
    name: 'progress',
    // A look at a broker that is away lasts as long as it does: the end does not wait for it.
    run: () => Promise.race([loop(), stopped.promise]),
    async stop() {
      stopping.abort();
      stopped.resolve();
    },
    problem: () => watches.map(problemOf).find((problem) => problem !== undefined),
  };
}

interface Watch {
  readonly stage: WatchedStage;
  readonly lag: LagState;
  readonly stall: StallState;
}

async function look({ stage, lag, stall }: Watch): Promise<void> {
  let samples: readonly ProgressSample[];
  try {
    samples = await stage.sample();
  } catch {
    // What cannot be asked has a problem of its own, which says so.
    return;
  }
  const nowMs = nodeScheduler.monotonicMs();
  const lags = lag.update(samples, nowMs);
  const total = lags.reduce((sum, { amount }) => sum + amount, 0);
  stall.update({ lag: total, done: lag.doneTotal }, nowMs);
  stage.onLag(lags);
}

function problemOf({ stage, stall }: Watch): string | undefined {
  const stalledMs = stall.stalledMs(nodeScheduler.monotonicMs());
  if (stalledMs === undefined) return undefined;
  return `nothing was ${stage.verb} for ${Math.round(stalledMs / 1000)} s, while more ${stage.unit} came`;
}

interface LaggingFile {
  readonly id: string | undefined;
  readonly path: string;
  readonly size: number;
  readonly acknowledgedOffset: number;
}

/** The stage of an agent: files, and what of them is acknowledged. */
export function watchFiles(files: () => readonly LaggingFile[], telemetry: NodeTelemetry): WatchedStage {
  let furthest: readonly Lag[] = [];
  const paths = new Map<string, string>();
  const readings = (valueOf: (lag: Lag) => number): GaugeReading[] =>
    furthest.map((lag) => ({ value: valueOf(lag), labels: { path: paths.get(lag.key) ?? '' } }));
  telemetry.collect('logboom_agent_file_lag_bytes', () => readings(({ amount }) => amount));
  telemetry.collect('logboom_agent_file_lag_seconds', () => readings(({ seconds }) => seconds));
  return {
    verb: 'acknowledged',
    unit: 'bytes',
    sample() {
      paths.clear();
      return files().map(({ id, path, size, acknowledgedOffset }) => {
        const key = id ?? path;
        paths.set(key, path);
        return { key, end: size, done: acknowledgedOffset };
      });
    },
    onLag(lags) {
      furthest = lags.slice(0, FILES_MAX);
      telemetry.gauge('logboom_agent_lag_seconds', lags[0]?.seconds ?? 0);
    },
  };
}

/** The stage of an indexer: the partitions that it reads, and what of them is committed. */
function watchPartitions(
  progress: () => Promise<readonly RoadProgress[]>,
  telemetry: NodeTelemetry,
): WatchedStage {
  let readings: readonly GaugeReading[] = [];
  telemetry.collect('logboom_transport_lag_seconds', () => readings);
  return {
    verb: 'indexed',
    unit: 'records',
    async sample() {
      const places = await progress();
      return places.map(({ topic, partition, committed, end }) => ({
        key: `${topic}:${partition}`,
        end: Number(end),
        done: Number(committed),
      }));
    },
    onLag(lags) {
      readings = lags.map(({ key, seconds }) => {
        const colon = key.lastIndexOf(':');
        return { value: seconds, labels: { topic: key.slice(0, colon), partition: key.slice(colon + 1) } };
      });
    },
  };
}

/** Watches what indexers of this process read from a broker; nothing where there is none. */
export function watchRoad({ ownProgress }: Road, telemetry: NodeTelemetry): readonly WatchedStage[] {
  return ownProgress === undefined ? [] : [watchPartitions(ownProgress, telemetry)];
}
