/** An agent that rotates what it follows: one service to whoever runs it. */
import fs from 'node:fs';
import type { Agent, AgentFileStatus, AgentSourceStatus } from '../agent/agent-types.ts';
import type { PodWatch } from '../agent/kubernetes/pod-watch.ts';
import type { FollowedFiles } from '../agent/followed-files.ts';
import type { Obstacle } from '../agent/obstacles.ts';
import { Rotator } from '../agent/rotate/rotator.ts';
import type { HoleFinder } from '../agent/tail/skips.ts';
import { nextData, nextHole } from '../base/node/libc.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeRotateMachine } from '../base/node/node-rotate-machine.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Config } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

const STAT_BLOCK_BYTES = 512;

/** Finds holes by the system's calls. */
export const nodeHoleFinder: HoleFinder = {
  isSparse(fd) {
    const { size, blocks } = fs.fstatSync(fd);
    return blocks * STAT_BLOCK_BYTES < size;
  },
  nextData,
  nextHole,
};

export interface RotationSetup {
  readonly config: Config;
  readonly telemetry: Telemetry;
  /** Runs beside it; undefined where no labels of pods are known. */
  readonly pods: PodWatch | undefined;
}

/** Joins an agent with the rotation of its files, and with the watch of their pods; rotation stops first, the watch last. */
export function withRotation(agent: Agent, { config, telemetry, pods }: RotationSetup): Agent {
  return new RotatingAgent(
    agent,
    pods,
    new Rotator({
      config,
      telemetry,
      pods,
      followed: () => agent.followed,
      machine: nodeRotateMachine,
      fileSystem: nodeFileSystem,
      scheduler: nodeScheduler,
    }),
  );
}

class RotatingAgent implements Agent {
  readonly name = 'agent';
  readonly #agent: Agent;
  readonly #pods: PodWatch | undefined;
  readonly #rotator: Rotator;

  constructor(agent: Agent, pods: PodWatch | undefined, rotator: Rotator) {
    this.#agent = agent;
    this.#pods = pods;
    this.#rotator = rotator;
  }

  get followed(): FollowedFiles | undefined {
    return this.#agent.followed;
  }

  async run(): Promise<void> {
    const runAgent = async (): Promise<void> => {
      try {
        await this.#agent.run();
      } finally {
        await this.#rotator.stop();
        await this.#pods?.stop();
      }
    };
    await Promise.all([runAgent(), this.#rotator.run(), this.#pods?.run()]);
  }

  async stop(): Promise<void> {
    await this.#rotator.stop();
    await this.#agent.stop();
    await this.#pods?.stop();
  }

  problem(): string | undefined {
    return this.#agent.problem() ?? this.#rotator.problem() ?? this.#pods?.problem();
  }

  files(): AgentFileStatus[] {
    return this.#agent.files();
  }

  sources(): AgentSourceStatus[] {
    return this.#agent.sources();
  }

  obstacles(): Obstacle[] {
    return this.#agent.obstacles();
  }

  writeLedger(): Promise<void> {
    return this.#agent.writeLedger();
  }
}
