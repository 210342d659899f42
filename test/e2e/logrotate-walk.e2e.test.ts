/**
 * G1, G4, G5 on a host with a logrotate of its own: applications write without a pause, the real logrotate rotates their
 * files in every way that it names and compresses them, at random moments, and the collector is killed with SIGKILL
 * in between. In the end each line is found once. Where files are copied and truncated, logrotate itself loses
 * lines: none is there twice, and what is missing while the collector looks on is recorded as a possible loss.
 *
 * It is a search for defects and no gate, because what happens is never the same twice: it runs with
 * LOGBOOM_LOGROTATE_WALK=1 only, as `npm run test:long` sets it.
 *
 *   LOGBOOM_E2E_SEED        replays the moments of a run (as far as a real machine can)
 *   LOGBOOM_ROTATE_SECONDS  how long the applications write, at least
 *   LOGBOOM_ROTATE_KILLS    kills in that time
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/base/prng.ts';
import { findProgram } from '../../tools/provision.ts';
import { exportAll } from './api-client.ts';
import { Installation } from './installation.ts';
import type { LogboomProcess } from './logboom-process.ts';
import { stopAll } from './log-writers.ts';
import { RotatedApp, type RotationStyle } from './rotated-app.ts';
import { SequenceCheck } from './sequence-line.ts';
import { waitForAudit } from './wait-for-audit.ts';

const IS_WANTED = process.env['LOGBOOM_LOGROTATE_WALK'] === '1';

const SECONDS = Number(process.env['LOGBOOM_ROTATE_SECONDS'] ?? 7);
const KILLS = Number(process.env['LOGBOOM_ROTATE_KILLS'] ?? 3);
const SEED = Number(process.env['LOGBOOM_E2E_SEED'] ?? Date.now() % 1_000_000_000);

/** So that a program which was just started goes through its first scan, and some more, or does not. */
const DOWN_MS = [0, 100, 1000] as const;

/** Archives from before a program first saw a directory are not collected: by then it has a checkpoint of each. */
const KNOWN_MS = 2500;

/** A program that has been ready for so long has looked at every file. */
const SETTLE_MS = 1000;

/** How long it looks on in the end. Of truncations while no program runs nobody can know. */
const WATCHED_MS = 3000;

const EXAMPLES_MAX = 10;

const DRAIN_MS_MAX = 120_000;

const STYLES: readonly RotationStyle[] = (['rename', 'copytruncate'] as const).flatMap((method) =>
  (['none', 'delayed', 'at once'] as const).flatMap((compress) =>
    (['number', 'date'] as const).map((suffix) => ({ method, compress, suffix })),
  ),
);

/** Where an application was when the program began to look on. */
interface Watched {
  readonly line: number;
  readonly rotations: number;
}

/** What the audit says of one application. */
interface AuditRow {
  readonly pod: string;
  readonly possibleLoss: number;
}

interface Gap {
  readonly fields?: { readonly gap?: { readonly kind: string } };
}

interface Findings {
  readonly check: SequenceCheck;
  /** The first lines that are there again, and where they were read. */
  readonly examples: readonly string[];
  /** What is left of lines that a truncation cut. */
  readonly cut: number;
}

if (IS_WANTED) {
  void test('G5: what the logrotate of a host rotates, in all its ways, is found once, whenever the program dies', async (context) => {
    const logrotate = findProgram('logrotate');
    if (logrotate === undefined) return context.skip('logrotate is not installed');
    const text = `LOGBOOM_E2E_SEED=${SEED} LOGBOOM_ROTATE_SECONDS=${SECONDS} LOGBOOM_ROTATE_KILLS=${KILLS}`;
    process.stdout.write(`${text}\n`);
    // Found by the events of the directories or, now and then, by looking: every second here.
    using installation = await Installation.create({
      extra: 'agent: { rescanMs: 1s }\nrotate: [ { method: none } ]',
    });
    const desk = installation.directory.join('desk');
    mkdirSync(desk);
    const apps = STYLES.map((style, index) => {
      const name = `${style.method}-${style.compress.replace(' ', '-')}-${style.suffix}`;
      const directory = path.join(installation.apps, 'shop', name, `${name}-0`, 'log');
      return new RotatedApp({
        ...style,
        name,
        directory,
        desk,
        logrotate,
        random: createRandom(SEED + 1 + index),
      });
    });
    let written: ReadonlyMap<string, number>;
    const watched = new Map<RotatedApp, Watched>();
    let program: LogboomProcess;
    try {
      program = await installation.start();
      for (const app of apps) app.startWriting();
      await sleep(KNOWN_MS);
      for (const app of apps) app.startRotating();
      program = await killAtRandom(installation, program);
      await sleep(SETTLE_MS);
      for (const app of apps) watched.set(app, { line: app.lines, rotations: app.rotations });
      await sleep(WATCHED_MS);
    } finally {
      written = await stopAll(apps);
    }
    await using last = program;
    const losses = await possibleLosses(installation);
    const findings = await readFindings(installation, written);
    const rotations = apps.map((app) => app.rotations);
    const lines = [...written.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `${lines} lines, ${rotations.reduce((sum, count) => sum + count, 0)} rotations, ${findings.cut} lines cut\n`,
    );
    assert.ok(
      rotations.every((count) => count > 0),
      `every file was rotated: ${rotations.join(', ')}`,
    );
    checkFindings(watched, findings, losses);
    assert.ok(!last.hasExited);
  });
}

