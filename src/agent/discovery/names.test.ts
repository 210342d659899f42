import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerConfig } from './docker-layout.ts';
import { compileTemplate } from './files-layout.ts';
import { compileGlob, compileGlobDirectories, globRoot } from './path-glob.ts';
import { parsePodDirectory } from './pods-layout.ts';
import { compareAge, parseRotatedName, parseS6Name } from './rotated-name.ts';

test('names of rotated files are split into the active name and the rotation', () => {
  const rows = [
    'app.log',
    'app.log.1',
    'app.log.12.gz',
    'app.log-20261123',
    '0.log.20261123-101112.gz',
    'app.log-2026-11-23.zst',
    'app.log-2026112310.backup',
    'app.log.backup',
    'app.log.tmp',
  ].map((name) => {
    const { base, compression, rotation } = parseRotatedName(name);
    return [base, compression, rotation && Object.values(rotation).at(-1)];
  });
  assert.deepEqual(rows, [
    ['app.log', undefined, undefined],
    ['app.log', undefined, 1],
    ['app.log', 'gz', 12],
    ['app.log', undefined, '20261123'],
    ['0.log', 'gz', '20261123101112'],
    ['app.log', 'zst', '20261123'],
    ['app.log', undefined, 'aside'],
    ['app.log.backup', undefined, undefined],
    ['app.log.tmp', undefined, undefined],
  ]);
});

test('of an s6 directory only the log files count', () => {
  const archive = `@${'40'.repeat(12)}.s`;
  const names = ['lock', 'state', 'newstate', 'processed', 'previous', 'current', archive, '@short.s'];
  assert.deepEqual(
    names.filter((name) => parseS6Name(name) !== undefined),
    ['previous', 'current', archive],
  );
});

test('files are ordered by age, the active one last', () => {
  const order = (names: readonly string[]): string[] =>
    names
      .map((name) => ({
        name,
        rotation: (parseS6Name(name) ?? parseRotatedName(name)).rotation,
        modifiedNs: 0n,
      }))
      .sort(compareAge)
      .map(({ name }) => name);
  assert.deepEqual(order(['a.log', 'a.log.1', 'a.log.10.gz', 'a.log.2.gz']), [
    'a.log.10.gz',
    'a.log.2.gz',
    'a.log.1',
    'a.log',
  ]);
  const archives = [`@${'40'.repeat(12)}.s`, `@${'41'.repeat(12)}.u`];
  assert.deepEqual(order(['current', 'previous', archives[1] ?? '', archives[0] ?? '']), [
    ...archives,
    'previous',
    'current',
  ]);
});

test('a file that logrotate moved aside is as old as its last change says', () => {
  const files = [
    { name: 'a.log', modifiedNs: 9n },
    { name: 'a.log-2026112310.backup', modifiedNs: 5n },
    { name: 'a.log.1', modifiedNs: 4n },
    { name: 'a.log-20261123', modifiedNs: 6n },
  ].map((file) => ({ ...file, rotation: parseRotatedName(file.name).rotation }));
  const names = files.toSorted(compareAge).map(({ name }) => name);
  assert.deepEqual(names, ['a.log.1', 'a.log-2026112310.backup', 'a.log-20261123', 'a.log']);
});

test('globs fit whole paths', () => {
  const fits = (glob: string, path: string): boolean => compileGlob(glob).test(path);
  assert.equal(fits('/var/log/*.log', '/var/log/a.log'), true);
  assert.equal(fits('/var/log/*.log', '/var/log/a/b.log'), false);
  assert.equal(fits('/var/**/*.log', '/var/log/a/b.log'), true);
  assert.equal(fits('/var/**/*.log', '/var/b.log'), true);
  assert.equal(fits('/var/{a,b}.log', '/var/b.log'), true);
  assert.equal(fits('/var/[!a].log', '/var/a.log'), false);
  assert.equal(fits('/var/a+b(.log', '/var/a+b(.log'), true);
  assert.equal(globRoot('/var/log/*/x.log'), '/var/log');
  const enters = compileGlobDirectories('/srv/*/log/*.log');
  assert.deepEqual(
    [enters('/srv/a'), enters('/srv/a/log'), enters('/srv/a/other'), enters('/srv/a/log/b')],
    [true, true, false, false],
  );
});

test('a path template names fields, and a path that does not fit names none', () => {
  const read = compileTemplate('/srv/{kubernetes.namespace}/{service.name}.log');
  assert.deepEqual(read('/srv/shop/cart.log'), { 'kubernetes.namespace': 'shop', 'service.name': 'cart' });
  assert.equal(read('/srv/cart.log'), undefined);
});

test('names of pods and of docker containers are read from where the runtimes put them', () => {
  assert.deepEqual(parsePodDirectory('shop_cart-1_0f-0e'), {
    namespace: 'shop',
    pod: 'cart-1',
    podUid: '0f-0e',
  });
  assert.deepEqual(parsePodDirectory('0f-0e'), { podUid: '0f-0e' });
  const names = parseDockerConfig(
    '{"Name":"/k8s","Config":{"Image":"nginx","Labels":{"io.kubernetes.pod.name":"p","io.kubernetes.pod.namespace":"n","io.kubernetes.container.name":"c"}}}',
  );
  assert.deepEqual(
    [names.containerName, names.image, names.namespace, names.pod, names.container],
    ['k8s', 'nginx', 'n', 'p', 'c'],
  );
  assert.throws(() => parseDockerConfig('{'));
});

test("docker's own labels are taken with their dots, as many and as long as the limits allow", () => {
  const parse = (labels: unknown): unknown => {
    const { containerLabels, isLabelLeftOut } = parseDockerConfig(
      JSON.stringify({ Config: { Labels: labels } }),
    );
    return [containerLabels, isLabelLeftOut];
  };
  const own = { 'com.docker.compose.service': 'web', team: 'shop' };
  assert.deepEqual(parse({ ...own, 'io.kubernetes.pod.name': 'p', odd: 5 }), [own, undefined]);
  assert.deepEqual(parse({ ...own, long: 'x'.repeat(2000) }), [own, true]);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`l${index}`, 'x']));
  const [taken, isLeftOut] = parse(many) as [Record<string, string>, boolean];
  assert.deepEqual([Object.keys(taken).length, isLeftOut], [64, true]);
  assert.deepEqual(parse({}), [undefined, undefined]);
  assert.deepEqual(parse(null), [undefined, undefined]);
});
