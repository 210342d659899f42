/**
 * Runs an audit: lets the agents of this process bring their ledger up to date, looks at every file, and looks again
 * until all that stood in the files when it began is acknowledged, as long as its caller waits.
 *
 * Invariants: the marks are taken once, from a ledger that is known to be up to date; a ledger that cannot be brought
 * up to date delays a look by `REFRESH_MS_MAX` at most; one refresh at a time is under way.
 */
import { AppError, messageOf } from '../base/errors.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import { lookOrExplain, type AgentWatch } from './agent-watch.ts';
import type { ApiOptions, IndexingMark } from './api-options.ts';
import type { AuditAnswer } from './api-types.ts';
import { AuditLetters } from './audit-letters.ts';
import type { RestingLedgers } from './audit-report.ts';
import { buildAuditReport } from './audit-report.ts';

/** An agent answers within milliseconds, unless what it sends its ledger to takes nothing. */
const REFRESH_MS_MAX = 2_000;

/** Between two looks; doubled each time, because a look reads the whole store. */
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 5_000;

/** Nothing that works takes so long from a file to the store. */
const REST_MS_MIN = 5_000;
const REST_NS_MIN = BigInt(REST_MS_MIN) * 1_000_000n;

/** Between two looks a clock may be set right by so much; beyond it, it has jumped. */
const CLOCK_STEP_MS_MAX = 1_000;

/** Reading the dead letters takes longer only when the transport is away. */
const LETTERS_MS_MAX = 10_000;

/** What an audit remembers from look to look. */
interface AuditState {
  /** Taken behind the ledger of an earlier look: what is before it was sent, and may be on the way. */
  road: { readonly mark: IndexingMark; readonly timeNs: bigint } | undefined;
  marks: ReadonlyMap<string, number> | undefined;
  /** Files that lacked records at the last look, with the sequences of their ledger records. */
  missing: ReadonlyMap<string, number>;
  /** Those of an earlier look whose records have all passed the indexers. */
  indexed: ReadonlyMap<string, number>;
}

export class Auditor {
  readonly #options: ApiOptions;
  readonly #watch: AgentWatch;
  #refreshing: Promise<void> | undefined;
  /** How far the wall clock is ahead of the monotonic one. */
  #aheadMs: number;
  #steadyFromMs = 0;

  constructor(options: ApiOptions, watch: AgentWatch) {
    this.#options = options;
    this.#watch = watch;
    this.#aheadMs = this.#lookAtClocks();
  }

