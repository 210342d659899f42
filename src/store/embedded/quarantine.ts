/**
 * Takes segments back that were set aside: each start tries those that still are in the quarantine. A disk that was
 * mended, or a sound copy of the file put in its place, is all that it needs.
 */
import { AppError } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { QuarantinedFile, StoredSegment } from './catalog.ts';
import type { SegmentEngine } from './segment-engine.ts';
import type { StoreState } from './store-state.ts';

/** Files that a start tries: each is read whole. */
const TRIED_MAX = 100;

export interface QuarantineOptions {
  readonly state: StoreState;
  readonly engine: SegmentEngine;
  readonly fileSystem: FileSystem;
  readonly telemetry: Telemetry;
}

/** Returns every readable segment of the quarantine to the store, and forgets files that somebody removed from it. */
export async function releaseQuarantined(options: QuarantineOptions): Promise<void> {
  const { state, fileSystem } = options;
  const files = [...state.catalog.quarantined.values()].slice(0, TRIED_MAX);
  for (const file of files) {
    moveAside(options, file);
    if (fileSystem.stat(file.path) !== undefined) await takeBack(options, file);
    else await state.commit([{ kind: 'released', path: file.path, added: [] }]);
  }
}

/** A process may have ended between what the catalog says and moving the file: the catalog holds. */
function moveAside({ state, fileSystem }: QuarantineOptions, { path, segment }: QuarantinedFile): void {
  if (segment === undefined || state.catalog.segments.has(segment.path)) return;
  const target = `${state.segmentDirectory}/${segment.path}`;
  if (fileSystem.stat(path) === undefined && fileSystem.stat(target) !== undefined) {
    fileSystem.rename(target, path);
  }
}

async function takeBack(options: QuarantineOptions, { path, segment }: QuarantinedFile): Promise<void> {
  const { state, fileSystem, telemetry } = options;
  if (segment === undefined || state.catalog.segments.has(segment.path)) return;
  if (!(await isSound(options, path, segment))) return;
  const target = `${state.segmentDirectory}/${segment.path}`;
  const directory = target.slice(0, target.lastIndexOf('/'));
  fileSystem.makeDirectory(directory);
  fileSystem.rename(path, target);
  await fileSystem.syncDirectory(directory);
  await state.commit([{ kind: 'released', path, added: [segment] }]);
  const text = 'A segment that was set aside can be read again, and is searched like the others.';
  telemetry.log('info', 'store_segment_restored', text, { path: target });
}

async function isSound(
  { state, engine }: QuarantineOptions,
  path: string,
  segment: StoredSegment,
): Promise<boolean> {
  const { columns, rows } = state.catalog.restore(segment);
  try {
    const found = await engine.verify({ kind: 'segment', path, columns }, new AbortController().signal);
    return found === rows;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
