/**
 * Keeps a member of a consumer group alive: heartbeats go on while its user is slow, while partitions are revoked, and
 * while the coordinator is away. `group-state.ts` has the rules.
 */
import type { Scheduler } from '../../../base/scheduler.ts';
import {
  asLost,
  changeOf,
  NEW_MEMBER,
  withAnswer,
  withOwned,
  withSubscription,
  type GroupChange,
  type GroupState,
} from './group-state.ts';
import { FIND_COORDINATOR, GROUP_HEARTBEAT, partialResponse } from '../client/kafka-apis.ts';
import { errorNameOf } from '../client/kafka-cluster.ts';
import type { KafkaRequests } from '../client/kafka-requests.ts';
import { KafkaError, problemOf } from '../client/kafka-problem.ts';
import type { ProblemBook } from '../client/problem-book.ts';
import type { SubscribedTopic } from './subscription.ts';
import { within } from '../client/within.ts';

export interface GroupListener {
  /** Finishes and commits what is held of partitions, and stops reading them. Bounded by the listener. */
  revoke(keys: readonly string[]): Promise<void>;
  /** Begins to read partitions; those it could not begin are asked for again. Returns the ones that it reads. */
  assign(keys: readonly string[]): Promise<readonly string[]>;
  /** Stops reading partitions that may belong to another member already. */
  lose(keys: readonly string[]): void;
}

export interface GroupOptions {
  readonly cluster: KafkaRequests;
  readonly scheduler: Scheduler;
  readonly problems: ProblemBook;
  readonly groupId: string;
  readonly listener: GroupListener;
  /** Longest time between being asked to let partitions go and doing so. */
  readonly rebalanceMsMax: number;
  /** Called when the coordinator does not assign partitions: the membership ends. */
  readonly onUnsupported: () => void;
}

/** Who commits, as the coordinator knows it. */
export interface GroupIdentity {
  readonly memberId: string;
  readonly epoch: number;
  readonly coordinator: number;
}

/** What a consumer needs of its membership, whichever protocol it is by. */
export interface GroupMembership {
  readonly identity: GroupIdentity | undefined;
  /** States which topics are read; the first call joins. */
  subscribe(topics: readonly SubscribedTopic[]): void;
  /** Told that the coordinator refused a request with this error. */
  noteError(code: string): void;
  /** Lets everything go, and tells the coordinator. */
  leave(): Promise<void>;
}

const RETRY_MS = 500;

/** The coordinator is another one now, or has just begun. */
const MOVED = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS']);

