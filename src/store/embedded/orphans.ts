import type { FileSystem } from '../../base/file-system.ts';
import { messageOf } from '../../base/errors.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { StoreState } from './store-state.ts';

/**
 * Removes segments that a crash or a failure has left outside the catalog: their records are still in journals, or
 * have moved to other segments. What somebody still reads stays.
 */
export function removeOrphans(fileSystem: FileSystem, state: StoreState, telemetry: Telemetry): void {
  const root = state.segmentDirectory;
  for (const day of fileSystem.readDirectory(root)) {
    if (day.kind !== 'directory') continue;
    for (const hour of fileSystem.readDirectory(`${root}/${day.name}`)) {
      if (hour.kind !== 'directory') continue;
      for (const file of fileSystem.readDirectory(`${root}/${day.name}/${hour.name}`)) {
        const path = `${day.name}/${hour.name}/${file.name}`;
        const isOrphan = !state.catalog.segments.has(path) && !state.leases.isHeld(`${root}/${path}`);
        if (isOrphan) remove(fileSystem, `${root}/${path}`, telemetry);
      }
    }
  }
}

/** Removes what the engine had spilled to the disk when a process was killed. */
export function removeSpilled(fileSystem: FileSystem, directory: string, telemetry: Telemetry): void {
  if (fileSystem.stat(directory) === undefined) return;
  for (const { name, kind } of fileSystem.readDirectory(directory)) {
    if (kind === 'file') remove(fileSystem, `${directory}/${name}`, telemetry);
  }
}

function remove(fileSystem: FileSystem, path: string, telemetry: Telemetry): void {
  try {
    fileSystem.unlink(path);
  } catch (error) {
    telemetry.log('warn', 'store_unlink_failed', `Cannot remove ${path}.`, { reason: messageOf(error) });
  }
}
