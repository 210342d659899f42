/** What `logboom doctor` asks the Kubernetes API: whether the agent may list and watch the pods of its node. */
import { AppError, ConfigError, messageOf } from '../base/errors.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Finding } from '../cli/context.ts';
import { formatPlural } from '../cli/output.ts';
import type { Config } from '../config/config.ts';
import { findAccess } from './pod-watching.ts';

const CHECK = 'kubernetes';

/** An API server that does not answer in this time is away. */
const ANSWER_MS_MAX = 10_000;

/** The watch that is tried ends after this time. */
const WATCH_SECONDS = 1;

/** Returns what was found; nothing where no API is asked. */
export async function examineKubernetes(config: Config): Promise<readonly Finding[]> {
  const limit = new AbortController();
  const timer = nodeScheduler.schedule(ANSWER_MS_MAX, () => limit.abort());
  try {
    return await examine(config, limit.signal);
  } catch (error) {
    const text = limit.signal.aborted ? 'the API server does not answer' : messageOf(error);
    const hint = error instanceof AppError || error instanceof ConfigError ? error.hint : undefined;
    const remedy = hint ?? 'Check the address, and what stands between this machine and it.';
    return [{ status: 'fail', check: CHECK, text, remedy }];
  } finally {
    timer.cancel();
    limit.abort();
  }
}

async function examine(config: Config, signal: AbortSignal): Promise<readonly Finding[]> {
  const readAccess = findAccess(config);
  if (readAccess === undefined) return [];
  const { createKubernetesApi } = await import('../agent/kubernetes/kubernetes-api.ts');
  const { listPath, readList, refusalOf, watchPath } = await import('../agent/kubernetes/pod-requests.ts');
  const api = createKubernetesApi(readAccess);
  const { node } = config.kubernetes;
  const listed = await api.get(listPath(node), signal);
  if (listed.status !== 200) throw await refusalOf(listed, 'list');
  const { items, resourceVersion } = await readList(listed.body);
  const path = watchPath(node, { resourceVersion, timeoutSeconds: WATCH_SECONDS });
  const watched = await api.get(path, signal);
  if (watched.status !== 200) throw await refusalOf(watched, 'watch');
  const { server } = readAccess();
  if (items.length === 0) {
    const text = `${server} has no pod on a node named ${node}`;
    return [
      { status: 'warn', check: CHECK, text, remedy: 'Is kubernetes.node the name of this node there?' },
    ];
  }
  const text = `${server} tells of ${formatPlural(items.length, 'pod')} on ${node}, and lets them be watched`;
  return [{ status: 'ok', check: CHECK, text, remedy: undefined }];
}