/** Kills the program at random moments, also while it starts; returns the one that runs when the time is over. */
async function killAtRandom(installation: Installation, first: LogboomProcess): Promise<LogboomProcess> {
  const random = createRandom(SEED);
  const startedMs = performance.now();
  let program = first;
  try {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await sleep((0.3 + 1.4 * random()) * ((SECONDS * 1000) / (KILLS + 1)));
      assert.ok(!program.hasExited, `the program ended by itself before kill ${kill}\n${program.output}`);
      await program.kill();
      await sleep(DOWN_MS[Math.floor(random() * DOWN_MS.length)]);
      program = installation.launch();
    }
    await program.waitUntilReady(installation.baseUrl);
    await sleep(Math.max(0, startedMs + SECONDS * 1000 - performance.now()));
    return program;
  } catch (error) {
    await program.kill();
    throw error;
  }
}

/** Returns how many possible losses are recorded of the files of each application, once all is accounted for. */
async function possibleLosses({ baseUrl }: Installation): Promise<ReadonlyMap<string, number>> {
  const { rows } = await waitForAudit<{ rows: readonly AuditRow[] }>(baseUrl, DRAIN_MS_MAX);
  return new Map(rows.map(({ pod, possibleLoss }) => [pod.replace(/-0$/, ''), possibleLoss]));
}

async function readFindings(
  { baseUrl }: Installation,
  written: ReadonlyMap<string, number>,
): Promise<Findings> {
  const check = new SequenceCheck(written);
  const places = new Map<string, string>();
  const examples: string[] = [];
  let cut = 0;
  for await (const document of exportAll(baseUrl, '*')) {
    if ((document as Gap).fields?.gap !== undefined) continue;
    if (document.log.flags?.includes('partial') === true) cut += 1;
    else {
      check.add(document.message);
      const place = `${document.event.id} ${document['@timestamp']} ${document.log.file.path}`;
      const earlier = places.get(document.message);
      places.set(document.message, place);
      if (earlier !== undefined && examples.length < EXAMPLES_MAX)
        examples.push(`${document.message.slice(0, 60)}: ${earlier}, ${place}`);
    }
  }
  return { check, examples, cut };
}

function checkFindings(
  apps: ReadonlyMap<RotatedApp, Watched>,
  { check, examples }: Findings,
  losses: ReadonlyMap<string, number>,
): void {
  const { missing, twice, foreign } = check.verdict();
  const details = [...twice, ...foreign, ...examples].join('\n');
  assert.deepEqual({ twice, foreign }, { twice: [], foreign: [] }, details);
  for (const [{ name, isTruncated, rotations }, watched] of apps) {
    const own = missing.filter((range) => range.startsWith(`${name} `));
    const recorded = losses.get(name) ?? 0;
    if (!isTruncated) {
      assert.deepEqual([own, recorded], [[], 0], `${name} loses nothing`);
      continue;
    }
    const text = `${recorded} possible losses after ${rotations} rotations, missing: ${own.join(', ')}`;
    assert.ok(own.length <= rotations, `each truncation cuts off one piece at most: ${text}`);
    const seen = own.filter((range) => firstLineOf(range) >= watched.line);
    const mustBeRecorded = seen.length > 0 || rotations > watched.rotations;
    assert.ok(recorded > 0 || !mustBeRecorded, `truncations are possible losses: ${text}`);
  }
}

/** Of `name first to last`, or `name first`. */
function firstLineOf(range: string): number {
  return Number(range.split(' ')[1]);
}
