import type { GroupSpec } from './discovery/layout.ts';
import type { PodMembers } from './kubernetes/pod-members.ts';

export interface AgentFacts {
  readonly node: string;
  readonly cluster: string;
  readonly version: string;
}

/** What of a group's specification stands in its documents. */
interface ResourceSpec {
  readonly names: GroupSpec['names'];
  readonly source: { readonly kind: string; readonly fields: GroupSpec['source']['fields'] };
}

/** The version of the Elastic Common Schema that documents follow. */
const ECS_VERSION = '8.17.0';

/** Returns the members that every document of a group has; what neither its path nor its pod says is absent. */
export function buildResource(
  spec: ResourceSpec,
  facts: AgentFacts,
  pod?: PodMembers,
): Record<string, unknown> {
  const { names, source } = spec;
  const isKubernetes = names.namespace !== undefined || names.pod !== undefined || pod !== undefined;
  const kubernetes = isKubernetes
    ? pruned({
        namespace: names.namespace,
        pod: pruned({ name: names.pod, uid: names.podUid }),
        container: pruned({ name: names.container }),
        node: { name: facts.node },
        ...pod?.kubernetes,
      })
    : undefined;
  const container = pruned({
    id: names.containerId ?? pod?.container.id,
    name: names.containerName,
    runtime: source.kind === 'docker' ? 'docker' : pod?.container.runtime,
    image: pruned({ name: names.image ?? pod?.container.image }),
    labels: names.containerLabels,
  });
  const resource: Record<string, unknown> = {
    ...(kubernetes === undefined ? {} : { kubernetes }),
    ...(container === undefined ? {} : { container }),
    ...(names.app === undefined ? {} : { service: { name: names.app } }),
    host: { name: facts.node },
    agent: { type: 'logboom', name: facts.node, version: facts.version },
    input: { type: source.kind },
    ecs: { version: ECS_VERSION },
    orchestrator: { cluster: { name: facts.cluster } },
  };
  for (const [path, value] of Object.entries(names.fields ?? {})) setPath(resource, path, value);
  if (Object.keys(source.fields).length > 0) resource['labels'] = { ...source.fields };
  return resource;
}

function pruned(members: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return present.length === 0 ? undefined : Object.fromEntries(present);
}

/** Sets a member by its dotted path; objects on the way are made. */
function setPath(target: Record<string, unknown>, path: string, value: string): void {
  const names = path.split('.');
  const last = names.pop() ?? path;
  let object = target;
  for (const name of names) {
    const next = object[name];
    const child = typeof next === 'object' && next !== null ? { ...next } : {};
    object[name] = child;
    object = child as Record<string, unknown>;
  }
  object[last] = value;
}
