import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryFileSystem } from './memory-file-system.ts';

function fileSystemWithLinks(): MemoryFileSystem {
  const fileSystem = new MemoryFileSystem();
  fileSystem.makeDirectory('/var/log/pods');
  fileSystem.makeDirectory('/docker');
  fileSystem.append('/docker/a.log', 'one');
  fileSystem.symlink('../../../docker', '/var/log/pods/shop');
  fileSystem.symlink('/var/log/pods/shop/a.log', '/link');
  return fileSystem;
}

test('relative and absolute links, dots and links to links lead to the same file', () => {
  const fileSystem = fileSystemWithLinks();
  const { inode } = fileSystem.stat('/docker/a.log') ?? {};
  for (const path of ['/link', '/var/log/pods/shop/a.log', '//docker/./b/../a.log']) {
    assert.equal(fileSystem.stat(path)?.inode, inode, path);
    assert.equal(fileSystem.realPath(path), '/docker/a.log', path);
  }
  assert.notEqual(fileSystem.lstat('/link')?.inode, inode);
  assert.equal(fileSystem.lstat('/var/log/pods/shop/a.log')?.inode, inode);
});

test('links that lead nowhere or in a circle end with ENOENT', () => {
  const fileSystem = fileSystemWithLinks();
  fileSystem.symlink('/nowhere', '/dangling');
  fileSystem.symlink('/right', '/left');
  fileSystem.symlink('/left', '/right');
  for (const path of ['/dangling', '/left', '/left/below', '/nowhere/at/all']) {
    assert.equal(fileSystem.stat(path), undefined, path);
    assert.throws(() => fileSystem.realPath(path), { code: 'ENOENT' }, path);
  }
  assert.ok(fileSystem.lstat('/left'));
});
