/**
 * Keeps `PodsState` up to date with the API server: lists the pods of this node, watches them from there, and begins
 * again when the watch is lost. `pod-watch-state.ts` decides what comes next; here it is done. Nobody waits for it:
 * while the API is away, what is known stays.
 */
import { AppError, messageOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { Scheduler, Timer } from '../../base/scheduler.ts';
import type { Service } from '../../base/service.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { JsonLines } from './json-lines.ts';
import type { ApiAnswer, KubernetesApi } from './kubernetes-api.ts';
import { type PodFacts, podFactsOf } from './pod-facts.ts';
import type { PodLookup } from './pod-lookup.ts';
import {
  GONE_STATUS,
  listPath,
  parseEvent,
  readList,
  refusalOf,
  versionOf,
  watchPath,
} from './pod-requests.ts';
import { PodWatchState, type WatchOutcome } from './pod-watch-state.ts';
import { loadPods, savePods } from './pods-file.ts';
import { type PodNames, PodsState } from './pods-state.ts';

/** A server that has not begun to answer after this time does not. */
const ANSWER_MS_MAX = 15_000;

/** A watch that says nothing for so long is opened anew: bookmarks come about every minute. */
const SILENCE_MS_MAX = 180_000;

/** The server ends a watch after this time, or up to twice as much. */
const WATCH_SECONDS = 300;

/** The file is written so long after a change, so that many are written once. */
const SAVE_DELAY_MS = 1000;

export interface PodWatchOptions {
  /** Loads the client: it costs memory, and only an agent that watches needs it. */
  readonly openApi: () => Promise<KubernetesApi>;
  /** Name of this node in Kubernetes. */
  readonly node: string;
  readonly data: string;
  /** Longest time that first records wait for what is known of their pod. */
  readonly waitMsMax: number;
  /** Whether an API that is away is a problem of the agent, or only a line in its log. */
  readonly isRequired: boolean;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
}

export class PodWatch implements Service, PodLookup {
  readonly name = 'kubernetes';
  readonly #options: PodWatchOptions;
  readonly #pods = new PodsState();
  readonly #state: PodWatchState;
  readonly #stopped = new AbortController();
  readonly #listeners: (() => void)[] = [];
  #api: KubernetesApi | undefined;
  #problem: string | undefined;
  /** When the last list that was taken in began; undefined before the first. */
  #listedMs: number | undefined;
  #seenVersion = 0;
  #forgotten = 0;
  #saveTimer: Timer | undefined;
  #saving: Promise<void> | undefined;
  #finished: Promise<void> | undefined;

  constructor(options: PodWatchOptions) {
    this.#options = options;
    this.#state = new PodWatchState(options.node);
    const { fileSystem, data, scheduler } = options;
    const problem = loadPods(this.#pods, { fileSystem, data, nowMs: scheduler.nowMs() });
    if (problem !== undefined) options.telemetry.log('warn', 'pods_file', problem);
    this.#seenVersion = this.#pods.version;
  }

  get version(): number {
    return this.#pods.version;
  }

  get hasListed(): boolean {
    return this.#listedMs !== undefined;
  }

  find(names: PodNames): PodFacts | undefined {
    return this.#pods.find(names);
  }

  shouldWait(names: PodNames, foundMs: number): boolean {
    const { scheduler, waitMsMax } = this.#options;
    if ((names.pod === undefined && names.podUid === undefined) || this.#state.isAway) return false;
    if (this.#stopped.signal.aborted || this.find(names) !== undefined) return false;
    // A list that began later than the file was found has every pod that it can belong to.
    if (this.#listedMs !== undefined && this.#listedMs > foundMs) return false;
    return scheduler.monotonicMs() - foundMs < waitMsMax;
  }

  noteFollowed(followed: Iterable<PodNames>): void {
    this.#pods.forgetGone(followed, this.#options.scheduler.nowMs());
    this.#report();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  run(): Promise<void> {
    this.#finished ??= this.#run();
    return this.#finished;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#finished?.catch(() => undefined);
  }

  problem(): string | undefined {
    return this.#options.isRequired ? this.#problem : undefined;
  }

  async #run(): Promise<void> {
    const { scheduler } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const step = this.#state.next;
      if (step.delayMs > 0) await scheduler.sleep(step.delayMs, signal);
      if (signal.aborted) break;
      const outcome = await this.#attempt((patience) =>
        step.kind === 'list' ? this.#list(patience) : this.#watch(step.resourceVersion, patience),
      );
      if (outcome !== undefined && !signal.aborted) this.#state.onOutcome(outcome);
      // Files that wait for an API that has just gone do so no longer.
      if (this.#state.isAway) this.#tell();
    }
    this.#saveTimer?.cancel();
    await this.#saving;
    await this.#save();
  }

  /** Runs one list or watch under a limit of time, and makes an outcome of whatever it throws. */
  async #attempt(
    run: (patience: Patience) => Promise<WatchOutcome | undefined>,
  ): Promise<WatchOutcome | undefined> {
    const patience = new Patience(this.#options.scheduler, this.#stopped.signal);
    try {
      return await run(patience);
    } catch (error) {
      if (this.#stopped.signal.aborted) return undefined;
      const cause = patience.isOver ? patience.error : asAppError(error);
      this.#noteAway(cause);
      return { kind: 'failed', retryAfterMs: retryAfterOf(cause) };
    } finally {
      patience.end();
    }
  }

  async #get(path: string, verb: 'list' | 'watch', patience: Patience): Promise<ApiAnswer | 'expired'> {
    patience.limit(ANSWER_MS_MAX, 'the API server does not answer');
    this.#api ??= await this.#options.openApi();
    const answer = await this.#api.get(path, patience.signal);
    this.#count('requests', { verb, status: String(answer.status) });
    if (answer.status === 200) return answer;
    if (answer.status === GONE_STATUS) return 'expired';
    const refusal = await refusalOf(answer, verb);
    const { message, code, hint, details } = refusal;
    const retryAfterMs = answer.retryAfterMs ?? 0;
    throw new AppError(code, message, { hint, details: { ...details, retryAfterMs } });
  }

  async #list(patience: Patience): Promise<WatchOutcome | undefined> {
    const { node, scheduler } = this.#options;
    const startedMs = scheduler.monotonicMs();
    const answer = await this.#get(listPath(node), 'list', patience);
    if (answer === 'expired') return { kind: 'expired' };
    const { items, resourceVersion } = await readList(answer.body);
    const pods = items.flatMap((item) => podFactsOf(item) ?? []);
    this.#pods.replace(pods, scheduler.nowMs());
    this.#listedMs = startedMs;
    this.#state.onListed(resourceVersion);
    this.#noteThere(pods.length);
    this.#tell();
    return undefined;
  }

  async #watch(resourceVersion: string, patience: Patience): Promise<WatchOutcome> {
    const { node } = this.#options;
    const timeoutSeconds = Math.floor(WATCH_SECONDS * (1 + this.#state.fraction()));
    const answer = await this.#get(watchPath(node, { resourceVersion, timeoutSeconds }), 'watch', patience);
    if (answer === 'expired') return { kind: 'expired' };
    this.#state.onOpened();
    this.#noteThere(undefined);
    const lines = new JsonLines();
    const silence = 'the watch of pods says nothing';
    patience.limit(SILENCE_MS_MAX, silence);
    for await (const bytes of answer.body) {
      patience.limit(SILENCE_MS_MAX, silence);
      for (const line of lines.push(bytes)) {
        const outcome = this.#takeEvent(line);
        if (outcome !== undefined) return outcome;
      }
    }
    // What stands behind the last newline is torn off: the watch goes on before it, and the server says it again.
    return lines.end() === '' ? { kind: 'ended' } : { kind: 'failed' };
  }

  /** Takes in one event; returns how the watch ends when it cannot go on behind it. */
  #takeEvent(line: string): WatchOutcome | undefined {
    if (line.trim() === '') return undefined;
    const { type, object } = parseEvent(line);
    this.#count('watch_events', { type });
    if (type === 'ERROR') return outcomeOfStatus(object);
    const pod = type === 'BOOKMARK' ? undefined : podFactsOf(object);
    const nowMs = this.#options.scheduler.nowMs();
    if (pod !== undefined && type === 'DELETED') this.#pods.putGone(pod, nowMs);
    else if (pod !== undefined && !this.#pods.put(pod)) this.#warnTooMany();
    const version = versionOf(object);
    if (version !== undefined) this.#state.onVersion(version);
    this.#tell();
    return undefined;
  }

  /** Tells those who asked that something is known, and has it written down. */
  #tell(): void {
    this.#report();
    if (this.#seenVersion === this.#pods.version && !this.#state.isAway) return;
    if (this.#seenVersion !== this.#pods.version) this.#saveLater();
    this.#seenVersion = this.#pods.version;
    for (const listener of this.#listeners) listener();
  }

  #report(): void {
    const { telemetry } = this.#options;
    const { present, gone, forgotten } = this.#pods.counts;
    telemetry.gauge('logboom_kubernetes_pods', present, { state: 'present' });
    telemetry.gauge('logboom_kubernetes_pods', gone, { state: 'gone' });
    if (forgotten > this.#forgotten) {
      telemetry.count('logboom_kubernetes_forgotten_pods_total', forgotten - this.#forgotten);
      this.#forgotten = forgotten;
    }
  }

  #saveLater(): void {
    this.#saveTimer ??= this.#options.scheduler.schedule(SAVE_DELAY_MS, () => {
      this.#saveTimer = undefined;
      this.#saving = this.#save();
    });
  }

  async #save(): Promise<void> {
    const problem = await savePods(this.#pods, this.#options);
    if (problem !== undefined) this.#options.telemetry.log('warn', 'pods_file', problem);
  }

  /** Says once per cause that the API is away. */
  #noteAway(error: AppError): void {
    const { telemetry } = this.#options;
    telemetry.gauge('logboom_kubernetes_up', 0);
    const reason = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
    if (reason === this.#problem) return;
    this.#problem = reason;
    const text = `${reason}${reason.endsWith('.') ? '' : '.'} Records go on without new labels of pods; it is tried again`;
    telemetry.log('warn', 'kubernetes_away', text, { code: error.code });
  }

  #noteThere(podCount: number | undefined): void {
    const { telemetry, node } = this.#options;
    telemetry.gauge('logboom_kubernetes_up', 1);
    if (this.#problem !== undefined)
      telemetry.log('info', 'kubernetes_back', 'the Kubernetes API tells of the pods again');
    this.#problem = undefined;
    if (podCount !== 0) return;
    const text = `Kubernetes has no pod on a node named ${node}: is kubernetes.node its name there?`;
    telemetry.log('warn', 'kubernetes_empty', text, { node });
  }

  #warnTooMany(): void {
    this.#options.telemetry.count('logboom_kubernetes_forgotten_pods_total', 1);
  }

  #count(what: 'requests' | 'watch_events', labels: Readonly<Record<string, string>>): void {
    this.#options.telemetry.count(`logboom_kubernetes_${what}_total`, 1, labels);
  }
}