  /** Looks at least once, and again for `waitMs` while it cannot tell. */
  async run(waitMs: number, signal: AbortSignal): Promise<AuditAnswer> {
    const { scheduler } = this.#options;
    const deadlineMs = scheduler.monotonicMs() + waitMs;
    const state: AuditState = { road: undefined, marks: undefined, missing: new Map(), indexed: new Map() };
    let isLast = false;
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      const startMs = scheduler.monotonicMs();
      const answer = await this.#look(state, signal);
      const nowMs = scheduler.monotonicMs();
      if (answer.verdict !== 'unknown' || isLast || signal.aborted) return answer;
      // Whoever has been silent for so long does not speak while somebody waits.
      const { length: silent } = answer.agents.silent;
      if (silent > 0 && silent === answer.problemCount) return answer;
      // What was missing although the indexers have passed it by now is looked for once more, for certain.
      isLast = nowMs >= deadlineMs;
      const canProve = await this.#prove(state);
      if (isLast && !canProve) return answer;
      // A store that takes long to read is not read all the time.
      const restMs = Math.max(pauseMs, nowMs - startMs);
      if (!isLast) await scheduler.sleep(Math.min(restMs, deadlineMs - nowMs), signal);
    }
  }

  /** Looks at every file once. */
  async #look(state: AuditState, signal: AbortSignal): Promise<AuditAnswer> {
    const { store, markIndexing } = this.#options;
    const staleReason = await this.#refreshProblem();
    const { letters, problem: letterProblem } = await this.#readLetters(signal);
    const { untilNs, problem: roadProblem } = await this.#lookAtRoad(state);
    const { problem: agentProblem, ...agents } = await lookOrExplain(this.#watch, signal);
    const unknownReason = staleReason ?? roadProblem ?? letterProblem ?? agentProblem;
    const open = new Map<string, number>();
    const missing = new Map<string, number>();
    const answer = await buildAuditReport(store.audit(signal), {
      unknownReason,
      marks: state.marks,
      letters,
      agents,
      ownNode: this.#options.agentNode,
      onLag: (fileId, bytesWritten) => void open.set(fileId, bytesWritten),
      resting: unknownReason === undefined ? this.#resting(untilNs) : undefined,
      isIndexed:
        markIndexing === undefined ? undefined : (fileId, sequence) => state.indexed.get(fileId) === sequence,
      onMissing: (fileId, sequence) => void missing.set(fileId, sequence),
    });
    if (unknownReason === undefined) state.marks ??= open;
    state.missing = missing;
    return answer;
  }

  /** Returns whether the indexers have passed all that was missing at the last look. */
  async #prove(state: AuditState): Promise<boolean> {
    const { markIndexing, telemetry } = this.#options;
    if (markIndexing === undefined || state.missing.size === 0) return false;
    try {
      const mark = await markIndexing();
      if (!(await mark.isPassed())) return false;
    } catch (error) {
      telemetry.log('warn', 'audit_cannot_tell', `cannot tell how far the indexers are: ${messageOf(error)}`);
      return false;
    }
    state.indexed = state.missing;
    return true;
  }

  /** Reads where the records stood that the store refused. */
  async #readLetters(signal: AbortSignal): Promise<{ letters?: AuditLetters; problem?: string }> {
    const { deadLetters, scheduler } = this.#options;
    if (deadLetters === undefined) return {};
    const limit = new AbortController();
    const timer = scheduler.schedule(LETTERS_MS_MAX, () => limit.abort());
    const letters = new AuditLetters();
    try {
      for await (const letter of deadLetters.read(AbortSignal.any([signal, limit.signal]))) {
        if (!letters.add(letter)) return { problem: 'there are too many dead letters to account for' };
      }
    } catch (error) {
      if (!limit.signal.aborted) throw error;
    } finally {
      timer.cancel();
    }
    return limit.signal.aborted ? { problem: 'the dead letters cannot be read' } : { letters };
  }

  /**
   * Behind a broker, what was sent is stored some time later. Returns up to when the store knows what agents said,
   * or why it does not know even what they had said when the audit began.
   */
  async #lookAtRoad(state: AuditState): Promise<{ untilNs: bigint; problem?: string }> {
    const { markIndexing, scheduler } = this.#options;
    const untilNs = scheduler.nowNs();
    if (markIndexing === undefined) return { untilNs };
    try {
      state.road ??= { mark: await markIndexing(), timeNs: untilNs };
      const { mark, timeNs } = state.road;
      if (!(await mark.isPassed())) {
        return { untilNs, problem: 'what was sent before this audit began is not stored yet' };
      }
      // The next look has a mark of its own, behind the ledger that this one had written.
      state.road = { mark: await markIndexing(), timeNs: untilNs };
      return { untilNs: timeNs };
    } catch (error) {
      return { untilNs, problem: `cannot tell how far the indexers are: ${messageOf(error)}` };
    }
  }

  #lookAtClocks(): number {
    const { scheduler } = this.#options;
    return scheduler.nowMs() - scheduler.monotonicMs();
  }

  /** Whether the times of ledgers tell how long ago they were written: the wall clock has not jumped meanwhile. */
  #isClockSteady(): boolean {
    const aheadMs = this.#lookAtClocks();
    const nowMs = this.#options.scheduler.monotonicMs();
    if (Math.abs(aheadMs - this.#aheadMs) > CLOCK_STEP_MS_MAX) this.#steadyFromMs = nowMs + REST_MS_MIN;
    this.#aheadMs = aheadMs;
    return nowMs >= this.#steadyFromMs;
  }

  /** While a part has a problem, bytes may be on the way for as long as that lasts. */
  #resting(untilNs: bigint): RestingLedgers | undefined {
    const { agentNode: node, readiness } = this.#options;
    if (!this.#isClockSteady() || node === undefined || !readiness().ready) return undefined;
    return { node, untilTime: formatTimestamp(untilNs - REST_NS_MIN) };
  }

  /** Brings the ledger up to date; returns why it may be old, if it may. */
  async #refreshProblem(): Promise<string | undefined> {
    const { scheduler, store } = this.#options;
    const patience = new AbortController();
    const tooLate = scheduler.sleep(REFRESH_MS_MAX, patience.signal).then(() => {
      const problem = store.problem();
      const reason = problem === undefined ? 'what it says of its files is not stored yet' : problem;
      return `the agent's ledger may be old: ${reason}`;
    });
    const refreshed = this.#refresh(patience.signal).then(
      () => undefined,
      (error: unknown) =>
        isOfFile(error) ? error.message : `the agent's ledger may be old: ${messageOf(error)}`,
    );
    try {
      return await Promise.race([refreshed, tooLate]);
    } finally {
      patience.abort();
    }
  }

  /** Waits for a refresh that began earlier: what it says may be older than this audit. */
  async #refresh(signal: AbortSignal): Promise<void> {
    while (this.#refreshing !== undefined) await this.#refreshing.catch(() => undefined);
    if (signal.aborted) return;
    this.#refreshing = this.#options.refreshLedger().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }
}

/** Whether what the ledger does not tell of is named: it is no older than the audit. */
function isOfFile(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'io_failed';
}
