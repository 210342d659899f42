/** Which policy holds for a file, and why: the first one that fits, and whose files are never touched. */
import { compileGlob } from '../../base/glob.ts';
import { DEFAULT_POLICY } from '../../config/rotate-options.ts';
import type { RotateMatch, RotatePolicyConfig } from '../../config/rotate-config.ts';
import { compileGlob as compilePathGlob } from '../discovery/path-glob.ts';
import { namesBelow } from '../discovery/layout.ts';
import type { PodFinder } from '../kubernetes/pods-state.ts';
import type { PolicyChoice, RotateGroup } from './rotate-types.ts';

/** Whose trees they are: kubelet and Docker rotate what is in them, whatever a source or a policy says. */
const FOREIGN_TREES: readonly { readonly root: string; readonly owner: string }[] = [
  { root: '/var/log/pods', owner: 'kubelet' },
  { root: '/var/log/containers', owner: 'kubelet' },
  { root: '/var/lib/kubelet', owner: 'kubelet' },
  { root: '/var/lib/docker', owner: 'Docker' },
  { root: '/var/lib/containerd', owner: 'containerd' },
];

type Facts = Pick<RotateGroup, 'sourceKind' | 'style' | 'activePath' | 'names' | 'labels'>;

/** What is looked at: what the path says, and what is known of the pod. */
interface Subject {
  readonly facts: Facts;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface CompiledPolicy {
  readonly policy: RotatePolicyConfig;
  readonly fits: (subject: Subject) => boolean;
}

const NO_TEXTS: Readonly<Record<string, string>> = {};

/** Chooses among policies; compiled once. Without `pods` no label or annotation of a pod is known. */
export class PolicyChooser {
  readonly #policies: readonly CompiledPolicy[];
  readonly #pods: PodFinder | undefined;

  constructor(policies: readonly RotatePolicyConfig[], pods?: PodFinder) {
    this.#policies = policies.map((policy) => ({ policy, fits: compileMatch(policy.match) }));
    this.#pods = pods;
  }

  /** Returns the first policy that fits, or why there is none. */
  choose(facts: Facts): PolicyChoice {
    if (facts.sourceKind === 'pods') return none("kubelet rotates Kubernetes' own files");
    if (facts.sourceKind === 'docker') return none('Docker rotates its own files');
    const owner = foreignOwnerOf(facts.activePath);
    if (owner !== undefined) return none(`it stands in a tree that ${owner} rotates`);
    const pod = this.#pods?.find({ namespace: facts.names.namespace, pod: facts.names.pod });
    const labels = { ...pod?.labels, ...facts.labels };
    const subject = { facts, labels, annotations: pod?.annotations ?? NO_TEXTS };
    const index = this.#policies.findIndex(({ fits }) => fits(subject));
    const policy = this.#policies[index]?.policy;
    const passed = this.#policies.slice(0, policy === undefined ? undefined : index);
    const unknown = pod === undefined && passed.some(asksForPod) ? unknownPod(facts) : '';
    if (policy !== undefined) {
      if (policy.method === 'none') return none(`rotate[${index}] says method: none${unknown}`, index);
      const by = describeTexts(policy.match, subject);
      return {
        kind: 'policy',
        policy,
        index,
        reason: `rotate[${index}] is the first that fits${by}${unknown}`,
      };
    }
    if (facts.style === 's6') return none(`s6-log rotates its own directory, and no policy fits${unknown}`);
    if (facts.sourceKind === 'files') return none(`no policy fits${unknown}`);
    const reason = `no policy fits, and it is a plain file of the apps tree${unknown}`;
    return { kind: 'policy', policy: DEFAULT_POLICY, index: undefined, reason };
  }

  /** Whether a policy asks for labels or annotations. */
  get needsPods(): boolean {
    return this.#policies.some(asksForPod);
  }
}

/** Returns whose tree a path, with its links resolved or not, stands in; undefined for all others. */
export function foreignOwnerOf(path: string): string | undefined {
  return FOREIGN_TREES.find(({ root }) => namesBelow(root, path) !== undefined)?.owner;
}

function none(reason: string, index?: number): PolicyChoice {
  return { kind: 'none', reason, index };
}

function asksForPod({ policy: { match } }: CompiledPolicy): boolean {
  return Object.keys({ ...match.labels, ...match.annotations }).length > 0;
}

/** Names the labels and annotations that a policy fits by. */
function describeTexts({ labels, annotations }: RotateMatch, subject: Subject): string {
  const shown = [
    ...Object.keys(labels).map((name) => `label ${name}=${subject.labels[name] ?? ''}`),
    ...Object.keys(annotations).map((name) => `annotation ${name}=${subject.annotations[name] ?? ''}`),
  ];
  return shown.length === 0 ? '' : `, by ${shown.join(', ')}`;
}

function unknownPod({ names: { namespace, pod } }: Facts): string {
  return pod === undefined ? '' : `; the labels of ${namespace ?? ''}/${pod} are not known`;
}

function compileMatch(match: RotateMatch): (subject: Subject) => boolean {
  const tests: ((subject: Subject) => boolean)[] = [];
  const add = (pattern: string | undefined, valueOf: (subject: Subject) => string | undefined): void => {
    if (pattern === undefined) return;
    const fits = compileGlob(pattern);
    tests.push((subject) => {
      const value = valueOf(subject);
      return value !== undefined && fits(value);
    });
  };
  add(match.source, ({ facts }) => facts.sourceKind);
  add(match.namespace, ({ facts }) => facts.names.namespace);
  add(match.app, ({ facts }) => facts.names.app);
  add(match.pod, ({ facts }) => facts.names.pod);
  add(match.container, ({ facts }) => facts.names.container);
  for (const [name, pattern] of Object.entries(match.labels)) add(pattern, ({ labels }) => own(labels, name));
  for (const [name, pattern] of Object.entries(match.annotations)) {
    add(pattern, ({ annotations }) => own(annotations, name));
  }
  if (match.path !== undefined) {
    const path = compilePathGlob(match.path);
    tests.push(({ facts }) => path.test(facts.activePath));
  }
  return (subject) => tests.every((test) => test(subject));
}

/** A label may be called `constructor`. */
function own(texts: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(texts, name) ? texts[name] : undefined;
}