/** How long an attempt may take until its next sign of life. */
class Patience {
  readonly #scheduler: Scheduler;
  readonly #controller = new AbortController();
  readonly #stopped: AbortSignal;
  readonly #stop = (): void => this.#controller.abort();
  #timer: Timer | undefined;
  #text = '';
  isOver = false;

  constructor(scheduler: Scheduler, stopped: AbortSignal) {
    this.#scheduler = scheduler;
    this.#stopped = stopped;
    stopped.addEventListener('abort', this.#stop);
    if (stopped.aborted) this.#stop();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get error(): AppError {
    return new AppError('timed_out', `cannot learn of the pods of this node (${this.#text})`);
  }

  /** Gives up when this is not called again within `limitMs`. */
  limit(limitMs: number, text: string): void {
    this.#text = text;
    this.#timer?.cancel();
    this.#timer = this.#scheduler.schedule(limitMs, () => {
      this.isOver = true;
      this.#controller.abort();
    });
  }

  /** Ends the request, if it still goes on. */
  end(): void {
    this.#timer?.cancel();
    this.#stopped.removeEventListener('abort', this.#stop);
    this.#controller.abort();
  }
}

/** An error in the stream: 410 says that the version is too old, everything else ends this watch. */
function outcomeOfStatus(status: unknown): WatchOutcome {
  return (status as { code?: unknown } | null | undefined)?.code === GONE_STATUS
    ? { kind: 'expired' }
    : { kind: 'failed' };
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const text = `cannot learn of the pods of this node (${messageOf(error)})`;
  return new AppError('unreachable', text, { cause: error });
}

function retryAfterOf({ details }: AppError): number | undefined {
  const value = details['retryAfterMs'];
  return typeof value === 'number' && value > 0 ? value : undefined;
}
