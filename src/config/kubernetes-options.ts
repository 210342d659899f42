/** The table of `kubernetes`: what the agent asks the Kubernetes API, and what its documents say of it. */
import type { Config } from './config.ts';
import { type OptionValues, reportProblem } from './option-values.ts';
import type { OptionDefinition } from './shape.ts';
import type { Problem } from './value-reader.ts';

const FIRST = '0.1.0';

/** Longer than this nobody wants to wait for a label. */
const WAIT_MS_MAX = 10_000;

export const KUBERNETES_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'kubernetes.enabled',
    shape: { kind: 'choice', values: ['auto', 'true', 'false'] },
    default: 'auto',
    description:
      "Whether the agent watches the pods of its node for their labels. auto does in a pod with a service account's token, and where kubernetes.kubeconfig is given; with true an API that is away is also a problem in /readyz. Namespace, pod and container come from paths in any case.",
    since: FIRST,
  },
  {
    path: 'kubernetes.kubeconfig',
    shape: { kind: 'path' },
    defaultText: "the pod's own service account",
    example: '/etc/logboom/kubeconfig',
    description: 'File that says how to reach the API from outside of a pod.',
    since: FIRST,
  },
  {
    path: 'kubernetes.context',
    shape: { kind: 'text' },
    defaultText: "the file's current-context",
    example: 'production',
    description: 'Context of the kubeconfig.',
    since: FIRST,
  },
  {
    path: 'kubernetes.node',
    shape: { kind: 'text' },
    defaultText: 'node.name',
    example: 'ip-10-0-1-7.ec2.internal',
    description: 'Name of this node in Kubernetes. Only its pods are watched.',
    since: FIRST,
  },
  {
    path: 'kubernetes.labels',
    shape: { kind: 'list', of: { kind: 'text' } },
    default: ['*'],
    example: ['app', 'app.kubernetes.io/*'],
    description: 'Globs of the labels of pods that documents have under kubernetes.labels.',
    since: FIRST,
  },
  {
    path: 'kubernetes.annotations',
    shape: { kind: 'list', of: { kind: 'text' } },
    default: [],
    defaultText: 'none',
    example: ['example.com/team'],
    description:
      'Globs of the annotations of pods that documents have under kubernetes.annotations. Those of more than 1,024 characters are left out.',
    since: FIRST,
  },
  {
    path: 'kubernetes.waitMsMax',
    shape: { kind: 'duration', min: 0, max: WAIT_MS_MAX },
    default: '2s',
    description:
      'Longest time that the first records of a file wait for the labels of a pod that Kubernetes has not told of yet. Nothing waits while the API is away.',
    since: FIRST,
  },
];

/** Returns what the options say, and adds what contradicts itself to `problems`. */
export function kubernetesConfig(
  read: OptionValues,
  problems: Problem[],
  nodeName: string,
): Config['kubernetes'] {
  const kubeconfig = read.maybeText('kubernetes.kubeconfig');
  const context = read.maybeText('kubernetes.context');
  if (context !== undefined && kubeconfig === undefined) {
    reportProblem(problems, 'kubernetes.context', 'counts only with kubernetes.kubeconfig');
  }
  return {
    enabled: read.text('kubernetes.enabled') as Config['kubernetes']['enabled'],
    kubeconfig,
    context,
    node: read.maybeText('kubernetes.node') ?? nodeName,
    labels: read.at('kubernetes.labels') as readonly string[],
    annotations: read.at('kubernetes.annotations') as readonly string[],
    waitMsMax: read.number('kubernetes.waitMsMax'),
  };
}
