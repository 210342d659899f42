/** The two questions that are asked of the Kubernetes API, and what its refusals mean. */
import { AppError, type ErrorCode } from '../../base/errors.ts';
import type { ApiAnswer } from './kubernetes-api.ts';

type Json = Readonly<Record<string, unknown>>;

/** The rule of a ClusterRole that the agent needs. */
const NEEDED_RULE = '{ apiGroups: [""], resources: [pods], verbs: [list, watch] }';

/** Bytes of an answer that is no stream: some 20 KiB per pod. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

const REFUSAL_BYTES_MAX = 64 * 1024;

/** Words of a refusal that are repeated in messages. */
const REASON_LENGTH_MAX = 300;

/** The API server answers this when it no longer has the history behind a version. */
export const GONE_STATUS = 410;

/**
 * Returns the path of a list of the pods of a node. Version 0 is answered out of the API server's memory, as the
 * kubelet's own lists are: without it every agent's list would read all pods of the cluster from etcd.
 */
export function listPath(node: string): string {
  return `/api/v1/pods?${queryOf({ fieldSelector: `spec.nodeName=${node}`, resourceVersion: '0' })}`;
}

/** Returns the path of a watch from a version, which the server ends after `timeoutSeconds`. */
export function watchPath(
  node: string,
  { resourceVersion, timeoutSeconds }: { readonly resourceVersion: string; readonly timeoutSeconds: number },
): string {
  const query = queryOf({
    watch: '1',
    allowWatchBookmarks: 'true',
    fieldSelector: `spec.nodeName=${node}`,
    resourceVersion,
    timeoutSeconds: String(timeoutSeconds),
  });
  return `/api/v1/pods?${query}`;
}

/** Returns the error of an answer other than 200: what was refused, and what is to be done. */
export async function refusalOf({ status, body }: ApiAnswer, verb: 'list' | 'watch'): Promise<AppError> {
  const reason = await reasonOf(body);
  const text = `cannot ${verb} the pods of this node (HTTP ${status}${reason === '' ? '' : `: ${reason}`})`;
  return new AppError(codeOf(status), text, { hint: hintOf(status), details: { status } });
}

/** Returns the items of a list and its version; rejects when it is none. */
export async function readList(
  body: AsyncIterable<Uint8Array>,
): Promise<{ items: readonly unknown[]; resourceVersion: string }> {
  const list = parseObject(await textOf(body, ANSWER_BYTES_MAX));
  const { items } = list;
  const resourceVersion = versionOf(list);
  if (resourceVersion === undefined || (items !== null && !Array.isArray(items))) {
    throw new AppError('unreachable', 'cannot read the list of pods: it is none', {
      hint: 'Is this the address of a Kubernetes API server?',
    });
  }
  return { items: items ?? [], resourceVersion };
}

/** Returns what a line of a watch says; throws when it is no event. */
export function parseEvent(line: string): { type: string; object: unknown } {
  const { type, object } = parseObject(line);
  const types = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'];
  if (typeof type === 'string' && types.includes(type)) return { type, object };
  throw new AppError('unreachable', 'cannot read an event of the watch of pods: it has no known type');
}

function parseObject(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Json;
  } catch {
    // Said below, without repeating what may be anything.
  }
  throw new AppError('unreachable', 'cannot read what the API server says of pods: it is no JSON object');
}

/** Returns the version of a list, a pod or a bookmark. */
export function versionOf(object: unknown): string | undefined {
  const metadata: unknown = (object as Json | null | undefined)?.['metadata'];
  const version: unknown = (metadata as Json | null | undefined)?.['resourceVersion'];
  return typeof version === 'string' && version !== '' ? version : undefined;
}

/** Returns the whole text of an answer; rejects when it is longer than `bytesMax`. */
async function textOf(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > bytesMax) throw new AppError('bad_request', 'cannot read the list of pods: it is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function queryOf(members: Readonly<Record<string, string>>): string {
  return Object.entries(members)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'permission_denied';
  return status === 429 ? 'too_busy' : 'unreachable';
}

function hintOf(status: number): string | undefined {
  if (status === 403) return `Give the agent's service account a ClusterRole with the rule ${NEEDED_RULE}.`;
  if (status === 401) return 'Is the token or the certificate one of this cluster, and still valid?';
  if (status === 404) return 'Is this the address of a Kubernetes API server?';
  return undefined;
}

/** The `message` of a Status object; anything else says nothing that belongs into a log line. */
async function reasonOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    const { message } = JSON.parse(await textOf(body, REFUSAL_BYTES_MAX)) as { message?: unknown };
    return typeof message === 'string' ? message.slice(0, REASON_LENGTH_MAX) : '';
  } catch {
    return '';
  }
}
