/**
 * What keeps the agent from looking into files and directories that its sources take: nobody can account for what stands
 * in them, so an audit has to know of it.
 *
 * Whoever reads a directory says what of it could not be looked at; what is not said again when the directory is read
 * again is over.
 */
import { AppError, isMoved, messageOf, systemCodeOf } from '../base/errors.ts';
import type { SourceConfig } from '../config/source-config.ts';

/** Something that could not be looked into when it was tried last. */
export interface Obstacle {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly error: unknown;
  /** Monotonic milliseconds of the first failure in a row. */
  readonly sinceMs: number;
}

/** A directory as one source reads it. */
export interface ObstaclePlace {
  readonly source: SourceConfig;
  readonly directory: string;
}

/** What is new of an obstacle. */
export type FoundObstacle = Omit<Obstacle, 'sinceMs'>;

interface Entry extends Obstacle {
  /** Not said again since its directory began to be read. */
  isOld: boolean;
}

/** Obstacles that are remembered; beyond it the first ones speak for the others, which are tried again as they are. */
const OBSTACLES_MAX = 10_000;

export class Obstacles {
  readonly #places = new Map<SourceConfig, Map<string, Map<string, Entry>>>();
  readonly #monotonicMs: () => number;
  #count = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Says that a directory is read from its beginning: what is not noted again until `end` is over. */
  begin(place: ObstaclePlace): void {
    for (const entry of this.#at(place)?.values() ?? []) entry.isOld = true;
  }

  end(place: ObstaclePlace): void {
    for (const { path, isOld } of this.#at(place)?.values() ?? []) if (isOld) this.clear(place, path);
  }

  note(place: ObstaclePlace, { path, kind, error }: FoundObstacle): void {
    const known = this.#at(place)?.get(path);
    if (known === undefined && this.#count >= OBSTACLES_MAX) return;
    if (known === undefined) this.#count += 1;
    const sinceMs = known?.sinceMs ?? this.#monotonicMs();
    this.#open(place).set(path, { path, kind, error, sinceMs, isOld: false });
  }

  /** Keeps what is known of a path while it is looked into. */
  keep(place: ObstaclePlace, path: string): void {
    const entry = this.#at(place)?.get(path);
    if (entry !== undefined) entry.isOld = false;
  }

  /** Forgets a path, or all of a directory. */
  clear(place: ObstaclePlace, path?: string): void {
    const directories = this.#places.get(place.source);
    const entries = directories?.get(place.directory);
    if (entries === undefined) return;
    const paths = path === undefined ? [...entries.keys()] : [path];
    for (const one of paths) if (entries.delete(one)) this.#count -= 1;
    if (entries.size === 0) directories?.delete(place.directory);
  }

  list(): Obstacle[] {
    const directories = [...this.#places.values()].flatMap((places) => [...places.values()]);
    return directories.flatMap((entries) => [...entries.values()]);
  }

  /** Whether something that stands in a directory may not have been found, because it could not be looked at. */
  mayHide(directory: string): boolean {
    const isIn = (path: string): boolean => path.slice(0, path.lastIndexOf('/')) === directory;
    return this.list().some(
      ({ path }) => path === directory || directory.startsWith(`${path}/`) || isIn(path),
    );
  }

  #at({ source, directory }: ObstaclePlace): Map<string, Entry> | undefined {
    return this.#places.get(source)?.get(directory);
  }

  #open({ source, directory }: ObstaclePlace): Map<string, Entry> {
    let directories = this.#places.get(source);
    if (directories === undefined) this.#places.set(source, (directories = new Map()));
    let entries = directories.get(directory);
    if (entries === undefined) directories.set(directory, (entries = new Map()));
    return entries;
  }
}

/** Why nothing can be said yet of a file that may be a copy in the making. */
export const UNDECIDED = new Error('it may be a copy that is not whole yet');

/** Whether an obstacle is only that a name moved on, or that time will tell: it is over in a moment. */
export function isPassing({ error }: Pick<Obstacle, 'error'>): boolean {
  return error === UNDECIDED || isMoved(error);
}

/** Returns one obstacle per path, those that do not pass by themselves only. */
export function lastingObstacles(obstacles: readonly Obstacle[]): Obstacle[] {
  const byPath = new Map<string, Obstacle>();
  for (const one of obstacles) if (!isPassing(one) && !byPath.has(one.path)) byPath.set(one.path, one);
  return [...byPath.values()];
}

/** Returns what is in the way, and the remedy, without the path. */
export function obstacleText({ kind, error }: Pick<Obstacle, 'kind' | 'error'>): string {
  return `${reasonOf({ error })}; ${remedyOf(kind, systemCodeOf(error))}`;
}

/** Returns why a ledger cannot tell of every file; undefined when only what passes by itself is in the way. */
export function obstaclesError(obstacles: readonly Obstacle[]): AppError | undefined {
  const [first, ...others] = lastingObstacles(obstacles);
  if (first === undefined) return undefined;
  const more = others.length === 0 ? '' : `; nor for ${others.length} more`;
  return new AppError('io_failed', `cannot account for ${first.path}: ${obstacleText(first)}${more}`);
}

/** Returns the message of the system without its code, its call and its path, which stand beside it. */
export function reasonOf({ error }: Pick<Obstacle, 'error'>): string {
  const text = messageOf(error);
  return /^[A-Z][A-Z0-9_]+: ([^,]+)/.exec(text)?.[1] ?? text;
}

/** Codes as in errno(3). */
function remedyOf(kind: Obstacle['kind'], code: string | undefined): string {
  const leaveOut = 'leave it out with `exclude`';
  if (code === 'EACCES' || code === 'EPERM') {
    const what = kind === 'file' ? 'read permission' : 'read and search permission';
    return `give the agent ${what}, or ${leaveOut}`;
  }
  if (code === 'EMFILE' || code === 'ENFILE') return 'raise the limit of open files (`ulimit -n`)';
  return `it is tried again; mend or remove it when it stays so, or ${leaveOut}`;
}
