/**
 * The agent: finds the files of the configured sources, follows them, and sends their records.
 *
 * One loop does everything in turns of a few milliseconds, so that whatever shares the process stays responsive:
 * take in what events have marked, read slices as far as credits reach, send, tend what is due by time, write the
 * checkpoint and the ledger. Events and acknowledgements only mark work and wake the loop.
 */
import { AppError } from '../base/errors.ts';
import { BufferPool } from '../capture/buffer-pool.ts';
import type { Config } from '../config/config.ts';
import { AgentWarnings } from './agent-warnings.ts';
import type { Agent, AgentFileStatus, AgentOptions, AgentSourceStatus } from './agent-types.ts';
import { DirectoryTree } from './discovery/directory-tree.ts';
import { createLayout } from './discovery/create-layout.ts';
import { type GroupSpec, joinPath } from './discovery/layout.ts';
import { FollowedFiles } from './followed-files.ts';
import { GapWarnings } from './gap-warnings.ts';
import { podNamesOf } from './kubernetes/pod-lookup.ts';
import { compileSelection, podMembers } from './kubernetes/pod-members.ts';
import { realDirectoryOf } from './real-directory.ts';
import { buildResource } from './resource.ts';
import { FileBook } from './ship/file-book.ts';
import { openCheckpoints } from './ship/checkpoint-store.ts';
import { Shipper } from './ship/shipper.ts';
import { createDecoderFactory } from './tail/decoder-factory.ts';
import { isPassing, lastingObstacles, type Obstacle, Obstacles, obstaclesError } from './obstacles.ts';
import type { TailContext } from './tail/tail-context.ts';
import { Tailer } from './tail/tailer.ts';

/** A turn of the loop ends after this time, and after this many slices where no time passes. */
const TURN_MS_MAX = 5;
const TURN_SLICES_MAX = 16;

/** The loop looks around at least this often. */
const SLEEP_MS_MAX = 1000;

/** A batch is given out at this size even in the middle of a slice. */
const BATCH_BYTES_MAX = 1024 * 1024;
const BATCH_BYTES_MIN = 64 * 1024;

/** Batches are a part of what may be under way, so that one is encoded while others wait for acknowledgement. */
const BATCHES_IN_BUFFER = 8;

const PROGRESS_MS = 500;

/** How long an audit's look at all directories may keep the process from everything else. */
const LOOK_MS_MAX = 500;

/** How long an audit waits for files that are new to be known, and how often it looks. */
const SETTLE_MS_MAX = 500;
const SETTLE_LOOK_MS = 5;

/** How often directories are read again in which something could not be opened. */
const RETRY_MS = 1000;

/** Names can move on while a directory is read: files are lost that are not found in it again after `RETRY_MS` either. */
const LOST_MS = 3000;

/** Gauges are set this often: a scrape sees them at most so late. */
const REPORT_MS = 5000;

/** Makes an agent. `run` opens the checkpoints in `<data>/agent`; the caller holds the lock of the data directory. */
export function createAgent(options: AgentOptions): Agent {
  return new FileAgent(options);
}

