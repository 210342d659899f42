/** Compares what search finds after a run with what the world wrote. Each violation names its guarantee. */
import type { MemoryFileSystem } from '../../src/base/memory-file-system.ts';
import type { VirtualScheduler } from '../../src/base/virtual-scheduler.ts';
import { messageOf } from '../../src/base/errors.ts';
import { openCheckpoints } from '../../src/agent/ship/checkpoint-store.ts';
import { buildAuditReport } from '../../src/api/audit-report.ts';
import type { RotatedWriters } from './rotated-writers.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { World, WrittenLine } from './world.ts';

export interface Found {
  readonly message: string;
  readonly stream: string;
  readonly '@timestamp': string;
  readonly log: { readonly offset: number; readonly flags?: readonly string[] };
  readonly event: { readonly id: string; readonly kind?: string };
  readonly fields?: {
    readonly gap?: {
      readonly kind: string;
      readonly reason: string;
      readonly file_id: string;
      readonly start_offset: number;
      readonly end_offset: number;
    };
  };
  readonly kubernetes?: { readonly namespace?: string; readonly pod?: { readonly name?: string } };
}

export interface CheckInput {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly fileSystem: MemoryFileSystem;
  readonly scheduler: VirtualScheduler;
  readonly rotated: RotatedWriters | undefined;
}

const EVERYTHING = { query: { kind: 'all' }, range: { startNs: 0n, endNs: 1n << 62n } } as const;

export async function checkGuarantees(input: CheckInput): Promise<string[]> {
  const { process, world } = input;
  if (process.failure !== undefined) return [`the process failed: ${describe(process.failure)}`];
  const found = await findAll(process);
  return [
    ...checkExactlyOnce(world.lines, found),
    ...checkOrder(found),
    ...checkNames(world.lines, found),
    ...checkMemory(process),
    ...((await input.rotated?.check(found)) ?? []),
    ...(await checkGaps(process, found)),
    ...(await checkAudit(process)),
  ];
}

async function findAll(process: SimulatedProcess): Promise<Found[]> {
  const found: Found[] = [];
  const decoder = new TextDecoder();
  let rest = '';
  for await (const block of process.store.export(EVERYTHING, new AbortController().signal)) {
    const lines = (rest + decoder.decode(block, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) found.push(JSON.parse(line) as Found);
  }
  return found;
}

/**
 * G1, G2, G4, G5, G8: every certain line is there whole and once, every possible one at most once, nothing else. What
 * was read of a possible line before its end was truncated away is there too, and says that it is partial.
 */
export function checkExactlyOnce(lines: readonly WrittenLine[], found: readonly Found[]): string[] {
  const violations: string[] = [];
  const counts = new Map<string, number>();
  const lost = lines.filter((line) => !line.isCertain);
  for (const { message, log, event } of found) {
    if (event.kind === 'gap') continue;
    const isCut =
      log.flags?.includes('partial') === true && lost.some(({ text }) => text.startsWith(message));
    if (isCut && !lost.some(({ text }) => text === message)) continue;
    counts.set(message, (counts.get(message) ?? 0) + 1);
  }
  for (const { text, isCertain, namespace, pod } of lines) {
    const count = counts.get(text) ?? 0;
    counts.delete(text);
    const name = `${namespace}/${pod} ${text.slice(0, 40)}`;
    if (count === 0 && isCertain) violations.push(`G1 missing: ${name}`);
    if (count > 1) violations.push(`G4 ${count} times: ${name}`);
  }
  for (const message of counts.keys()) violations.push(`G8 nobody wrote: ${message.slice(0, 80)}`);
  const ids = new Set(found.map((document) => document.event.id));
  if (ids.size !== found.length) violations.push(`G4 ${found.length - ids.size} event ids are not unique`);
  return violations;
}

/** G3: results are in the order of (time, file id, offset). */
function checkOrder(found: readonly Found[]): string[] {
  for (let index = 1; index < found.length; index++) {
    const before = found[index - 1];
    const after = found[index];
    if (before === undefined || after === undefined) continue;
    const isOrdered =
      before['@timestamp'] < after['@timestamp'] ||
      (before['@timestamp'] === after['@timestamp'] && before.event.id < after.event.id);
    if (!isOrdered) return [`G3 out of order: ${before.event.id} before ${after.event.id}`];
  }
  return [];
}

/** G10: every record says which pod it is of, and which stream. */
export function checkNames(lines: readonly WrittenLine[], found: readonly Found[]): string[] {
  const byText = new Map(lines.map((line) => [line.text, line]));
  for (const { message, kubernetes, stream } of found) {
    const line = byText.get(message);
    if (line === undefined) continue;
    if (kubernetes?.namespace !== line.namespace || kubernetes.pod?.name !== line.pod) {
      return [
        `G10 ${message.slice(0, 40)} says ${JSON.stringify(kubernetes)} instead of ${line.namespace}/${line.pod}`,
      ];
    }
    if (stream !== line.stream)
      return [`G10 ${message.slice(0, 40)} says ${stream} instead of ${line.stream}`];
  }
  return [];
}

/** G6: bytes read and not acknowledged stay within the budget, one batch of slack allowed. */
function checkMemory({ telemetry, config }: SimulatedProcess): string[] {
  const held = telemetry.valueOf('logboom_agent_buffer_bytes');
  const limit = config.agent.bufferBytesMax * 2;
  return held <= limit ? [] : [`G6 ${held} bytes held, allowed are ${limit}`];
}

/** G1: the audit agrees. Lines that were truncated away may make it say "possible loss", never "missing". */
async function checkAudit(process: SimulatedProcess): Promise<string[]> {
  const report = await buildAuditReport(process.store.audit(new AbortController().signal));
  if (report.verdict !== 'discrepancy') return [];
  return [`G1 audit says ${report.verdict}: ${JSON.stringify(report.problems.slice(0, 3))}`];
}

/** G5: what the ledger says may be lost stands among the logs, gap by gap. */
async function checkGaps(process: SimulatedProcess, found: readonly Found[]): Promise<string[]> {
  const shown = new Map<string, number>();
  for (const { event, fields } of found) {
    if (event.kind !== 'gap') continue;
    const id = fields?.gap?.file_id ?? '';
    shown.set(id, (shown.get(id) ?? 0) + 1);
  }
  const violations: string[] = [];
  for await (const { fileId, ledger } of process.store.audit(new AbortController().signal)) {
    const told = shown.get(fileId) ?? 0;
    const known = ledger?.gaps.length ?? 0;
    if (told !== known) violations.push(`G5 ${known} gaps of ${ledger?.path}, and ${told} documents`);
  }
  return violations;
}

/** T17: of files that are gone and acknowledged nothing is remembered once nobody can write to them any more. */
export async function checkForgotten(
  process: SimulatedProcess,
  fileSystem: MemoryFileSystem,
): Promise<string[]> {
  const files = process.files().map(({ path, state }) => `T17 still followed: ${path} (${state})`);
  const { store, files: saved } = await openCheckpoints(fileSystem, `${process.config.data}/agent`);
  store.close();
  return [...files, ...[...saved.values()].map(({ path }) => `T17 its checkpoint is kept: ${path}`)];
}

function describe(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : messageOf(failure);
}
