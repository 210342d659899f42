/** Which policy holds for a file, and why: the first one that fits, and whose files are never touched. */
import { compileGlob } from '../../base/glob.ts';
import { DEFAULT_POLICY } from '../../config/rotate-options.ts';
import type { RotateMatch, RotatePolicyConfig } from '../../config/rotate-config.ts';
import { compileGlob as compilePathGlob } from '../discovery/path-glob.ts';
import { namesBelow } from '../discovery/layout.ts';
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

interface CompiledPolicy {
  readonly policy: RotatePolicyConfig;
  readonly fits: (facts: Facts) => boolean;
}

/** Chooses among policies; compiled once. */
export class PolicyChooser {
  readonly #policies: readonly CompiledPolicy[];

  constructor(policies: readonly RotatePolicyConfig[]) {
    this.#policies = policies.map((policy) => ({ policy, fits: compileMatch(policy.match) }));
  }

  /** Returns the first policy that fits, or why there is none. */
  choose(facts: Facts): PolicyChoice {
    if (facts.sourceKind === 'pods') return none("kubelet rotates Kubernetes' own files");
    if (facts.sourceKind === 'docker') return none('Docker rotates its own files');
    const owner = foreignOwnerOf(facts.activePath);
    if (owner !== undefined) return none(`it stands in a tree that ${owner} rotates`);
    const index = this.#policies.findIndex(({ fits }) => fits(facts));
    const policy = this.#policies[index]?.policy;
    if (policy !== undefined) {
      if (policy.method === 'none') return none(`rotate[${index}] says method: none`, true);
      return { kind: 'policy', policy, index, reason: `rotate[${index}] is the first that fits` };
    }
    if (facts.style === 's6') return none('s6-log rotates its own directory, and no policy fits');
    if (facts.sourceKind === 'files') return none('no policy fits');
    const reason = 'no policy fits, and it is a plain file of the apps tree';
    return { kind: 'policy', policy: DEFAULT_POLICY, index: undefined, reason };
  }
}

/** Returns whose tree a path, with its links resolved or not, stands in; undefined for all others. */
export function foreignOwnerOf(path: string): string | undefined {
  return FOREIGN_TREES.find(({ root }) => namesBelow(root, path) !== undefined)?.owner;
}

function none(reason: string, isWished = false): PolicyChoice {
  return { kind: 'none', reason, isWished };
}

function compileMatch(match: RotateMatch): (facts: Facts) => boolean {
  const tests: ((facts: Facts) => boolean)[] = [];
  const add = (pattern: string | undefined, valueOf: (facts: Facts) => string | undefined): void => {
    if (pattern === undefined) return;
    const fits = compileGlob(pattern);
    tests.push((facts) => {
      const value = valueOf(facts);
      return value !== undefined && fits(value);
    });
  };
  add(match.source, (facts) => facts.sourceKind);
  add(match.namespace, (facts) => facts.names.namespace);
  add(match.app, (facts) => facts.names.app);
  add(match.pod, (facts) => facts.names.pod);
  add(match.container, (facts) => facts.names.container);
  for (const [name, pattern] of Object.entries(match.labels)) add(pattern, (facts) => facts.labels[name]);
  if (match.path !== undefined) {
    const path = compilePathGlob(match.path);
    tests.push((facts) => path.test(facts.activePath));
  }
  return (facts) => tests.every((test) => test(facts));
}
