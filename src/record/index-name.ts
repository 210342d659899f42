/** Names of indices and of partitions for export: one per namespace and day, `logboom-<namespace>-YYYY.MM.DD`. */

/** Stands for the namespace of documents that have none: an underscore cannot begin a namespace's name. */
export const HOST_NAMESPACE = '_host';

/** Index names may have 255 bytes; prefix and day take 19. */
const NAMESPACE_LENGTH_MAX = 200;

/**
 * Returns the index of a document by its event day (UTC). `timestamp` is its `@timestamp`; a name that a pipeline
 * routes to takes the namespace's place. What indices cannot have in their names becomes an underscore.
 */
export function indexNameOf(timestamp: string, namespace: string | undefined): string {
  const day = timestamp.slice(0, 10).replaceAll('-', '.');
  return `logboom-${indexPart(namespace)}-${day}`;
}

/** Returns what stands for a namespace, or for the name that a pipeline routes to, in the names of indices. */
export function indexPart(namespace: string | undefined): string {
  if (namespace === undefined || namespace === '') return HOST_NAMESPACE;
  return namespace
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '_')
    .slice(0, NAMESPACE_LENGTH_MAX);
}
