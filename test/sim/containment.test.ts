/** G7 and G9 in the whole pipeline: what is broken hurts only itself, and who is quiet waits for nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildAuditReport } from '../../src/api/audit-report.ts';
import { MemoryFileSystem, systemError } from '../../src/base/memory-file-system.ts';
import { createRandom } from '../../src/base/prng.ts';
import { VirtualScheduler } from '../../src/base/virtual-scheduler.ts';
import { SimulatedProcess } from './simulated-process.ts';

const SEED_COUNT = 20;

/** Virtual time within which a line is stored, whatever happens to other files. */
const VISIBLE_MS = 2000;

interface Stage {
  readonly fileSystem: MemoryFileSystem;
  readonly scheduler: VirtualScheduler;
  readonly process: SimulatedProcess;
}

function createStage(random: () => number): Stage {
  const scheduler = new VirtualScheduler({ random });
  const fileSystem = new MemoryFileSystem({
    nowNs: () => scheduler.nowNs(),
    deliver: (task) => void scheduler.schedule(random() * 5, task),
  });
  return {
    fileSystem,
    scheduler,
    process: new SimulatedProcess({ fileSystem, scheduler, syncMs: () => 0, openMs: () => 0 }),
  };
}

function logOf(pod: string): string {
  return `/var/log/pods/ns_${pod}_uid-${pod}/main/0.log`;
}

function cri(text: string): string {
  return `2026-11-23T00:00:00.000000000Z stdout F ${text}\n`;
}

/** Writes to three pods for half a minute while every `operation` on the file of one of them fails. */
async function runBroken(seed: number): Promise<string[]> {
  const random = createRandom(seed);
  const { fileSystem, scheduler, process } = createStage(random);
  const operation = (['read', 'open', 'stat'] as const)[seed % 3];
  const written: { text: string; atMs: number; isBroken: boolean }[] = [];
  const violations: string[] = [];
  let isOutside = false;
  process.start();
  fileSystem.onOperation = (done, path) => {
    if (!isOutside && done === operation && path === logOf('broken')) throw systemError('EIO', path);
  };
  for (let step = 0; step < 100; step++) {
    const pod = (['broken', 'good', 'other'] as const)[Math.floor(random() * 3)] ?? 'good';
    const text = `${pod} ${step}`;
    isOutside = true;
    fileSystem.append(logOf(pod), random() < 0.1 ? `malformed ${step}\n${cri(text)}` : cri(text));
    isOutside = false;
    written.push({ text, atMs: scheduler.monotonicMs(), isBroken: pod === 'broken' });
    await scheduler.advance(random() * 600);
    const dueMs = scheduler.monotonicMs() - VISIBLE_MS;
    const late = written.filter(
      ({ atMs, isBroken, text: line }) => !isBroken && atMs < dueMs && !process.isStored(line),
    );
    violations.push(...late.map(({ text: line }) => `seed ${seed} step ${step}: ${line} is late`));
  }
  fileSystem.onOperation = undefined;
  await scheduler.advance(60_000);
  const stopped = process.stop();
  await scheduler.advance(60_000);
  await stopped;
  const missing = written.filter(({ text }) => !process.isStored(text));
  const { verdict } = await buildAuditReport(process.store.audit(new AbortController().signal));
  return [
    ...violations,
    ...missing.map(({ text }) => `seed ${seed}: ${text} is missing`),
    ...(verdict === 'accounted' ? [] : [`seed ${seed}: the audit says ${verdict}`]),
  ];
}

test('G7: a file that cannot be read, and malformed lines, hold up no other file, and nothing of it is lost', async () => {
  const violations: string[] = [];
  for (let seed = 1; seed <= SEED_COUNT; seed++) violations.push(...(await runBroken(seed)));
  assert.deepEqual(violations.slice(0, 10), []);
});

test('G9: quiet files are stored before a noisy one has had more than a few slices', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const { fileSystem, scheduler, process } = createStage(createRandom(seed));
    const filler = 'x'.repeat(1000);
    const noisyLines = Array.from({ length: 4000 }, (_, index) => `noisy ${index} ${filler}`);
    fileSystem.append(logOf('a-noisy'), noisyLines.map(cri).join(''));
    for (let index = 0; index < 5; index++) fileSystem.append(logOf(`quiet-${index}`), cri(`quiet ${index}`));
    process.start();
    await scheduler.advanceUntil(() => process.isDrained(), 600_000, 100);
    const order = [...process.stored];
    assert.equal(order.length, noisyLines.length + 5);
    const last = order.findLastIndex((text) => text.startsWith('quiet'));
    const noisyBytes = last * filler.length;
    assert.ok(noisyBytes < 1_500_000, `seed ${seed}: ${noisyBytes} bytes of the noisy file came first`);
    const stopped = process.stop();
    await scheduler.advance(60_000);
    await stopped;
  }
});