/** The member's partitions are somebody else's. */
const LOST = new Set(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID']);

const LEAVE_EPOCH = -1;
const LEAVE_MS_MAX = 3_000;

export class GroupMember implements GroupMembership {
  readonly #options: GroupOptions;
  readonly #closing = new AbortController();
  #state: GroupState = NEW_MEMBER;
  #topics: readonly string[] = [];
  #coordinator: number | undefined;
  #running: Promise<void> | undefined;
  #reconciling: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #isWanted = false;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  get identity(): GroupIdentity | undefined {
    const { memberId, epoch } = this.#state;
    const coordinator = this.#coordinator;
    return coordinator === undefined || epoch <= 0 ? undefined : { memberId, epoch, coordinator };
  }

  subscribe(topics: readonly SubscribedTopic[]): void {
    this.#topics = topics.map(({ name }) => name);
    this.#state = withSubscription(this.#state);
    this.#running ??= this.#run();
    this.#beatSoon();
  }

  noteError(code: string): void {
    if (MOVED.has(code)) this.#coordinator = undefined;
    if (LOST.has(code)) this.#lose();
    this.#beatSoon();
  }

  async leave(): Promise<void> {
    await this.#reconciling;
    const { owned } = this.#state;
    if (owned.size > 0) await this.#options.listener.revoke([...owned]);
    const { identity } = this;
    this.#closing.abort();
    this.#beatSoon();
    await this.#running;
    if (identity === undefined) return;
    // Whether it was heard or not: without heartbeats the coordinator removes the member anyway.
    const leaving = this.#send(identity.coordinator, {
      ...this.#state,
      epoch: LEAVE_EPOCH,
      owned: new Set(),
    });
    await within(this.#options.scheduler, LEAVE_MS_MAX, leaving);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#isWanted = false;
      const delayMs = await this.#beat();
      if (!this.#isWanted && !signal.aborted) await this.#sleep(delayMs);
    }
  }

  /** Sends one heartbeat and returns when the next one is due. */
  async #beat(): Promise<number> {
    const { problems } = this.#options;
    const sent = this.#state;
    try {
      this.#coordinator ??= await findCoordinator(this.#options.cluster, this.#options.groupId);
      const response = await this.#send(this.#coordinator, sent);
      const target = response.assignment?.topicPartitions.flatMap(({ topicId, partitions }) =>
        partitions.map((number) => `${topicId}:${number}`),
      );
      const isStillChanged = this.#state !== sent;
      this.#state = withAnswer(this.#state, {
        memberId: response.memberId ?? undefined,
        epoch: response.memberEpoch,
        heartbeatMs: response.heartbeatIntervalMs,
        target,
      });
      if (isStillChanged) this.#state = withSubscription(this.#state);
      problems.note('be a member of the group', undefined);
      this.#reconcile();
      return this.#state.isChanged ? 0 : this.#state.heartbeatMs;
    } catch (error) {
      if (this.#closing.signal.aborted) return 0;
      return this.#afterFailure(error);
    }
  }

  #afterFailure(error: unknown): number {
    const { problems, groupId } = this.#options;
    const problem = problemOf(error, `be a member of the group ${groupId}`);
    if (LOST.has(problem.code)) {
      this.#lose();
      return 0;
    }
    if (problem.code === 'UNSUPPORTED_VERSION') {
      this.#closing.abort();
      this.#options.onUnsupported();
      return 0;
    }
    this.#coordinator = undefined;
    if (!MOVED.has(problem.code)) problems.note('be a member of the group', problem);
    return RETRY_MS;
  }

  #send(
    coordinator: number,
    state: GroupState,
  ): ReturnType<(typeof GROUP_HEARTBEAT)['versions'][0]['async']> {
    const { cluster, groupId, rebalanceMsMax } = this.#options;
    const isFull = state.isChanged || state.epoch <= 0;
    return cluster.call(
      coordinator,
      'group',
      GROUP_HEARTBEAT,
      groupId,
      state.memberId,
      state.epoch,
      null,
      null,
      isFull ? rebalanceMsMax : -1,
      isFull ? [...this.#topics] : null,
      null,
      null,
      isFull ? topicPartitionsOf(state.owned) : null,
    );
  }

  /** Lets go and takes over in the background, so that heartbeats go on meanwhile. */
  #reconcile(): void {
    if (this.#reconciling !== undefined) return;
    const change = changeOf(this.#state);
    if (change.revoked.length === 0 && change.assigned.length === 0) return;
    this.#reconciling = this.#apply(change).finally(() => {
      this.#reconciling = undefined;
      this.#beatSoon();
    });
  }

  async #apply({ revoked, assigned }: GroupChange): Promise<void> {
    const { listener, scheduler } = this.#options;
    const { memberId } = this.#state;
    if (revoked.length > 0) await listener.revoke(revoked);
    if (this.#closing.signal.aborted || this.#state.memberId !== memberId) return;
    this.#state = withOwned(this.#state, { revoked, assigned: [] });
    // Meanwhile the coordinator may have changed its mind, or may have given the member up.
    const wanted = assigned.filter((key) => this.#state.target.has(key));
    const begun = wanted.length === 0 ? [] : await listener.assign(wanted);
    if (this.#closing.signal.aborted) return;
    const kept = begun.filter((key) => this.#state.target.has(key));
    listener.lose(begun.filter((key) => !kept.includes(key)));
    this.#state = withOwned(this.#state, { revoked: [], assigned: kept });
    if (begun.length < wanted.length) await scheduler.sleep(RETRY_MS, this.#closing.signal);
  }

  #lose(): void {
    const { owned } = this.#state;
    this.#state = asLost(this.#state);
    this.#options.listener.lose([...owned]);
  }

  #beatSoon(): void {
    this.#isWanted = true;
    this.#wake?.();
  }

  async #sleep(delayMs: number): Promise<void> {
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    await this.#options.scheduler.sleep(delayMs, AbortSignal.any([waking.signal, this.#closing.signal]));
    this.#wake = undefined;
  }
}

/** Returns the node that coordinates a group. */
export async function findCoordinator(cluster: KafkaRequests, groupId: string): Promise<number> {
  // Its answer may name a broker that is not known yet.
  await cluster.describe([]);
  const { coordinators } = await partialResponse(cluster.call('any', 'data', FIND_COORDINATOR, 0, [groupId]));
  const found = coordinators[0];
  const error = errorNameOf(found?.errorCode ?? -1);
  if (found === undefined || error !== undefined)
    throw new KafkaError(error ?? 'COORDINATOR_NOT_AVAILABLE', found?.errorMessage ?? '');
  return found.nodeId;
}

function topicPartitionsOf(keys: ReadonlySet<string>): { topicId: string; partitions: number[] }[] {
  const split = [...keys].map((key) => {
    const colon = key.lastIndexOf(':');
    return { topicId: key.slice(0, colon), number: Number(key.slice(colon + 1)) };
  });
  return [...Map.groupBy(split, ({ topicId }) => topicId)].map(([topicId, ofTopic]) => ({
    topicId,
    partitions: ofTopic.map(({ number }) => number),
  }));
}
