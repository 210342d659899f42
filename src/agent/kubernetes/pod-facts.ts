/**
 * What is kept of a pod: what documents say of it and policies look at, out of the object that the Kubernetes API
 * sends (API reference, core/v1 Pod). Nothing of such an object is believed: what has another type is left out.
 */
export interface PodFacts {
  readonly uid: string;
  /** The uid in the kubelet's directories, when it is another one: the API shows static pods by mirrors of them. */
  readonly pathUid: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** All but long ones. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What keeps the pod alive: `deployment`, `replicaset`, `daemonset`, … */
  readonly owners: readonly { readonly kind: OwnerKind; readonly name: string }[];
  readonly containers: readonly ContainerFacts[];
}

export interface ContainerFacts {
  readonly name: string;
  readonly image: string | undefined;
  /** By number of the restart, which names the kubelet's files too; the newest first. */
  readonly runs: readonly { readonly restart: number; readonly id: string; readonly runtime: string }[];
}

/** Metadata names of a pod: a pod with more has the first ones by name. Kubernetes itself sets no number. */
const NAMES_MAX = 128;

/** Annotations hold anything up to 256 KiB, such as whole manifests: only what could be a name or a wish is kept. */
const ANNOTATION_LENGTH_MAX = 1024;

/** Characters of all annotations of a pod together: a node with a hundred pods keeps less than 2 MiB of them. */
const ANNOTATIONS_LENGTH_MAX = 16 * 1024;

/** Containers of a pod, those that prepare it included. */
const CONTAINERS_MAX = 64;

/** The kubelet keeps the logs of this many runs of a container and more only for a moment. */
export const RUNS_MAX = 4;

const OWNER_KINDS = ['ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job', 'ReplicationController'] as const;

type OwnerKind = Lowercase<(typeof OWNER_KINDS)[number]> | 'deployment';

/** Under which a mirror says the uid of its static pod (kubernetes/pkg/kubelet/types, ConfigHashAnnotationKey). */
const STATIC_UID = 'kubernetes.io/config.hash';

const CONTAINER_LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

type Json = Readonly<Record<string, unknown>>;

/** Returns what is kept of a pod; undefined for what is none. */
export function podFactsOf(object: unknown): PodFacts | undefined {
  const metadata = objectAt(object, 'metadata');
  const uid = textAt(metadata, 'uid');
  const name = textAt(metadata, 'name');
  const namespace = textAt(metadata, 'namespace');
  if (uid === undefined || name === undefined || namespace === undefined) return undefined;
  const labels = textsOf(objectAt(metadata, 'labels'), Number.POSITIVE_INFINITY);
  const annotations = annotationsOf(objectAt(metadata, 'annotations'));
  return {
    uid,
    pathUid: annotations[STATIC_UID],
    namespace,
    name,
    labels,
    annotations,
    owners: ownersOf(metadata, labels),
    containers: containersOf(objectAt(object, 'spec'), objectAt(object, 'status')),
  };
}

/** Returns the facts with the runs of containers that only the earlier ones tell of. */
export function withEarlierRuns(pod: PodFacts, earlier: PodFacts): PodFacts {
  const containers = pod.containers.map((container) => {
    const known = earlier.containers.find(({ name }) => name === container.name)?.runs ?? [];
    const added = known.filter(({ restart }) => container.runs.every((run) => run.restart !== restart));
    return { ...container, runs: newestRuns([...container.runs, ...added]) };
  });
  return { ...pod, containers };
}

/** A Deployment is named by its ReplicaSet: `<deployment>-<pod-template-hash>`. */
function ownersOf(metadata: Json, labels: PodFacts['labels']): PodFacts['owners'] {
  const references = arrayAt(metadata, 'ownerReferences');
  const owner = references.find((reference) => (reference as Json | null)?.['controller'] === true) as
    | Json
    | undefined;
  const kind = OWNER_KINDS.find((known) => known === owner?.['kind']);
  const name = owner === undefined ? undefined : textAt(owner, 'name');
  if (kind === undefined || name === undefined) return [];
  const own = { kind: kind.toLowerCase() as OwnerKind, name };
  const ending = `-${labels['pod-template-hash'] ?? ''}`;
  if (kind !== 'ReplicaSet' || ending === '-' || !name.endsWith(ending)) return [own];
  return [{ kind: 'deployment', name: name.slice(0, -ending.length) }, own];
}

function containersOf(spec: Json, status: Json): ContainerFacts[] {
  const runs = new Map<string, ContainerFacts['runs']>();
  for (const list of CONTAINER_LISTS) {
    const key = list === 'containers' ? 'containerStatuses' : list.replace(/s$/, 'Statuses');
    for (const one of arrayAt(status, key)) {
      const name = textAt(one, 'name');
      if (name !== undefined) runs.set(name, runsOf(one));
    }
  }
  return CONTAINER_LISTS.flatMap((list) => arrayAt(spec, list))
    .flatMap((container) => {
      const name = textAt(container, 'name');
      if (name === undefined) return [];
      return [{ name, image: textAt(container, 'image'), runs: runs.get(name) ?? [] }];
    })
    .slice(0, CONTAINERS_MAX);
}

/** The run that goes on, or ended last, and the one before it. */
function runsOf(status: unknown): ContainerFacts['runs'] {
  const count: unknown = (status as Json | null)?.['restartCount'];
  if (typeof count !== 'number') return [];
  const last = objectAt(objectAt(status, 'lastState'), 'terminated');
  const runs = [
    { restart: count, id: textAt(status, 'containerID') },
    { restart: count - 1, id: textAt(last, 'containerID') },
  ];
  return newestRuns(
    runs.flatMap(({ restart, id }) => {
      const [runtime = '', hash = ''] = id?.split('://') ?? [];
      return hash === '' ? [] : [{ restart, id: hash, runtime }];
    }),
  );
}

function newestRuns(runs: ContainerFacts['runs']): ContainerFacts['runs'] {
  // Before a container has started again, its last run stands in both places.
  const seen = new Set<string>();
  return runs
    .toSorted((left, right) => right.restart - left.restart)
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .slice(0, RUNS_MAX);
}

/** Those that fit: the first ones by name. */
function annotationsOf(object: Json): Record<string, string> {
  let length = 0;
  const texts = Object.entries(textsOf(object, ANNOTATION_LENGTH_MAX)).filter(([name, value]) => {
    length += name.length + value.length;
    return length <= ANNOTATIONS_LENGTH_MAX;
  });
  return Object.fromEntries(texts);
}

function textsOf(object: Json, lengthMax: number): Record<string, string> {
  const texts = Object.entries(object).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= lengthMax,
  );
  // Sorted, so that the same labels in another order are the same.
  return Object.fromEntries(texts.toSorted(([left], [right]) => (left < right ? -1 : 1)).slice(0, NAMES_MAX));
}

function objectAt(object: unknown, key: string): Json {
  const value: unknown = (object as Json | null | undefined)?.[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function arrayAt(object: unknown, key: string): readonly unknown[] {
  const value: unknown = (object as Json | null | undefined)?.[key];
  return Array.isArray(value) ? value : [];
}

function textAt(object: unknown, key: string): string | undefined {
  const value: unknown = (object as Json | null | undefined)?.[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
