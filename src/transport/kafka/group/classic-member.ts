/**
 * A member of a group by the classic protocol with cooperative rebalancing (KIP-429), for brokers that do not assign
 * partitions themselves. Partitions are read on while the group agrees anew; only those that move are let go.
 *
 * Heartbeats pause while partitions are let go or taken over, which the listener bounds well below the session's end.
 */
import type { Scheduler } from '../../../base/scheduler.ts';
import { assignPartitions } from './classic-assignment.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './classic-protocol.ts';
import {
  findCoordinator,
  type GroupIdentity,
  type GroupMembership,
  type GroupOptions,
} from './group-member.ts';
import { HEARTBEAT, JOIN_GROUP, LEAVE_GROUP, SYNC_GROUP } from '../client/kafka-apis.ts';
import { problemOf } from '../client/kafka-problem.ts';
import type { SubscribedTopic } from './subscription.ts';
import { within } from '../client/within.ts';

const PROTOCOL_TYPE = 'consumer';
const ASSIGNOR = 'cooperative-sticky';

const SESSION_MS = 45_000;
const HEARTBEAT_MS = 3_000;
const RETRY_MS = 500;
const LEAVE_MS_MAX = 3_000;

/** The member's partitions are somebody else's. */
const LOST = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);

/** Part of every rebalance or restart of a broker. */
const USUAL = new Set([
  'MEMBER_ID_REQUIRED',
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
]);

