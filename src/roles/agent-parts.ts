import { createHash } from 'node:crypto';
import { createAgent } from '../agent/agent.ts';
import type { Agent, AgentProgress } from '../agent/agent-types.ts';
import type { OpenArchive } from '../agent/tail/archive-reader.ts';
import type { SourceStatus } from '../api/api-types.ts';
import { AppError } from '../base/errors.ts';
import { openArchive } from '../base/node/node-archive.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Config } from '../config/config.ts';
import type { SourceConfig } from '../config/source-config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Producer } from '../transport/transport.ts';
import { createPodWatch } from './pod-watching.ts';
import { nodeHoleFinder, withRotation } from './rotating-agent.ts';

export interface AgentSetup {
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly producer: Producer;
  readonly version: string;
  /** Less than the configured time where others drain after the agent. */
  readonly drainMsMax?: number;
  readonly once?: boolean;
  readonly onProgress?: (progress: AgentProgress) => void;
  /** By default the real one. */
  readonly openArchive?: OpenArchive;
}

/** Makes an agent on the real machine; one that goes on also rotates what it follows, and watches its pods. */
export function createRealAgent(setup: AgentSetup): Agent {
  const { config, drainMsMax = config.drainMsMax, ...rest } = setup;
  const pods = setup.once === true ? undefined : createPodWatch(config, setup.telemetry);
  const agent = createAgent({
    openArchive,
    pods,
    holes: nodeHoleFinder,
    ...rest,
    config: { ...config, drainMsMax },
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  });
  const { telemetry } = setup;
  return setup.once === true ? agent : withRotation(agent, { config, telemetry, pods });
}

/** Returns what the agent collects, for the API. */
export function sourceStatuses(agent: Agent, sources: readonly SourceConfig[]): SourceStatus[] {
  const files = agent.files();
  return agent.sources().map((status, index) => {
    const isMissing = status.missing.length > 0 && status.missing.length === status.roots.length;
    const own = files.filter((file) => file.source === status.kind && isBelow(file.path, status.roots));
    const lagBytes = own.reduce((total, file) => total + Math.max(0, file.size - file.acknowledgedOffset), 0);
    const source = sources[index];
    return {
      name: `${status.kind} ${status.roots.join(', ')}`,
      kind: status.kind,
      place: source === undefined ? status.roots.join(', ') : placeOf(source),
      state: isMissing ? 'waiting' : 'collecting',
      ...(isMissing ? { reason: `waits for ${status.missing.join(', ')} to appear` } : {}),
      files: status.files,
      lagBytes,
    };
  });
}

/** Bytes that were written and are not delivered: they are collected at the next start. */
export function leftBytesOf(agent: Pick<Agent, 'files'>): number {
  return agent
    .files()
    .reduce((total, { size, acknowledgedOffset }) => total + Math.max(0, size - acknowledgedOffset), 0);
}

/** Lets the agent write its ledger; rejects with the file that it waits for when it cannot tell of all of them. */
export async function refreshLedger(agent: Pick<Agent, 'files' | 'writeLedger'>): Promise<void> {
  try {
    await agent.writeLedger();
  } catch (error) {
    // Compressed files are looked into while others are read, and never lack an end.
    const [first, ...others] = agent
      .files()
      .filter(({ id, size, path }) => id === undefined && size > 0 && !/\.(?:gz|zst)$/.test(path));
    if (!(error instanceof AppError) || error.code !== 'too_busy' || first === undefined) throw error;
    const more = others.length === 0 ? '' : `, and so do ${others.length} more`;
    const text = `cannot account for ${first.path} yet: it waits for the end of its first line${more}`;
    throw new AppError('too_busy', text);
  }
}

/** Returns the root or the globs of a source. */
export function placeOf(source: SourceConfig): string {
  return source.kind === 'files' ? source.paths.join(', ') : source.root;
}

function isBelow(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path.startsWith(root.endsWith('/') ? root : `${root}/`) || path === root);
}