class FileAgent implements Agent {
  readonly name = 'agent';
  readonly #options: AgentOptions;
  readonly #config: Config;
  readonly #gapWarnings: GapWarnings;
  readonly #warnings: AgentWarnings;
  readonly #buffers: BufferPool;
  readonly #retry = new Set<string>();
  readonly #obstacles: Obstacles;
  readonly #trees: DirectoryTree[];
  readonly #shipper: Shipper;
  #tailer: Tailer | undefined;
  #book: FileBook | undefined;
  #followed: FollowedFiles | undefined;
  #isFirstScan = true;
  #isStopping = false;
  #isAwake = false;
  #sleeper: (() => void) | undefined;
  #finished: Promise<void> | undefined;
  #rescanAtMs = 0;
  #retryAtMs = 0;
  #checkpointAtMs = 0;
  #dropLostAtMs = Number.POSITIVE_INFINITY;
  #ledgerAtMs = 0;
  #reportAtMs = 0;
  #progressAtMs = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#warnings = new AgentWarnings(options.telemetry);
    this.#gapWarnings = new GapWarnings(options.telemetry, () => options.scheduler.monotonicMs());
    const batchBytes = Math.floor(options.config.agent.bufferBytesMax / BATCHES_IN_BUFFER);
    this.#buffers = new BufferPool(Math.min(BATCH_BYTES_MAX, Math.max(BATCH_BYTES_MIN, batchBytes)));
    this.#obstacles = new Obstacles(() => options.scheduler.monotonicMs());
    this.#trees = options.config.sources.map((source) => this.#createTree(source));
    this.#shipper = new Shipper({
      producer: options.producer,
      telemetry: options.telemetry,
      buffers: this.#buffers,
      bytesMax: options.config.agent.bufferBytesMax,
      prepare: () => this.#book?.prepare(),
      isDurable: (fileId, written) => this.#book?.isDurable(fileId, written) === true,
      persist: () => this.#book?.persist() ?? 0,
      onAcknowledged: (fileId) => {
        this.#book?.onAcknowledged(fileId);
        this.#wake();
      },
    });
  }

  run(): Promise<void> {
    this.#finished ??= this.#run();
    return this.#finished;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake();
    await this.#finished?.catch(() => undefined);
  }

  problem(): string | undefined {
    return this.#shipper.problem;
  }

  files(): AgentFileStatus[] {
    return this.#book?.census.files() ?? [];
  }

  get followed(): FollowedFiles | undefined {
    return this.#isFirstScan ? undefined : this.#followed;
  }

  sources(): AgentSourceStatus[] {
    return this.#trees.map((tree) => ({
      kind: tree.layout.source.kind,
      roots: tree.layout.roots,
      missing: tree.missingRoots,
      directories: tree.directoryCount,
      files: this.#book?.census.countFiles(tree.layout.source) ?? 0,
    }));
  }

  obstacles(): Obstacle[] {
    return lastingObstacles(this.#allObstacles());
  }

  async writeLedger(): Promise<void> {
    const book = this.#book;
    const isLookedAt = !this.#isFirstScan && this.#lookAtEverything();
    if (book !== undefined && isLookedAt) await this.#untilSettled(book);
    const obstacles = this.#allObstacles();
    const isWhole = await book?.writeLedger();
    // Sizes are looked at once more for it.
    if (book !== undefined) obstacles.push(...book.census.obstacles());
    const error = obstaclesError(obstacles);
    if (error !== undefined) throw error;
    if (isWhole === true && isLookedAt && obstacles.length === 0) return;
    throw new AppError(
      'too_busy',
      'cannot account for every file yet: not all of them have been looked into',
    );
  }

  /** Where files are rotated all the time, one is always new: waits for a moment when each is known. */
  async #untilSettled(book: FileBook): Promise<void> {
    const { scheduler } = this.#options;
    await book.settleLedger();
    const endMs = scheduler.monotonicMs() + SETTLE_MS_MAX;
    while (scheduler.monotonicMs() < endMs) {
      if (!book.census.isSettling() && !this.#allObstacles().some(isPassing)) return;
      this.#retryDirectories(scheduler.monotonicMs());
      this.#wake();
      await scheduler.sleep(SETTLE_LOOK_MS);
    }
  }

  #allObstacles(): Obstacle[] {
    return [...this.#obstacles.list(), ...(this.#book?.census.obstacles() ?? [])];
  }

  /** Believes no event: looks at all directories and links; returns whether the time was enough. */
  #lookAtEverything(): boolean {
    const { scheduler } = this.#options;
    const startMs = scheduler.monotonicMs();
    this.#retryDirectories(startMs);
    for (const tree of this.#trees) {
      tree.rescan();
      tree.work(() => scheduler.monotonicMs() - startMs >= LOOK_MS_MAX);
    }
    this.#wake();
    return !this.#trees.some((tree) => tree.hasWork);
  }

  async #run(): Promise<void> {
    const { fileSystem, telemetry } = this.#options;
    const opened = await openCheckpoints(fileSystem, joinPath(this.#config.data, 'agent'));
    if (opened.damage !== undefined) {
      const { reason, keptAs } = opened.damage;
      const text = `${reason}; what stands before it is used, the damaged file is kept as ${keptAs}`;
      telemetry.log('warn', 'checkpoint_damaged', text, { keptAs });
    }
    const context = this.#createContext();
    const tailer = new Tailer(context, opened.files.values());
    this.#tailer = tailer;
    this.#book = new FileBook({ context, tailer, store: opened.store, producer: this.#options.producer });
    this.#book.restore(opened.files.values());
    this.#followed = new FollowedFiles({ context, tailer, store: opened.store });
    this.#options.pods?.onChange(() => this.#wake());
    for (const tree of this.#trees) tree.start();
    try {
      await this.#loop(tailer, this.#book);
      await this.#drain(this.#book);
    } finally {
      for (const tree of this.#trees) tree.close();
      tailer.close();
      opened.store.close();
    }
  }

  async #loop(tailer: Tailer, book: FileBook): Promise<void> {
    const { scheduler } = this.#options;
    while (!this.#isStopping && !this.#shipper.isClosed) {
      this.#isAwake = false;
      const nextPollMs = this.#turn(tailer, book);
      const isRead =
        this.#options.once === true && !this.#isFirstScan && book.census.isAllRead() && this.#shipper.isEmpty;
      if (isRead) return;
      await this.#writeDue(book);
      if (this.#hasWork(tailer)) {
        await scheduler.yield();
        continue;
      }
      const nowMs = scheduler.monotonicMs();
      const nextMs = Math.min(nextPollMs, tailer.tendAtMs, this.#checkpointAtMs, this.#rescanAtMs);
      await this.#sleep(Math.min(SLEEP_MS_MAX, Math.max(1, nextMs - nowMs)));
    }
  }

  /** Returns when the next poll is due. */
  #turn(tailer: Tailer, book: FileBook): number {
    const { scheduler } = this.#options;
    const startMs = scheduler.monotonicMs();
    const isTimeUp = (): boolean => scheduler.monotonicMs() - startMs >= TURN_MS_MAX;
    if (startMs >= this.#rescanAtMs) this.#rescan(startMs);
    if (startMs >= this.#retryAtMs) this.#retryDirectories(startMs);
    let nextPollMs = Number.POSITIVE_INFINITY;
    for (const tree of this.#trees) nextPollMs = Math.min(nextPollMs, tree.poll(startMs));
    for (const tree of this.#trees) {
      tree.work(isTimeUp);
      // What several sources reach belongs to the first of them: it has looked everywhere before the next begins.
      if (this.#isFirstScan && tree.hasWork) break;
    }
    if (this.#isFirstScan && !this.#trees.some((tree) => tree.hasWork)) {
      this.#isFirstScan = false;
      this.#dropLostAtMs = startMs + LOST_MS;
      tailer.endFirstScan();
    }
    tailer.notePods();
    tailer.settleTruncated();
    let slices = 0;
    tailer.serve(() => {
      const canRead = slices++ < TURN_SLICES_MAX && !isTimeUp() && this.#shipper.hasCredit;
      return canRead;
    });
    tailer.tend(scheduler.monotonicMs());
    this.#shipper.flush();
    book.enforceDeletedBytes(this.#isFirstScan);
    return nextPollMs;
  }

  #hasWork(tailer: Tailer): boolean {
    if (this.#isAwake || this.#isStopping) return true;
    return (tailer.hasReady && this.#shipper.hasCredit) || this.#trees.some((tree) => tree.hasWork);
  }

  /** Reads directories again in which something could not be opened. */
  #retryDirectories(nowMs: number): void {
    this.#retryAtMs = nowMs + RETRY_MS;
    for (const directory of this.#retry) for (const tree of this.#trees) tree.mark(directory);
    this.#retry.clear();
  }

  #rescan(nowMs: number): void {
    const isFirst = this.#rescanAtMs === 0;
    this.#rescanAtMs = nowMs + this.#config.agent.rescanMs;
    if (isFirst) return;
    for (const tree of this.#trees) tree.rescan();
  }

  async #writeDue(book: FileBook): Promise<void> {
    const { scheduler, onProgress } = this.#options;
    const { checkpointMs, ledgerMs } = this.#config.agent;
    const nowMs = scheduler.monotonicMs();
    if (nowMs >= this.#checkpointAtMs) {
      this.#checkpointAtMs = nowMs + checkpointMs;
      if (nowMs >= this.#dropLostAtMs) book.dropLost(this.#trees);
      await book.writeCheckpoint();
    }
    if (nowMs >= this.#reportAtMs) {
      this.#reportAtMs = nowMs + REPORT_MS;
      book.census.report(this.#trees, this.#shipper.heldBytes);
      this.#gapWarnings.tellDue();
      if (!this.#isFirstScan) this.#tailer?.tellFollowedPods();
    }
    if (nowMs >= this.#ledgerAtMs) {
      this.#ledgerAtMs = nowMs + ledgerMs;
      book.startLedger();
    }
    if (onProgress !== undefined && nowMs >= this.#progressAtMs) {
      this.#progressAtMs = nowMs + PROGRESS_MS;
      onProgress(book.census.progress());
    }
  }

  /** Reads nothing more, waits a bounded time for acknowledgements, and writes down how far things are. */
  async #drain(book: FileBook): Promise<void> {
    const { scheduler, telemetry, onProgress } = this.#options;
    for (const tree of this.#trees) tree.close();
    const endMs = scheduler.monotonicMs() + this.#config.drainMsMax;
    this.#shipper.flush();
    while (!this.#shipper.isEmpty && !this.#shipper.isClosed && scheduler.monotonicMs() < endMs) {
      await this.#sleep(Math.min(SLEEP_MS_MAX, endMs - scheduler.monotonicMs()));
      this.#shipper.flush();
    }
    if (!this.#shipper.isEmpty) {
      const text = 'not everything was acknowledged in time; it is read again at the next start';
      telemetry.log('warn', 'drain_incomplete', text);
    }
    await book.writeCheckpoint();
    const timeoutMs = Math.max(0, endMs - scheduler.monotonicMs());
    const patience = new AbortController();
    await Promise.race([book.writeLedger(), scheduler.sleep(timeoutMs, patience.signal)]);
    patience.abort();
    await book.writeCheckpoint();
    await book.settle();
    this.#gapWarnings.tellAll();
    onProgress?.(book.census.progress());
  }

  #createTree(source: Config['sources'][number]): DirectoryTree {
    const { fileSystem, scheduler } = this.#options;
    const { warnOnce } = this.#warnings;
    const retryLater = (directory: string): void => void this.#retry.add(directory);
    return new DirectoryTree({
      layout: createLayout(source, { fileSystem, warnOnce, retryLater }),
      fileSystem,
      scheduler,
      obstacles: this.#obstacles,
      warnOnce,
      retryLater,
      onWatchRefused: (code) => this.#warnings.onWatchRefused(code),
      onListing: (directory, files, isGone) => this.#tailer?.onListing(directory, files, { isGone, source }),
      onPoke: (directory) => this.#tailer?.onPoke(directory) ?? false,
      onWake: () => this.#wake(),
    });
  }

  #createContext(): TailContext {
    const { config, fileSystem, scheduler, sha256, openArchive, version } = this.#options;
    const telemetry = this.#gapWarnings;
    const facts = { node: config.node.name, cluster: config.cluster.name, version };
    const { pods } = this.#options;
    const selection = compileSelection(config.kubernetes);
    const resourceOf = (spec: GroupSpec): Record<string, unknown> => {
      const pod = pods?.find(podNamesOf(spec.names));
      return buildResource(spec, facts, pod && podMembers(pod, spec.names, selection));
    };
    return {
      config,
      fileSystem,
      scheduler,
      telemetry,
      sha256,
      openArchive,
      ship: this.#shipper.state,
      holes: this.#options.holes,
      isOnce: this.#options.once === true,
      facts,
      pods,
      resourceOf,
      isFirstScan: () => this.#isFirstScan,
      createDecoder: createDecoderFactory({
        buffers: this.#buffers,
        config,
        fileSystem,
        telemetry,
        resourceOf,
      }),
      emit: (batches) => this.#shipper.emit(batches),
      noteHold: (group, file) => this.#book?.noteHold(group, file),
      noteChange: (group, file) => this.#book?.noteChange(group, file),
      givenUntil: (fileId) => this.#book?.givenUntil(fileId) ?? 0,
      scanNow: (directory) => {
        for (const tree of this.#trees) if (tree.hasDirectory(directory)) tree.scanNow(directory);
      },
      lookBefore: (source, paths) => this.#lookBefore(source, paths),
      obstacles: this.#obstacles,
      retryLater: (directory) => void this.#retry.add(directory),
      warnOnce: this.#warnings.warnOnce,
      wake: () => this.#wake(),
    };
  }

  #lookBefore(source: Config['sources'][number], paths: readonly string[]): void {
    const index = this.#trees.findIndex((tree) => tree.layout.source === source);
    if (index <= 0) return;
    const directories = new Set(paths.map((path) => realDirectoryOf(this.#options.fileSystem, path)));
    for (const directory of directories) {
      if (directory === undefined) continue;
      for (const tree of this.#trees.slice(0, index)) tree.reach(directory);
    }
  }

  #wake(): void {
    this.#isAwake = true;
    this.#sleeper?.();
  }

  /** Sleeps until there is something to do; unlike a timer this keeps the process alive. */
  async #sleep(delayMs: number): Promise<void> {
    if (this.#isAwake) {
      this.#isAwake = false;
      return;
    }
    const alarm = new AbortController();
    // Without a reason each would be an exception with its stack.
    this.#sleeper = () => alarm.abort('awake');
    await this.#options.scheduler.sleep(delayMs, alarm.signal);
    this.#sleeper = undefined;
  }
}
