/**
 * The pods of this node as the API told of them, pure. A pod that is deleted there is kept: its files are read for a
 * while longer, and rotated as its labels say.
 *
 * Invariants: a pod's facts are the same object until something in them changes, and then `version` changes too; of
 * two pods with one name the one that was told of last is found by it, and the other by its uid.
 */
import { type PodFacts, withEarlierRuns } from './pod-facts.ts';

/** Pods on one node that are kept; the kubelet's own limit is 110, and a few hundred on large machines. */
const PODS_MAX = 2000;

/** Deleted pods that are kept; the oldest give way. A node that runs short jobs has many whose files are still there. */
export const GONE_MAX = 1000;

/** A deleted pod is kept at least so long: the kubelet removes its directory up to 70 s later, and files may still be found. */
export const GONE_MS_MIN = 120_000;

const VERSION = 1;

/** What a path says of a pod. */
export interface PodNames {
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly podUid?: string | undefined;
}

interface Known {
  facts: PodFacts;
  /** The same as text, for comparing. */
  text: string;
  /** When the API no longer had it, in wall-clock milliseconds; undefined while it does. */
  goneMs: number | undefined;
}

/** What pods are found by. */
export interface PodFinder {
  find(names: PodNames): PodFacts | undefined;
}

export class PodsState implements PodFinder {
  readonly #byUid = new Map<string, Known>();
  readonly #byPathUid = new Map<string, Known>();
  readonly #byName = new Map<string, Known>();
  #version = 0;
  #goneCount = 0;
  #forgottenCount = 0;

  /** Another number whenever a pod is new, changed or forgotten. */
  get version(): number {
    return this.#version;
  }

