import type { FileSystem } from '../../base/file-system.ts';
import { messageOf } from '../../base/errors.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { StoreState } from './store-state.ts';

/**
 * Removes segments that a crash has left outside the catalog: their records are still in journals, or have moved
 * to other segments.
 */
export function removeOrphans(fileSystem: FileSystem, state: StoreState, telemetry: Telemetry): void {
  const root = state.segmentDirectory;
  for (const day of fileSystem.readDirectory(root)) {
    if (day.kind !== 'directory') continue;
    for (const hour of fileSystem.readDirectory(`${root}/${day.name}`)) {
      if (hour.kind !== 'directory') continue;
      for (const file of fileSystem.readDirectory(`${root}/${day.name}/${hour.name}`)) {
        const path = `${day.name}/${hour.name}/${file.name}`;
        if (!state.catalog.segments.has(path)) remove(fileSystem, `${root}/${path}`, telemetry);
      }
    }
  }
}

function remove(fileSystem: FileSystem, path: string, telemetry: Telemetry): void {
  try {
    fileSystem.unlink(path);
  } catch (error) {
    telemetry.log('warn', 'store_unlink_failed', `Cannot remove ${path}.`, { reason: messageOf(error) });
  }
}
