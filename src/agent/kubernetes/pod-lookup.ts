import type { FileNames } from '../discovery/layout.ts';
import type { PodFinder, PodNames } from './pods-state.ts';

/** What the rest of the agent asks of the watch of pods. */
export interface PodLookup extends PodFinder {
  /** Another number whenever a pod is new, changed or forgotten. */
  readonly version: number;
  /** Whether the API has told of all pods since the start: what is unknown then is not there. */
  readonly hasListed: boolean;
  /**
   * Whether the first records of a file that was found at `foundMs` (monotonic) wait for what is known of its pod:
   * for a bounded time, and only while the API may still tell of it.
   */
  shouldWait(names: PodNames, foundMs: number): boolean;
  /** Notes which files are followed: what belongs to none of them need not be kept once it is deleted. */
  noteFollowed(followed: Iterable<PodNames>): void;
  /** Has `listener` called soon after `version` changed. */
  onChange(listener: () => void): void;
}

/** Returns what a path says of a pod, by the layout or by a template. */
export function podNamesOf({ namespace, pod, podUid, fields }: FileNames): PodNames {
  return {
    namespace: namespace ?? fields?.['kubernetes.namespace'],
    pod: pod ?? fields?.['kubernetes.pod.name'],
    podUid: podUid ?? fields?.['kubernetes.pod.uid'],
  };
}
