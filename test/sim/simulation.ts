/**
 * The whole pipeline in one seeded run: a world that writes and rotates, and a process of agent, transport, indexer
 * and store that is killed, loses power, meets a full disk and failing reads, and starts again. Time is virtual and
 * the file system is in memory, so a run takes milliseconds and a seed replays it.
 *
 * In the end the faults stop, the pipeline drains, and `check-guarantees.ts` compares what search finds with what
 * the world wrote.
 */
import { MemoryFileSystem, systemError } from '../../src/base/memory-file-system.ts';
import { createRandom } from '../../src/base/prng.ts';
import { VirtualScheduler } from '../../src/base/virtual-scheduler.ts';
import { DurableCheckpoints, loseCheckpoints } from './durable-checkpoints.ts';
import { type RotatedTools, RotatedWriters } from './rotated-writers.ts';
import { type CheckInput, checkForgotten, checkGuarantees } from './check-guarantees.ts';
import { DATA, SimulatedProcess } from './simulated-process.ts';
import { World } from './world.ts';

export interface SimulationReport {
  readonly seed: number;
  readonly lines: number;
  readonly crashes: number;
  readonly faults: number;
  /** Lines whose bytes rotation freed, and ranges that it gave up. */
  readonly freed: number;
  readonly givenUp: number;
  /** Empty when every guarantee held. */
  readonly violations: readonly string[];
}

/** Steps of a run: enough for several rotations of every file and several crashes. */
const STEP_COUNT = 160;

const STEP_MS_MAX = 400;

/**
 * Virtual time after which every file was found, also one whose finding failed last, and one at rest that grew: a
 * rescan, a retry, and a look at all sizes.
 */
const FIND_MS = 12_000;

/** Virtual time that the pipeline may take to catch up once nothing goes wrong any more. */
const DRAIN_MS_MAX = 600_000;

/** Virtual time after which a deleted file is let go, and its checkpoint with it. */
const LINGER_MS = 20_000;

interface Faults {
  /** The world outside meets no faults: they are the process's own. */
  isOutside: boolean;
  /** Reads of log files that fail, by chance. */
  readFailure: number;
  isDiskFull: boolean;
  /** The process dies between two steps of a rotation, by chance. */
  deathInRotation: number;
  count: number;
}

const FAULTS_FIRST: Faults = {
  isOutside: false,
  readFailure: 0,
  isDiskFull: false,
  deathInRotation: 0.05,
  count: 0,
};

/** A disk that is busy takes this long at most to make a checkpoint durable; mostly much less. */
const SYNC_MS_MAX = 4000;

/** And this long at most to open an archive: names move on meanwhile. */
const OPEN_MS_MAX = 2000;

/** How many crashes take the power too, and with it what is not synced of the checkpoints. */
const POWER_LOSS = 0.5;

const POWER_SEED = 1_000_003;

/** Runs one seed to its end; with `isRotating` Logboom itself rotates, and frees what is acknowledged. */
export async function simulate(seed: number, { isRotating = false } = {}): Promise<SimulationReport> {
  const random = createRandom(seed);
  // Of its own, so that everything else of a seed stays as it is.
  const powerRandom = createRandom(seed + POWER_SEED);
  const scheduler = new VirtualScheduler({ random });
  const fileSystem = new MemoryFileSystem({
    nowNs: () => scheduler.nowNs(),
    deliver: (task) => void scheduler.schedule(random() * 5, task),
  });
  fileSystem.isInodeReused = random() < 0.5;
  const faults: Faults = { ...FAULTS_FIRST };
  const isStored = (text: string): boolean => process.isStored(text);
  const checkpoints = new DurableCheckpoints(fileSystem, `${DATA}/agent`);
  let rotated: RotatedWriters | undefined;
  const world = new World({
    fileSystem,
    random,
    nowMs: () => scheduler.nowMs(),
    isStored,
    ...(isRotating
      ? {
          addWriters: (tools: RotatedTools) =>
            (rotated = new RotatedWriters(tools, { isStored, checkpoints })).writers,
        }
      : {}),
  });
  const surroundings = rotated?.surroundings(() => {
    if (random() < faults.deathInRotation) process.kill();
  });
  const syncMs = (): number => powerRandom() ** 4 * SYNC_MS_MAX;
  const openMs = (): number => powerRandom() ** 4 * OPEN_MS_MAX;
  const parts = { fileSystem, scheduler, surroundings, syncMs, openMs };
  let process = new SimulatedProcess(parts);
  let crashes = 0;
  process.start();
  fileSystem.onOperation = (operation, path) => injectFault(faults, random, operation, path);
  for (let step = 0; step < STEP_COUNT; step++) {
    actOutside(world, faults);
    await scheduler.advance(random() * STEP_MS_MAX);
    changeFaults(faults, random);
    if (random() < 0.03 || process.isKilled) {
      crashes += 1;
      process.kill();
      scheduler.clear();
      fileSystem.crash();
      if (powerRandom() < POWER_LOSS) loseCheckpoints(fileSystem, `${DATA}/agent`, powerRandom);
      for (let count = random() * 6; count > 1; count--) actOutside(world, faults);
      process = new SimulatedProcess({ ...parts, stored: process.stored });
      process.start();
    }
  }
  fileSystem.onOperation = undefined;
  faults.deathInRotation = 0;
  const violations = await endAndCheck({ world, process, fileSystem, scheduler, rotated });
  const { freed, givenUp } = rotated?.counts ?? { freed: 0, givenUp: 0 };
  return { seed, lines: world.lines.length, crashes, faults: faults.count, freed, givenUp, violations };
}

/** Drains the pipeline, ends the world and the process, and returns what does not hold. */
async function endAndCheck(input: CheckInput): Promise<string[]> {
  const { world, process, fileSystem, scheduler } = input;
  world.finish();
  await scheduler.advance(FIND_MS);
  await scheduler.advanceUntil(() => process.isDrained(), DRAIN_MS_MAX, 1000);
  world.removeAll();
  await scheduler.advance(LINGER_MS);
  const stopped = process.stop();
  await scheduler.advance(60_000);
  await stopped;
  return [...(await checkGuarantees(input)), ...(await checkForgotten(process, fileSystem))];
}

function actOutside(world: World, faults: Faults): void {
  faults.isOutside = true;
  world.act();
  faults.isOutside = false;
}

function injectFault(faults: Faults, random: () => number, operation: string, path: string): void {
  if (faults.isOutside) return;
  if (operation === 'read' && path.includes('.log') && random() < faults.readFailure) {
    faults.count += 1;
    throw systemError('EIO', path);
  }
  if (operation === 'write' && path.startsWith('/var/lib/logboom/store') && faults.isDiskFull) {
    faults.count += 1;
    throw systemError('ENOSPC', path);
  }
}

function changeFaults(faults: Faults, random: () => number): void {
  faults.readFailure = random() < 0.1 ? 0.3 : random() < 0.5 ? 0 : faults.readFailure;
  faults.isDiskFull = faults.isDiskFull ? random() < 0.7 : random() < 0.04;
}
