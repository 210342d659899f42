/**
 * A member of a consumer group whose coordinator assigns partitions (KIP-848): what it owns, what it should own, and
 * what its next heartbeat says. Partitions are named by `partitionKey`.
 *
 * The coordinator gives a partition to nobody before its last owner has said, by a heartbeat, that it has let go. A
 * member owns a partition from the moment it was assigned until it was revoked or lost:
 *
 *   heartbeat → target → revoke what is owned and not in it (commit first) → assign what is new → heartbeat
 */

export interface GroupState {
  /** Given by the coordinator with the first answer. */
  readonly memberId: string;
  /** 0 joins, -1 leaves. */
  readonly epoch: number;
  readonly owned: ReadonlySet<string>;
  readonly target: ReadonlySet<string>;
  /** Whether the next heartbeat has to state subscription and partitions: at the start and after a change. */
  readonly isChanged: boolean;
  readonly heartbeatMs: number;
}

export interface GroupAnswer {
  readonly memberId: string | undefined;
  readonly epoch: number;
  readonly heartbeatMs: number;
  /** Undefined: as before. */
  readonly target: readonly string[] | undefined;
}

/** What has to be done so that the member owns its target. */
export interface GroupChange {
  readonly revoked: readonly string[];
  readonly assigned: readonly string[];
}

const HEARTBEAT_MS = 3_000;

export const NEW_MEMBER: GroupState = {
  memberId: '',
  epoch: 0,
  owned: new Set(),
  target: new Set(),
  isChanged: true,
  heartbeatMs: HEARTBEAT_MS,
};

/** Takes in what the coordinator answered to a heartbeat. */
export function withAnswer(state: GroupState, answer: GroupAnswer): GroupState {
  return {
    memberId: answer.memberId ?? state.memberId,
    epoch: answer.epoch,
    owned: state.owned,
    target: answer.target === undefined ? state.target : new Set(answer.target),
    isChanged: false,
    heartbeatMs: answer.heartbeatMs > 0 ? answer.heartbeatMs : state.heartbeatMs,
  };
}

/** Returns what is between what is owned and the target. */
export function changeOf({ owned, target }: GroupState): GroupChange {
  return {
    revoked: [...owned].filter((key) => !target.has(key)),
    assigned: [...target].filter((key) => !owned.has(key)),
  };
}

/** The partitions were let go or taken over: the coordinator has to hear of it. */
export function withOwned(state: GroupState, { revoked, assigned }: GroupChange): GroupState {
  const owned = new Set([...state.owned, ...assigned].filter((key) => !revoked.includes(key)));
  return { ...state, owned, isChanged: true };
}

/** The coordinator does not know the member any more: it owns nothing, and joins again under its id. */
export function asLost(state: GroupState): GroupState {
  return { ...NEW_MEMBER, memberId: state.memberId };
}

/** Another subscription has to be stated. */
export function withSubscription(state: GroupState): GroupState {
  return { ...state, isChanged: true };
}
