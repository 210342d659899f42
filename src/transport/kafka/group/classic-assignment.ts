/**
 * Who reads which partition in a group whose members agree among themselves (the classic protocol, KIP-429): the leader
 * computes, everybody keeps as much as a fair share allows, and what changes its owner is let go in one round and
 * given in the next. Partitions are named `topic:number`.
 */

export interface GroupCandidate {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What it reads now. */
  readonly owned: readonly string[];
}

/**
 * Returns the partitions of each member, by member id. `partitionCounts` has the topics that there are. Members that
 * are given something new do not get it while another one still owns it.
 */
export function assignPartitions(
  members: readonly GroupCandidate[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, string[]> {
  const owners = ownersOf(members);
  const balanced = balance(members, partitionCounts, owners);
  const given = new Map<string, string[]>();
  for (const [memberId, partitions] of balanced) {
    const free = partitions.filter((partition) => (owners.get(partition) ?? memberId) === memberId);
    given.set(memberId, free);
  }
  return given;
}

/** The owner of each partition; one that two members claim has none that counts. */
function ownersOf(members: readonly GroupCandidate[]): Map<string, string> {
  const owners = new Map<string, string>();
  const disputed = new Set<string>();
  for (const { memberId, owned } of members) {
    for (const partition of new Set(owned)) {
      if (owners.has(partition)) disputed.add(partition);
      owners.set(partition, memberId);
    }
  }
  for (const partition of disputed) owners.delete(partition);
  return owners;
}

function balance(
  members: readonly GroupCandidate[],
  partitionCounts: ReadonlyMap<string, number>,
  owners: ReadonlyMap<string, string>,
): Map<string, string[]> {
  const partitions = [...partitionCounts].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, number) => `${topic}:${number}`),
  );
  const ownedBy = (memberId: string): string[] => partitions.filter((each) => owners.get(each) === memberId);
  // Those with the most keep the shares that are one larger.
  const sorted = members
    .map((member) => ({ ...member, kept: ownedBy(member.memberId).filter((each) => reads(member, each)) }))
    .toSorted(
      (left, right) => right.kept.length - left.kept.length || (left.memberId < right.memberId ? -1 : 1),
    );
  const share = Math.floor(partitions.length / Math.max(1, members.length));
  let larger = partitions.length - share * members.length;
  const result = new Map<string, string[]>();
  for (const { memberId, kept } of sorted) {
    const isLarger = larger > 0 && kept.length > share;
    if (isLarger) larger -= 1;
    result.set(memberId, kept.slice(0, isLarger ? share + 1 : share));
  }
  const taken = new Set([...result.values()].flat());
  for (const partition of partitions) {
    if (!taken.has(partition)) leastLoaded(sorted, partition, result)?.push(partition);
  }
  return result;
}

function leastLoaded(
  members: readonly GroupCandidate[],
  partition: string,
  result: ReadonlyMap<string, string[]>,
): string[] | undefined {
  let best: string[] | undefined;
  for (const member of members) {
    const held = result.get(member.memberId);
    if (held === undefined || !reads(member, partition)) continue;
    if (best === undefined || held.length < best.length) best = held;
  }
  return best;
}

function reads({ topics }: GroupCandidate, partition: string): boolean {
  return topics.includes(partition.slice(0, partition.lastIndexOf(':')));
}
