import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentWorld, APPS_SOURCE } from '../testing/agent-world.ts';

const LOG = '/data/logs/shop/web/web-0/log';

/** What the agent says of each line: message, container, stream and path. */
async function collect(world: AgentWorld): Promise<string[][]> {
  world.start();
  await world.advance(3000);
  const found = world.producer.records.map(({ document }) => {
    const { container } = document['kubernetes'] as { container?: { name?: string } };
    const { file } = document['log'] as { file: { path: string } };
    return [String(document['message']), container?.name ?? '', String(document['stream']), file.path];
  });
  await world.stop();
  return found.toSorted((left, right) => String(left[0]).localeCompare(String(right[0])));
}

test('directories named after the streams belong to the container above them', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${LOG}/web/stdout/current`, 'a\n');
  world.write(`${LOG}/web/stderr/current`, 'b\n');
  world.write(`${LOG}/web/nginx/stdout/current`, 'c\n');
  world.write(`${LOG}/stdout/current`, 'd\n');
  world.write(`${LOG}/current`, 'e\n');
  assert.deepEqual(
    (await collect(world)).map((row) => row.slice(0, 3)),
    [
      ['a', 'web', 'stdout'],
      ['b', 'web', 'stderr'],
      ['c', 'web/nginx', 'stdout'],
      ['d', 'stdout', 'stdout'],
      ['e', '', 'file'],
    ],
  );
});

test('a link to a directory of the tree is a second name for it, and its files keep the first', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${LOG}/web/stdout/current`, 'a\n');
  world.fileSystem.symlink('stdout/current', `${LOG}/web/current`);
  // Names that are listed before and after the directory that they lead to.
  world.fileSystem.symlink('web', `${LOG}/a.log`);
  world.fileSystem.symlink('web', `${LOG}/web.log`);
  world.fileSystem.symlink('../../web-0/log/web', '/data/logs/shop/web/web-1/log/web');
  world.write('/data/logs/shop/web/web-1/log/b.log', 'b\n');
  assert.deepEqual(await collect(world), [
    ['a', 'web', 'stdout', `${LOG}/web/stdout/current`],
    ['b', 'b', 'file', '/data/logs/shop/web/web-1/log/b.log'],
  ]);
});

test('a link to a directory of the root that is no log directory is entered', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write('/data/logs/.spool/7/stdout/current', 'a\n');
  world.fileSystem.symlink('/data/logs/.spool/7', `${LOG}/web`);
  assert.deepEqual(await collect(world), [['a', 'web', 'stdout', `${LOG}/web/stdout/current`]]);
});
