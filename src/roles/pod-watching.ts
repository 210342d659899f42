/** Whether and how this machine watches the pods of its node, as the configuration and its surroundings say. */
import type { ApiAccess } from '../agent/kubernetes/api-access.ts';
import {
  isInCluster,
  readKubeconfig,
  readPodAccess,
  SERVICE_ACCOUNT,
} from '../agent/kubernetes/api-access.ts';
import { PodWatch } from '../agent/kubernetes/pod-watch.ts';
import { loadPods } from '../agent/kubernetes/pods-file.ts';
import { type PodFinder, PodsState } from '../agent/kubernetes/pods-state.ts';
import { ConfigError, messageOf } from '../base/errors.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Config } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** Returns the watch that the configuration asks for, which is to be run; undefined where there is none. */
export function createPodWatch(config: Config, telemetry: Telemetry): PodWatch | undefined {
  const readAccess = findAccess(config);
  if (readAccess === undefined) return undefined;
  const { node, waitMsMax, enabled } = config.kubernetes;
  return new PodWatch({
    openApi: async () => {
      const { createKubernetesApi } = await import('../agent/kubernetes/kubernetes-api.ts');
      return createKubernetesApi(readAccess);
    },
    node,
    data: config.data,
    waitMsMax,
    isRequired: enabled === 'true',
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    telemetry,
  });
}

/**
 * Returns what reads how the API is reached; undefined where nobody asks for it. Throws a ConfigError for a kubeconfig
 * that cannot be used, and when labels are asked for where no API is known.
 */
export function findAccess({ kubernetes }: Config): (() => ApiAccess) | undefined {
  const { enabled, kubeconfig, context } = kubernetes;
  if (enabled === 'false') return undefined;
  if (kubeconfig !== undefined) {
    const read = (): ApiAccess => readKubeconfig(kubeconfig, { context, readText });
    checkAccess(read);
    return read;
  }
  if (isInCluster(process.env, hasFile)) return () => readPodAccess(process.env, readText);
  if (enabled === 'auto') return undefined;
  const text = `is true, and there is neither a kubeconfig nor a service account's token in ${SERVICE_ACCOUNT}`;
  const hint = 'Name a file with kubernetes.kubeconfig, or run the agent as a pod with a service account.';
  throw new ConfigError('kubernetes.enabled', text, hint);
}

/** Returns the pods that the agent of this data directory knew last; what it could not write is not known. */
export function readKnownPods({ data, kubernetes }: Config): PodFinder {
  const pods = new PodsState();
  if (kubernetes.enabled !== 'false') {
    loadPods(pods, { fileSystem: nodeFileSystem, data, nowMs: nodeScheduler.nowMs() });
  }
  return pods;
}

/** What is wrong with a kubeconfig is said before anything starts. */
function checkAccess(read: () => ApiAccess): void {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError('kubernetes.kubeconfig', `names a file that cannot be read (${messageOf(error)})`);
  }
}

function hasFile(path: string): boolean {
  return nodeFileSystem.stat(path) !== undefined;
}

function readText(path: string): string {
  return new TextDecoder().decode(nodeFileSystem.readFile(path));
}
