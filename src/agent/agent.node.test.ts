/** The agent on the real file system: inodes, watches and descriptors as the kernel has them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { FileSystem } from '../base/file-system.ts';
import { openArchive } from '../base/node/node-archive.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { createAgent } from './agent.ts';
import type { Agent } from './agent-types.ts';
import { APPS_SOURCE, CollectingProducer, PODS_SOURCE, testConfig } from './testing/agent-world.ts';

const PATIENCE_MS = 15_000;

class RealWorld implements AsyncDisposable {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'logboom-agent-'));
  readonly producer = new CollectingProducer();
  readonly telemetry = new MemoryTelemetry();
  #agent: Agent | undefined;
  #running: Promise<void> | undefined;

  start(fileSystem: FileSystem = nodeFileSystem): Agent {
    const sources = [
      { ...APPS_SOURCE, root: `${this.directory}/apps` },
      { ...PODS_SOURCE, root: `${this.directory}/pods` },
    ];
    const agent = createAgent({
      config: testConfig(sources as never, { rescanMs: 60_000 }, `${this.directory}/state`),
      fileSystem,
      scheduler: nodeScheduler,
      telemetry: this.telemetry,
      producer: this.producer,
      openArchive,
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
      version: '0.0.0',
    });
    this.#agent = agent;
    this.#running = agent.run();
    return agent;
  }

  at(name: string): string {
    const file = path.join(this.directory, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    return file;
  }

  /** Waits until as many records have come. */
  async records(count: number): Promise<string[]> {
    const endMs = performance.now() + PATIENCE_MS;
    while (this.producer.records.length < count && performance.now() < endMs) await sleep(10);
    return this.producer.messages();
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

test('a pod that lives 200 ms is collected whole', async () => {
  await using world = new RealWorld();
  fs.mkdirSync(`${world.directory}/pods`);
  world.start();
  await sleep(200);
  const log = world.at('pods/shop_job-1_0a0b/main/0.log');
  for (let index = 0; index < 20; index++) {
    fs.appendFileSync(log, `2026-11-23T00:00:00.000000000Z stdout F line ${index}\n`);
    await sleep(10);
  }
  fs.rmSync(`${world.directory}/pods/shop_job-1_0a0b`, { recursive: true });
  const expected = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  assert.deepEqual(await world.records(20), expected);
});

test('renamed, compressed and deleted files are followed across a restart on real inodes', async () => {
  await using world = new RealWorld();
  const log = world.at('apps/shop/cart/cart-1/log/app.log');
  fs.writeFileSync(log, 'a1\n');
  world.start();
  await world.records(1);
  fs.appendFileSync(log, 'a2\n');
  fs.renameSync(log, `${log}.1`);
  fs.writeFileSync(log, 'b1\n');
  await world.records(3);
  await world.stop();
  fs.writeFileSync(`${log}.2.gz`, gzipSync(fs.readFileSync(`${log}.1`)));
  fs.rmSync(`${log}.1`);
  fs.appendFileSync(log, 'b2\n');
  fs.renameSync(log, `${log}.1`);
  fs.writeFileSync(log, 'c1\n');
  world.start();
  await world.records(5);
  await sleep(300);
  assert.deepEqual(world.producer.messages(), ['a1', 'a2', 'b1', 'b2', 'c1']);
});

test('a line behind a link is read at once, also after its target was made anew and after the link was switched', async () => {
  await using world = new RealWorld();
  const line = (text: string): string => `2026-11-23T00:00:00.000000000Z stdout F ${text}\n`;
  const target = world.at('elsewhere/0.log');
  const link = world.at('pods/shop_cart-1_0a0b/main/0.log');
  fs.writeFileSync(target, line('one'));
  fs.symlinkSync(target, link);
  world.start();
  await world.records(1);
  await sleep(2500);
  const startMs = performance.now();
  fs.appendFileSync(target, line('two'));
  await world.records(2);
  fs.renameSync(target, `${target}.1`);
  fs.writeFileSync(target, line('three'));
  await world.records(3);
  const other = world.at('other/0.log');
  fs.writeFileSync(other, line('four'));
  fs.symlinkSync(other, `${link}.new`);
  fs.renameSync(`${link}.new`, link);
  await world.records(4);
  fs.appendFileSync(other, line('five'));
  assert.deepEqual(await world.records(5), ['one', 'two', 'three', 'four', 'five']);
  // The next look at everything is a minute away.
  assert.ok(performance.now() - startMs < PATIENCE_MS);
});

test('a thousand idle files are not touched while nothing happens', async () => {
  await using world = new RealWorld();
  for (let index = 0; index < 1000; index++) {
    fs.writeFileSync(world.at(`apps/ns/app/pod-${index % 50}/log/app-${index}.log`), 'only line\n');
  }
  let calls = 0;
  const counted = (name: 'read' | 'fstat' | 'stat' | 'readDirectory'): unknown => {
    return (...parameters: unknown[]) => {
      calls++;
      return (nodeFileSystem[name] as (...given: unknown[]) => unknown)(...parameters);
    };
  };
  const fileSystem = {
    ...nodeFileSystem,
    read: counted('read'),
    fstat: counted('fstat'),
    stat: counted('stat'),
    readDirectory: counted('readDirectory'),
  } as FileSystem;
  world.start(fileSystem);
  await world.records(1000);
  await sleep(1000);
  calls = 0;
  await sleep(1000);
  assert.ok(calls < 20, `${calls} calls`);
});

test('a directory that is written steadily is polled, and nothing of it is missed', async () => {
  await using world = new RealWorld();
  const log = world.at('apps/ns/app/pod/log/app.log');
  fs.writeFileSync(log, '');
  world.start();
  const expected: string[] = [];
  for (let index = 0; index < 200; index++) {
    expected.push(`line ${index}`);
    fs.appendFileSync(log, `line ${index}\n`);
    if (index === 100) {
      fs.renameSync(log, `${log}.1`);
      fs.writeFileSync(log, '');
    }
    await sleep(3);
  }
  assert.deepEqual(await world.records(200), expected);
});