  get counts(): { readonly present: number; readonly gone: number; readonly forgotten: number } {
    const gone = this.#goneCount;
    return { present: this.#byUid.size - gone, gone, forgotten: this.#forgottenCount };
  }

  /** Returns the pod of a path: by its uid where the path says one, otherwise the latest of that name. */
  find({ namespace, pod, podUid }: PodNames): PodFacts | undefined {
    if (podUid !== undefined) return (this.#byUid.get(podUid) ?? this.#byPathUid.get(podUid))?.facts;
    if (namespace === undefined || pod === undefined) return undefined;
    return this.#byName.get(nameOf(namespace, pod))?.facts;
  }

  /** Takes in what a list said: everything else is gone. */
  replace(pods: readonly PodFacts[], nowMs: number): void {
    const listed = new Set(pods.map(({ uid }) => uid));
    for (const known of this.#byUid.values()) if (!listed.has(known.facts.uid)) this.#markGone(known, nowMs);
    for (const pod of pods) this.put(pod);
    this.#boundGone();
  }

  /** Takes in a pod that is there; returns false when there are too many to keep one more. */
  put(pod: PodFacts): boolean {
    const known = this.#byUid.get(pod.uid);
    if (known === undefined) {
      if (this.#byUid.size - this.#goneCount >= PODS_MAX) return false;
      this.#add({ facts: pod, text: JSON.stringify(pod), goneMs: undefined });
      return true;
    }
    if (known.goneMs !== undefined) this.#goneCount -= 1;
    known.goneMs = undefined;
    this.#nameLatest(known);
    const merged = withEarlierRuns(pod, known.facts);
    const text = JSON.stringify(merged);
    if (text === known.text) return true;
    known.facts = merged;
    known.text = text;
    this.#version += 1;
    return true;
  }

  /** Takes in that a pod was deleted, with what was last known of it. */
  putGone(pod: PodFacts, nowMs: number): void {
    if (!this.put(pod)) return;
    const known = this.#byUid.get(pod.uid);
    if (known !== undefined) this.#markGone(known, nowMs);
    this.#boundGone();
  }

  /** Forgets pods that are gone for a while and that no followed file belongs to. */
  forgetGone(followed: Iterable<PodNames>, nowMs: number): void {
    if (this.#goneCount === 0) return;
    const needed = new Set<PodFacts | undefined>();
    for (const names of followed) needed.add(this.find(names));
    for (const known of this.#byUid.values()) {
      const isOld = known.goneMs !== undefined && nowMs - known.goneMs >= GONE_MS_MIN;
      if (isOld && !needed.has(known.facts)) this.#remove(known);
    }
  }

  /** Returns everything as text, for `restore`. */
  save(): string {
    const pods = [...this.#byUid.values()].map(({ facts, goneMs }) => ({ ...facts, goneMs }));
    return `${JSON.stringify({ version: VERSION, pods })}\n`;
  }

  /**
   * Takes over what an earlier run saved, as pods that are gone until a list says otherwise; returns false when the
   * text is something else.
   */
  restore(text: string, nowMs: number): boolean {
    const saved = parse(text);
    if (saved === undefined) return false;
    for (const { facts, goneMs } of saved) this.#restoreOne(facts, goneMs ?? nowMs);
    this.#boundGone();
    return true;
  }

  #restoreOne(facts: PodFacts, goneMs: number): void {
    if (this.#byUid.has(facts.uid)) return;
    this.#goneCount += 1;
    this.#add({ facts, text: JSON.stringify(facts), goneMs });
  }

  #add(known: Known): void {
    const { uid, pathUid } = known.facts;
    this.#byUid.set(uid, known);
    if (pathUid !== undefined) this.#byPathUid.set(pathUid, known);
    this.#nameLatest(known);
    this.#version += 1;
  }

  /** Has the name of a pod lead to the latest one that has it. */
  #nameLatest({ facts: { namespace, name } }: Known): void {
    const key = nameOf(namespace, name);
    let latest: Known | undefined;
    for (const other of this.#byUid.values()) {
      if (nameOf(other.facts.namespace, other.facts.name) !== key) continue;
      if (latest === undefined || isLater(other, latest)) latest = other;
    }
    if (latest === this.#byName.get(key)) return;
    if (latest === undefined) this.#byName.delete(key);
    else this.#byName.set(key, latest);
    this.#version += 1;
  }

  #markGone(known: Known, nowMs: number): void {
    if (known.goneMs !== undefined) return;
    known.goneMs = nowMs;
    this.#goneCount += 1;
    this.#nameLatest(known);
  }

  /** The oldest give way; a few of them are rarer than lists, so looking for them costs nothing that counts. */
  #boundGone(): void {
    if (this.#goneCount <= GONE_MAX) return;
    const gone = [...this.#byUid.values()]
      .filter(({ goneMs }) => goneMs !== undefined)
      .toSorted((left, right) => (left.goneMs ?? 0) - (right.goneMs ?? 0));
    for (const known of gone.slice(0, gone.length - GONE_MAX)) {
      this.#remove(known);
      this.#forgottenCount += 1;
    }
  }

  #remove(known: Known): void {
    const { uid, pathUid } = known.facts;
    this.#byUid.delete(uid);
    if (pathUid !== undefined && this.#byPathUid.get(pathUid) === known) this.#byPathUid.delete(pathUid);
    this.#nameLatest(known);
    this.#goneCount -= 1;
    this.#version += 1;
  }
}

/** Whether a pod was there later than another one of the same name. */
function isLater(one: Known, other: Known): boolean {
  if (one.goneMs === undefined || other.goneMs === undefined) return one.goneMs === undefined;
  return one.goneMs >= other.goneMs;
}

/** Neither namespaces nor names hold a slash. */
function nameOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

interface Saved {
  readonly facts: PodFacts;
  readonly goneMs: number | undefined;
}

function parse(text: string): Saved[] | undefined {
  try {
    const value = JSON.parse(text) as { version?: unknown; pods?: unknown } | null;
    if (value?.version !== VERSION || !Array.isArray(value.pods)) return undefined;
    return value.pods.flatMap((one) => {
      const { goneMs, ...facts } = { ...(one as PodFacts & { goneMs?: number }) };
      return isWhole(facts) ? [{ facts, goneMs }] : [];
    });
  } catch {
    return undefined;
  }
}

/** The file is our own; one that somebody edited must not end the agent. */
function isWhole(facts: Partial<PodFacts>): facts is PodFacts {
  const { uid, namespace, name, labels, annotations, owners, containers } = facts;
  return (
    [uid, namespace, name].every((text) => typeof text === 'string') &&
    isTexts(labels) &&
    isTexts(annotations) &&
    Array.isArray(owners) &&
    owners.every(isTexts) &&
    Array.isArray(containers) &&
    containers.every((one: unknown) => Array.isArray((one as { runs?: unknown } | null)?.runs))
  );
}

function isTexts(object: unknown): boolean {
  if (typeof object !== 'object' || object === null) return false;
  return Object.values(object).every((value) => typeof value === 'string');
}
