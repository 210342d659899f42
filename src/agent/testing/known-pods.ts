/** What tests say of pods, instead of an API server. */
import { type PodFacts, podFactsOf } from '../kubernetes/pod-facts.ts';
import type { PodLookup } from '../kubernetes/pod-lookup.ts';
import { type PodNames, PodsState } from '../kubernetes/pods-state.ts';
import { podObject, type PodShape } from '../kubernetes/testing/pod-objects.ts';

export class KnownPods implements PodLookup {
  readonly state = new PodsState();
  hasListed = true;
  /** Monotonic milliseconds until which a file waits whose pod is not known. */
  waitsUntil: (foundMs: number) => boolean = () => false;
  followed: PodNames[] = [];
  readonly #listeners: (() => void)[] = [];

  get version(): number {
    return this.state.version;
  }

  find(names: PodNames): PodFacts | undefined {
    return this.state.find(names);
  }

  shouldWait(names: PodNames, foundMs: number): boolean {
    return this.find(names) === undefined && this.waitsUntil(foundMs);
  }

  noteFollowed(followed: Iterable<PodNames>): void {
    this.followed = [...followed];
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  put(shape: PodShape): void {
    const facts = podFactsOf(podObject(shape));
    if (facts !== undefined) this.state.put(facts);
    for (const listener of this.#listeners) listener();
  }

  /** The API tells that a pod was deleted. */
  delete(shape: PodShape): void {
    const facts = podFactsOf(podObject(shape));
    if (facts !== undefined) this.state.putGone(facts, 0);
    for (const listener of this.#listeners) listener();
  }
}
