/** Files, groups and policies for tests of rotation. */
import type { RotatePolicyConfig } from '../../../config/rotate-config.ts';
import { DEFAULT_POLICY } from '../../../config/rotate-options.ts';
import type { RotateFile, RotateGroup } from '../rotate-types.ts';

/** The moment that the samples are from, milliseconds since the Unix epoch. */
export const SAMPLE_MS = Date.UTC(2026, 10, 23, 4, 30);

/** Returns a policy that fits everything. */
export function samplePolicy(changes: Partial<RotatePolicyConfig> = {}): RotatePolicyConfig {
  return { ...DEFAULT_POLICY, match: { ...DEFAULT_POLICY.match, source: undefined }, ...changes };
}

/** Returns an active file, all of it acknowledged. */
export function sampleFile(changes: Partial<RotateFile> = {}): RotateFile {
  const size = changes.size ?? 0;
  const name = changes.name ?? 'app.log';
  return {
    name,
    path: `/data/logs/shop/cart/cart-0/log/${name}`,
    inode: '1:1',
    birthNs: '0',
    fileId: 'a'.repeat(20),
    isActive: true,
    isCompressed: false,
    size,
    diskBytes: changes.diskBytes ?? size,
    modifiedMs: SAMPLE_MS,
    bornMs: SAMPLE_MS,
    readOffset: changes.freeOffset ?? size,
    freeOffset: size,
    isDone: (changes.freeOffset ?? size) === size,
    hasUnfinishedLine: false,
    given: [],
    ...changes,
  };
}

/** Returns a plain file's group of the apps tree. */
export function sampleGroup(files: readonly RotateFile[], changes: Partial<RotateGroup> = {}): RotateGroup {
  const directory = '/data/logs/shop/cart/cart-0/log';
  return {
    key: `${directory}/app.log`,
    directory,
    style: 'rotated',
    sourceKind: 'apps',
    activePath: `${directory}/app.log`,
    names: { namespace: 'shop', app: 'cart', pod: 'cart-0', container: 'app' },
    labels: {},
    blockBytes: 4096,
    files,
    ...changes,
  };
}
