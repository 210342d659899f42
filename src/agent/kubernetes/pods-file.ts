/**
 * What was known of the pods, on disk: an agent that starts while the API is away knows them, and so do the commands
 * that explain. Losing it costs nothing but that.
 */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import { joinPath } from '../discovery/layout.ts';
import type { PodsState } from './pods-state.ts';

/** Returns the file of a data directory. */
export function podsPathOf(data: string): string {
  return joinPath(joinPath(data, 'agent'), 'pods.json');
}

/** Takes over what stands in the file; returns what is wrong with it, undefined when it is whole or not there. */
export function loadPods(
  state: PodsState,
  at: { readonly fileSystem: Pick<FileSystem, 'readFile'>; readonly data: string; readonly nowMs: number },
): string | undefined {
  const path = podsPathOf(at.data);
  try {
    const text = new TextDecoder().decode(at.fileSystem.readFile(path));
    return state.restore(text, at.nowMs) ? undefined : `${path} is not what the agent writes; it is ignored`;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    return `cannot read ${path} (${messageOf(error)})`;
  }
}

/** Replaces the file as a whole; returns what went wrong, undefined when it is written. */
export async function savePods(
  state: PodsState,
  at: { readonly fileSystem: FileSystem; readonly data: string },
): Promise<string | undefined> {
  const { fileSystem, data } = at;
  const path = podsPathOf(data);
  try {
    fileSystem.makeDirectory(joinPath(data, 'agent'));
    const fd = fileSystem.open(`${path}.tmp`, 'w');
    try {
      await fileSystem.writeAsync(fd, new TextEncoder().encode(state.save()));
    } finally {
      fileSystem.close(fd);
    }
    fileSystem.rename(`${path}.tmp`, path);
    return undefined;
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return `cannot write ${path} (${messageOf(error)})`;
  }
}
