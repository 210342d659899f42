/** The loop of rotation on real directories; what the agent would say of the files is said by the test. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ProgramResult, RotateMachine } from '../../../base/log-directory.ts';
import { nodeFileSystem } from '../../../base/node/node-file-system.ts';
import { nodeRotateMachine } from '../../../base/node/node-rotate-machine.ts';
import { nodeScheduler } from '../../../base/node/node-scheduler.ts';
import type { Config } from '../../../config/config.ts';
import { loadConfig } from '../../../config/load-config.ts';
import { MemoryTelemetry } from '../../../telemetry/memory-telemetry.ts';
import type { FollowedFile, FollowedGroup, FollowedView } from '../../followed-files.ts';
import { parseRotatedName } from '../../discovery/rotated-name.ts';
import type { PodLookup } from '../../kubernetes/pod-lookup.ts';
import { parseStatus } from '../rotate-status.ts';
import { Rotator } from '../rotator.ts';
import { statusPathOf } from '../status-file.ts';

const WAIT_MS_MAX = 10_000;

/** Time passes faster, but for what the files say. */
const hasty = {
  ...nodeScheduler,
  monotonicMs: () => nodeScheduler.monotonicMs() * 50,
  sleep: (delayMs: number, signal?: AbortSignal) => nodeScheduler.sleep(delayMs / 50, signal),
};

export class Scene {
  readonly root: string;
  readonly log: string;
  readonly config: Config;
  readonly telemetry = new MemoryTelemetry();
  /** Bytes that count as acknowledged; undefined: all. */
  freeOffset: number | undefined;
  readonly givenUp: number[] = [];

  constructor(context: TestContext, rotate: string) {
    const directory = fs.mkdtempSync(path.join(tmpdir(), 'logboom-rotator-'));
    context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
    this.root = path.join(directory, 'logs');
    this.log = path.join(this.root, 'shop/cart/cart-0/log');
    fs.mkdirSync(this.log, { recursive: true });
    fs.mkdirSync(path.join(directory, 'data/agent'), { recursive: true });
    const text = `data: ${directory}/data\nsources: [ { kind: apps, root: ${this.root} } ]\n${rotate}\n`;
    this.config = loadConfig({
      flags: [],
      environment: {},
      file: { name: 'logboom.yaml', text },
      hostName: 'node-1',
      workingDirectory: '/',
      hasDirectory: () => false,
    }).config;
  }

  start(context: TestContext, machine: Partial<RotateMachine> = {}, pods?: PodLookup): Rotator {
    const rotator = new Rotator({
      config: this.config,
      followed: () => this.#followed(),
      machine: { ...nodeRotateMachine, ...machine },
      pods,
      fileSystem: nodeFileSystem,
      scheduler: hasty,
      telemetry: this.telemetry,
    });
    const running = rotator.run();
    context.after(async () => {
      await rotator.stop();
      await running;
    });
    return rotator;
  }

  write(name: string, bytes: number): string {
    const file = path.join(this.log, name);
    fs.writeFileSync(file, Buffer.alloc(bytes, 'a line of a log\n'));
    return file;
  }

  names(): string[] {
    return fs.readdirSync(this.log).toSorted();
  }

  status() {
    try {
      return parseStatus(fs.readFileSync(statusPathOf(this.config.data), 'utf8'));
    } catch {
      return undefined;
    }
  }

  warnings(): string {
    return this.telemetry.lines
      .filter(({ level }) => level !== 'debug')
      .map(({ text }) => text)
      .join('\n');
  }

  #followed(): FollowedView {
    return {
      groups: (isWanted) => this.#groups().filter(isWanted),
      stamp: () => nodeScheduler.monotonicMs(),
      lifeOf: () => undefined,
      noteTruncation: () => undefined,
      giveUp: (_id, untilOffset) => {
        this.givenUp.push(untilOffset);
        return { startOffset: 0, endOffset: untilOffset };
      },
      finish: () => undefined,
      noteCopy: () => undefined,
    };
  }

  #groups(): FollowedGroup[] {
    const [source] = this.config.sources;
    const groups = new Map<string, Omit<FollowedGroup, 'files'> & { readonly files: FollowedFile[] }>();
    if (source === undefined || !fs.existsSync(this.log)) return [];
    for (const name of this.names()) {
      const { base, rotation } = parseRotatedName(name);
      const stat = fs.statSync(path.join(this.log, name), { bigint: true, throwIfNoEntry: false });
      if (stat?.isFile() !== true || !base.endsWith('.log')) continue;
      const key = path.join(this.log, base);
      const names = { namespace: 'shop', app: 'cart', pod: 'cart-0', container: 'app' };
      const group = groups.get(key) ?? {
        key,
        source,
        directory: this.log,
        style: 'rotated' as const,
        names,
        files: [] as FollowedFile[],
      };
      groups.set(key, group);
      const size = Number(stat.size);
      const freeOffset = Math.min(size, this.freeOffset ?? size);
      group.files.push({
        id: `id of ${stat.ino}`,
        path: path.join(this.log, name),
        inode: `${stat.dev}:${stat.ino}`,
        birthNs: '0',
        copies: [],
        isActive: rotation === undefined,
        size,
        readOffset: freeOffset,
        freeOffset,
        isDone: freeOffset === size,
        hasUnfinishedLine: false,
        given: [],
      });
    }
    return [...groups.values()];
  }
}

/** Waits for something, and fails after a while. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (const deadlineMs = nodeScheduler.nowMs() + WAIT_MS_MAX; !isTrue();) {
    assert.ok(nodeScheduler.nowMs() < deadlineMs, `${what} did not happen`);
    await nodeScheduler.sleep(10);
  }
}

/** Lets the loop look around a few times. */
export const aMoment = (): Promise<void> => nodeScheduler.sleep(150);

/** Returns what a program says, and its exit code. */
export function answer(output: string, code = 0): ProgramResult {
  return { code, output, isTimedOut: false };
}
