/** Lives of `logboom agent` and of `logboom indexer`, wired like the real ones to the simulated broker and engine. */
import { createHash } from 'node:crypto';
import { createAgent } from '../../src/agent/agent.ts';
import type { Agent } from '../../src/agent/agent-types.ts';
import type { MemoryFileSystem } from '../../src/base/memory-file-system.ts';
import type { Scheduler } from '../../src/base/scheduler.ts';
import type { Service } from '../../src/base/service.ts';
import { REMOTE_ROUNDS } from '../../src/indexer/held-rounds.ts';
import { createIndexer } from '../../src/indexer/indexer.ts';
import { MemoryTelemetry } from '../../src/telemetry/memory-telemetry.ts';
import { Life, mortalFileSystem } from './life.ts';
import type { SimulatedBroker } from './simulated-broker.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import { simulatedArchives, simulatedConfig } from './simulated-process.ts';

/** What outlives processes. */
export interface Surroundings {
  readonly fileSystem: MemoryFileSystem;
  readonly scheduler: Scheduler;
  readonly broker: SimulatedBroker;
  readonly engine: SimulatedEngine;
  /** Virtual milliseconds until the next archive is open. */
  readonly openMs: () => number;
  /** Called with what ends a process that was not killed. */
  readonly onFailure: (error: unknown) => void;
}

export interface RunningProcess<S extends Service> {
  readonly service: S;
  readonly life: Life;
}

/** Starts an agent; its checkpoints are in the file system of the node. */
export function startAgent(surroundings: Surroundings): RunningProcess<Agent> {
  const life = new Life(surroundings.scheduler);
  const fileSystem = mortalFileSystem(surroundings.fileSystem, () => life.isDead);
  const service = createAgent({
    config: simulatedConfig(),
    fileSystem,
    scheduler: life.scheduler,
    telemetry: new MemoryTelemetry(),
    producer: surroundings.broker.connect(life).producer,
    openArchive: simulatedArchives(fileSystem, life.scheduler, surroundings.openMs),
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    version: 'sim',
  });
  return run(service, life, surroundings);
}

/** Starts an indexer, which keeps nothing of its own. */
export function startIndexer(surroundings: Surroundings): RunningProcess<Service> {
  const life = new Life(surroundings.scheduler);
  const { pipelines, batchBytesMax } = simulatedConfig().indexer;
  const service = createIndexer({
    pipelines,
    batchBytesMax,
    transport: surroundings.broker.connect(life),
    store: surroundings.engine.connect(life),
    rounds: REMOTE_ROUNDS,
    scheduler: life.scheduler,
    telemetry: new MemoryTelemetry(),
  });
  return run(service, life, surroundings);
}

function run<S extends Service>(service: S, life: Life, { onFailure }: Surroundings): RunningProcess<S> {
  void service.run().catch((error: unknown) => {
    if (!life.isDead) onFailure(error);
  });
  return { service, life };
}