export class ClassicMember implements GroupMembership {
  readonly #options: GroupOptions;
  readonly #scheduler: Scheduler;
  readonly #closing = new AbortController();
  #topics: readonly SubscribedTopic[] = [];
  /** Named `topic:number`. */
  #owned: readonly string[] = [];
  #memberId = '';
  #generation = -1;
  #coordinator: number | undefined;
  #isRejoinWanted = false;
  #isRunning = false;
  #waking = new AbortController();

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#scheduler = options.scheduler;
  }

  get identity(): GroupIdentity | undefined {
    if (this.#coordinator === undefined || this.#generation < 0) return undefined;
    return { memberId: this.#memberId, epoch: this.#generation, coordinator: this.#coordinator };
  }

  subscribe(topics: readonly SubscribedTopic[]): void {
    const isAnother = ({ name, id }: SubscribedTopic): boolean =>
      topics.some((topic) => topic.name === name && topic.id !== id);
    const replaced = this.#topics.filter(isAnother).map(({ name }) => `${name}:`);
    // The members agree by name, so the group does not see that a topic was created anew.
    const lost = this.#owned.filter((partition) => replaced.some((name) => partition.startsWith(name)));
    this.#options.listener.lose(this.#keysOf(lost));
    this.#owned = this.#owned.filter((partition) => !lost.includes(partition));
    this.#topics = topics;
    this.#rejoin();
    if (!this.#isRunning) void this.#run();
  }

  noteError(code: string): void {
    if (code === 'NOT_COORDINATOR') this.#coordinator = undefined;
    if (LOST.has(code)) this.#lose();
    if (code !== '') this.#rejoin();
  }

  async leave(): Promise<void> {
    if (this.#owned.length > 0) await this.#options.listener.revoke(this.#keysOf(this.#owned));
    const { identity } = this;
    this.#closing.abort();
    this.#waking.abort();
    if (identity === undefined) return;
    const { cluster, groupId } = this.#options;
    const { coordinator, memberId } = identity;
    // Over another connection than a join that may be waiting.
    const leaving = cluster.call(coordinator, 'data', LEAVE_GROUP, groupId, [{ memberId }]);
    await within(this.#scheduler, LEAVE_MS_MAX, leaving);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    this.#isRunning = true;
    while (!signal.aborted) {
      try {
        this.#coordinator ??= await findCoordinator(this.#options.cluster, this.#options.groupId);
        const target = await this.#agree(this.#coordinator);
        if (signal.aborted) return;
        this.#options.problems.note('be a member of the group', undefined);
        await this.#reconcile(target);
        while (!this.#isRejoinWanted && !signal.aborted) await this.#beat();
      } catch (error) {
        if (signal.aborted) return;
        await this.#afterFailure(error);
      }
    }
  }

  /** Joins the next generation and returns what this member is to read in it. */
  async #agree(coordinator: number): Promise<readonly string[]> {
    const { cluster, groupId, rebalanceMsMax } = this.#options;
    this.#isRejoinWanted = false;
    const metadata = encodeSubscription({ topics: this.#topics.map(({ name }) => name), owned: this.#owned });
    const protocols = [{ name: ASSIGNOR, metadata }];
    const joined = await cluster.call(
      coordinator,
      'group',
      JOIN_GROUP,
      groupId,
      SESSION_MS,
      rebalanceMsMax,
      this.#memberId,
      null,
      PROTOCOL_TYPE,
      protocols,
    );
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;
    const assignments = joined.leader === joined.memberId ? this.#assign(joined.members) : [];
    const synced = await cluster.call(
      coordinator,
      'group',
      SYNC_GROUP,
      groupId,
      joined.generationId,
      joined.memberId,
      null,
      PROTOCOL_TYPE,
      ASSIGNOR,
      assignments,
    );
    return decodeAssignment(synced.assignment);
  }

  #assign(
    members: readonly { readonly memberId: string; readonly metadata?: Buffer | null }[],
  ): { memberId: string; assignment: Buffer }[] {
    const candidates = members.map(({ memberId, metadata }) => ({
      memberId,
      ...decodeSubscription(metadata ?? Buffer.alloc(0)),
    }));
    const counts = new Map(this.#topics.map(({ name, partitionCount }) => [name, partitionCount]));
    return [...assignPartitions(candidates, counts)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(partitions),
    }));
  }

  async #reconcile(target: readonly string[]): Promise<void> {
    const { listener } = this.#options;
    const revoked = this.#owned.filter((partition) => !target.includes(partition));
    const added = target.filter((partition) => !this.#owned.includes(partition));
    if (revoked.length > 0) {
      await listener.revoke(this.#keysOf(revoked));
      this.#owned = this.#owned.filter((partition) => target.includes(partition));
      // The others get them in the next round.
      this.#rejoin();
    }
    if (added.length === 0 || this.#closing.signal.aborted) return;
    const begun = await listener.assign(this.#keysOf(added));
    this.#owned = [
      ...this.#owned,
      ...added.filter((partition) => begun.includes(this.#keysOf([partition])[0] ?? '')),
    ];
    if (begun.length === added.length) return;
    await this.#scheduler.sleep(RETRY_MS, this.#closing.signal);
    this.#rejoin();
  }

  async #beat(): Promise<void> {
    const { cluster, groupId } = this.#options;
    this.#waking = new AbortController();
    await this.#scheduler.sleep(HEARTBEAT_MS, this.#waking.signal);
    if (this.#isRejoinWanted || this.#closing.signal.aborted || this.#coordinator === undefined) return;
    await cluster.call(
      this.#coordinator,
      'group',
      HEARTBEAT,
      groupId,
      this.#generation,
      this.#memberId,
      null,
    );
  }

  async #afterFailure(error: unknown): Promise<void> {
    const { problems, groupId } = this.#options;
    const { code, ...problem } = problemOf(error, `be a member of the group ${groupId}`);
    // The coordinator names the member with a refusal; the next attempt carries the name.
    if (code === 'MEMBER_ID_REQUIRED') {
      this.#memberId = memberIdIn(error);
      return;
    }
    if (code === 'REBALANCE_IN_PROGRESS') return;
    if (LOST.has(code)) this.#lose();
    else this.#coordinator = undefined;
    if (!USUAL.has(code) && !LOST.has(code)) problems.note('be a member of the group', { code, ...problem });
    await this.#scheduler.sleep(RETRY_MS, this.#closing.signal);
  }

  #lose(): void {
    const owned = this.#owned;
    this.#owned = [];
    this.#memberId = '';
    this.#generation = -1;
    this.#options.listener.lose(this.#keysOf(owned));
  }

  #rejoin(): void {
    this.#isRejoinWanted = true;
    this.#waking.abort();
  }

  /** From `topic:number` to what partitions are called elsewhere. */
  #keysOf(partitions: readonly string[]): string[] {
    return partitions.flatMap((partition) => {
      const colon = partition.lastIndexOf(':');
      const topic = this.#topics.find(({ name }) => name === partition.slice(0, colon));
      return topic === undefined ? [] : [`${topic.id}${partition.slice(colon)}`];
    });
  }
}

function memberIdIn(error: unknown): string {
  const response: unknown = (error as { response?: unknown } | null)?.response;
  const memberId: unknown = (response as { memberId?: unknown } | null | undefined)?.memberId;
  return typeof memberId === 'string' ? memberId : '';
}
