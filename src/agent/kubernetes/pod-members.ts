/** What the documents of a file say of its pod beyond what its path tells. */
import { compileGlob } from '../../base/glob.ts';
import type { PodFacts } from './pod-facts.ts';

/** Which labels and annotations documents have. */
export interface PodSelection {
  readonly isLabel: (name: string) => boolean;
  readonly isAnnotation: (name: string) => boolean;
}

export interface PodMembers {
  /** Members of `kubernetes`. */
  readonly kubernetes: Readonly<Record<string, unknown>>;
  readonly container: {
    readonly id?: string;
    readonly runtime?: string;
    readonly image?: string | undefined;
  };
}

/** Compiles the globs of `kubernetes.labels` and `kubernetes.annotations`. */
export function compileSelection(globs: {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}): PodSelection {
  const compile = (patterns: readonly string[]): ((name: string) => boolean) => {
    const tests = patterns.map((pattern) => compileGlob(pattern));
    return (name) => tests.some((test) => test(name));
  };
  return { isLabel: compile(globs.labels), isAnnotation: compile(globs.annotations) };
}

/** Returns the members for a container of the pod; `restart` is the number of its run, where the path says it. */
export function podMembers(
  pod: PodFacts,
  at: { readonly container?: string | undefined; readonly restart?: number | undefined },
  selection: PodSelection,
): PodMembers {
  const kubernetes: Record<string, unknown> = {};
  const labels = dedot(pod.labels, selection.isLabel);
  const annotations = dedot(pod.annotations, selection.isAnnotation);
  for (const { kind, name } of pod.owners) kubernetes[kind] = { name };
  if (labels !== undefined) kubernetes['labels'] = labels;
  if (annotations !== undefined) kubernetes['annotations'] = annotations;
  const container = pod.containers.find(({ name }) => name === at.container);
  if (container === undefined) return { kubernetes, container: {} };
  const run = container.runs.find(({ restart }) => restart === at.restart);
  const ids = run === undefined ? {} : { id: run.id, runtime: run.runtime };
  return { kubernetes, container: { image: container.image, ...ids } };
}

/**
 * Returns the name under which documents have a label: dots become underscores, as Filebeat does it, because a search
 * engine takes a dot for a step into an object, and `app` may be a label beside `app.kubernetes.io/name`.
 */
export function dedotted(name: string): string {
  return name.replaceAll('.', '_');
}

/** Of two names that become the same, the one that needed no change stays. */
function dedot(
  texts: Readonly<Record<string, string>>,
  isWanted: (name: string) => boolean,
): Record<string, string> | undefined {
  const entries = Object.entries(texts).filter(([name]) => isWanted(name));
  const changed = entries.map(([name, value]) => [dedotted(name), value] as const);
  const plain = entries.filter(([name]) => !name.includes('.'));
  return entries.length === 0 ? undefined : { ...Object.fromEntries(changed), ...Object.fromEntries(plain) };
}
