/** What is known of the pods of groups, and whether their first records wait for it. */
import { podNamesOf } from '../kubernetes/pod-lookup.ts';
import type { FileGroup } from './file-group.ts';
import type { TailContext } from './tail-context.ts';

export class GroupPods {
  readonly #context: TailContext;
  #version = -1;

  constructor(context: TailContext) {
    this.#context = context;
  }

  /** Has the documents of a group say what is known now. */
  describe(group: FileGroup): void {
    group.pod = this.#context.pods?.find(podNamesOf(group.spec.names)) ?? group.pod;
    const resource = this.#context.resourceOf(group.spec);
    for (const file of group.files) file.decoder?.setResource(resource);
  }

  /** Takes in what is newly known of the pods of `groups`, and returns those of which something is. */
  takeNews(groups: Iterable<FileGroup>): FileGroup[] {
    const { pods } = this.#context;
    if (pods === undefined || pods.version === this.#version) return [];
    this.#version = pods.version;
    const changed: FileGroup[] = [];
    for (const group of groups) {
      const pod = pods.find(podNamesOf(group.spec.names));
      // What was forgotten meanwhile was true all the same.
      if (pod === undefined || pod === group.pod) continue;
      this.describe(group);
      changed.push(group);
    }
    return changed;
  }

  /** Tells whose pods are still needed, deleted or not. */
  tellFollowed(groups: Iterable<FileGroup>): void {
    const names = [...groups].map(({ spec }) => podNamesOf(spec.names));
    this.#context.pods?.noteFollowed(names);
  }

  /** Whether the first records of a group wait for what is known of its pod. */
  mustWait(group: FileGroup): boolean {
    if (group.foundMs === undefined) return false;
    const { pods, telemetry } = this.#context;
    const names = podNamesOf(group.spec.names);
    group.isWaitingForPod = pods?.shouldWait(names, group.foundMs) === true;
    if (group.isWaitingForPod) return true;
    group.foundMs = undefined;
    group.pod = pods?.find(names);
    const hasPod = names.pod !== undefined || names.podUid !== undefined;
    if (hasPod && group.pod === undefined) telemetry.count('logboom_kubernetes_unlabelled_files_total', 1);
    return false;
  }
}
