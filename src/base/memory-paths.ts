/** How paths lead to files of the file system in memory: names, `.` and `..`, and symbolic links on the way. */
import type { MemoryInode } from './memory-inode.ts';

/** Links that lead to links are followed so often; then the path leads nowhere, as with ELOOP. */
const LINK_DEPTH_MAX = 16;

/** Splits a path, with `.` and `..` taken out. */
export function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}

/** Returns what a path leads to from the root; undefined where nothing is. `followLast`: also when it is a link. */
export function findInode(root: MemoryInode, path: string, followLast: boolean): MemoryInode | undefined {
  return find(root, path, followLast, 0);
}

function find(root: MemoryInode, path: string, followLast: boolean, depth: number): MemoryInode | undefined {
  if (depth > LINK_DEPTH_MAX) return undefined;
  const names = namesOf(path);
  let inode = root;
  for (let index = 0; index < names.length; index++) {
    const child = inode.entries.get(names[index] ?? '');
    if (child === undefined) return undefined;
    if (child.kind === 'link' && (followLast || index < names.length - 1)) {
      const target = find(root, targetOf(child, names.slice(0, index)), true, depth + 1);
      if (target === undefined) return undefined;
      inode = target;
    } else inode = child;
  }
  return inode;
}

/** Returns the path without links; undefined where nothing is, or where links lead in a circle. */
export function realPathOf(root: MemoryInode, path: string): string | undefined {
  const names = realNames(root, namesOf(path), 0);
  return names === undefined ? undefined : `/${names.join('/')}`;
}

function realNames(root: MemoryInode, path: readonly string[], depth: number): string[] | undefined {
  if (depth > LINK_DEPTH_MAX) return undefined;
  let names: string[] = [];
  let inode = root;
  for (const name of path) {
    const child = inode.entries.get(name);
    if (child === undefined) return undefined;
    if (child.kind === 'link') {
      const target = targetOf(child, names);
      const real = realNames(root, namesOf(target), depth + 1);
      const found = find(root, target, true, depth + 1);
      if (real === undefined || found === undefined) return undefined;
      names = real;
      inode = found;
    } else {
      names.push(name);
      inode = child;
    }
  }
  return names;
}

function targetOf(link: MemoryInode, directory: readonly string[]): string {
  return link.linkTarget.startsWith('/') ? link.linkTarget : `${directory.join('/')}/${link.linkTarget}`;
}
