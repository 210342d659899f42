/**
 * The names that rotation gives to files: `app.log.1`, `app.log.2.gz`, `app.log-20261123`, `0.log.20261123-101112`,
 * `app.log-2026112310.backup`; `app-20261123.log` is a file of its own. Sources: logrotate(8) and, for what it moves
 * aside, `createOutputFile` in its logrotate.c; kubelet's container log manager, Docker's json-file driver, s6-log.
 */
export interface RotatedName {
  /** The name that the active file has. */
  readonly base: string;
  readonly compression: 'gz' | 'zst' | undefined;
  /** Undefined for the active file. */
  readonly rotation: Rotation | undefined;
}

/**
 * `number`: the higher the older. `date`: the greater the newer, compared as text. `aside`: the name does not say
 * which of the others are older.
 */
export type Rotation =
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'date'; readonly text: string }
  | { readonly kind: 'aside' };

const COMPRESSED = /^(.+)\.(gz|zst)$/;
const NUMBERED = /^(.+)\.(\d{1,4})$/;
const DATED = /^(.+?)[-.](\d{4}-?\d{2}-?\d{2}(?:[-T_.]?\d{2,6})?(?:[-.]\d{1,10})?)$/;
/**
 * With `create`, logrotate moves aside what has the name of the new file already: a writer that opened its file again
 * between the renaming and that has begun it, and goes on writing to it.
 */
const ASIDE = /^(.+)-\d{10}\.backup$/;
const S6_ARCHIVE = /^@[0-9a-f]{24}\.[su]$/;

/** Splits the name of a file into the active file's name and what rotation added. */
export function parseRotatedName(name: string): RotatedName {
  const compressed = COMPRESSED.exec(name);
  const plain = compressed?.[1] ?? name;
  const compression = compressed?.[2] as 'gz' | 'zst' | undefined;
  const aside = ASIDE.exec(plain);
  if (aside?.[1] !== undefined) return { base: aside[1], compression, rotation: { kind: 'aside' } };
  const dated = DATED.exec(plain);
  if (dated?.[1] !== undefined && dated[2] !== undefined) {
    return { base: dated[1], compression, rotation: { kind: 'date', text: dated[2].replaceAll('-', '') } };
  }
  const numbered = NUMBERED.exec(plain);
  if (numbered?.[1] !== undefined) {
    return { base: numbered[1], compression, rotation: { kind: 'number', number: Number(numbered[2]) } };
  }
  return { base: plain, compression, rotation: undefined };
}

/** Whether a name in an s6-log directory is one of its log files; `lock`, `state` and `processed` are not. */
export function parseS6Name(name: string): RotatedName | undefined {
  if (name === 'current') return { base: 'current', compression: undefined, rotation: undefined };
  // `previous` is newer than every archive: `@` sorts before `p`.
  if (name === 'previous' || S6_ARCHIVE.test(name)) {
    return { base: 'current', compression: undefined, rotation: { kind: 'date', text: name } };
  }
  return undefined;
}

/** Returns the rotation in the name of a file that keeps it, however many come after it; undefined for all others. */
export function lastingRotationOf(name: string): Rotation | undefined {
  const { rotation } = parseS6Name(name) ?? parseRotatedName(name);
  return isLasting(rotation) ? rotation : undefined;
}

/** Whether a name goes on saying how old its file is, once others have come: `previous` of s6-log does not. */
export function isLasting(rotation: Rotation | undefined): boolean {
  return rotation?.kind === 'date' && rotation.text !== 'previous';
}

/** Orders names of one base by age, the oldest first and the active file last; ties go by modification time. */
export function compareAge(
  left: { readonly rotation: Rotation | undefined; readonly modifiedNs: bigint },
  right: { readonly rotation: Rotation | undefined; readonly modifiedNs: bigint },
): number {
  if (left.rotation === undefined || right.rotation === undefined) {
    return Number(left.rotation === undefined) - Number(right.rotation === undefined);
  }
  if (left.rotation.kind === 'number' && right.rotation.kind === 'number') {
    const difference = right.rotation.number - left.rotation.number;
    if (difference !== 0) return difference;
  } else if (left.rotation.kind === 'date' && right.rotation.kind === 'date') {
    if (left.rotation.text !== right.rotation.text) return left.rotation.text < right.rotation.text ? -1 : 1;
  }
  return left.modifiedNs < right.modifiedNs ? -1 : Number(left.modifiedNs > right.modifiedNs);
}
