/**
 * A few small apps that write logs, so that the first search shows something. Those of the apps tree go through the
 * real s6-log where it is installed; the others write as a CRI runtime does, and begin with the last 15 minutes.
 */
import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { treeSource } from '../../config/build-config.ts';
import type { Config } from '../../config/config.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import {
  cartLine,
  checkoutLine,
  ingressLine,
  ledgerLine,
  recommenderLine,
  schedulerLine,
} from './demo-lines.ts';
import type { DemoGenerator } from './demo-lines.ts';
import { hasS6Log, openCriWriter, openS6Writer } from './demo-writers.ts';
import type { DemoWriter } from './demo-writers.ts';
import { seededRandom } from './random.ts';
import type { Random } from './random.ts';

export interface Demo {
  /** The configuration with the demo's trees among the sources. */
  readonly config: Config;
  readonly description: string;
  stop(): Promise<void>;
}

interface DemoApp {
  readonly namespace: string;
  readonly app: string;
  readonly pod: string;
  readonly linesPerSecond: number;
  readonly generate: DemoGenerator;
  /** Whether it is built on an image whose s6-log writes to the host. */
  readonly isS6: boolean;
}

const APPS: readonly DemoApp[] = [
  {
    namespace: 'infra',
    app: 'ingress',
    pod: 'ingress-6c4d8f9b7-mk2vx',
    linesPerSecond: 9,
    generate: ingressLine,
    isS6: true,
  },
  {
    namespace: 'shop',
    app: 'checkout',
    pod: 'checkout-7d9f8b6c5-x2x9q',
    linesPerSecond: 5,
    generate: checkoutLine,
    isS6: true,
  },
  {
    namespace: 'shop',
    app: 'checkout',
    pod: 'checkout-7d9f8b6c5-b7t4n',
    linesPerSecond: 4,
    generate: checkoutLine,
    isS6: false,
  },
  {
    namespace: 'shop',
    app: 'cart',
    pod: 'cart-5b6f7c8d9-q8w2z',
    linesPerSecond: 5,
    generate: cartLine,
    isS6: true,
  },
  {
    namespace: 'shop',
    app: 'recommender',
    pod: 'recommender-0',
    linesPerSecond: 3,
    generate: recommenderLine,
    isS6: false,
  },
  {
    namespace: 'payments',
    app: 'ledger',
    pod: 'ledger-84c6d5f7b-p5rjh',
    linesPerSecond: 5,
    generate: ledgerLine,
    isS6: false,
  },
  {
    namespace: 'infra',
    app: 'scheduler',
    pod: 'scheduler-66bd9-zz7fd',
    linesPerSecond: 2,
    generate: schedulerLine,
    isS6: false,
  },
];

const TICK_MS = 100;
const HISTORY_MS = 15 * 60_000;
/** Of the lines that the apps would have written in the 15 minutes, one in so many. */
const HISTORY_SPARSITY = 5;

/** Returns the sources of the demo's trees; they stand below `demo` in the data directory. */
function demoSources(data: string): SourceConfig[] {
  return [treeSource('apps', { root: appsRootOf(data) }), treeSource('pods', { root: podsRootOf(data) })];
}

/** Adds the trees of the demo where there are some: `logboom up --demo` collects them too. */
export function withDemo(config: Config): Config {
  const hasDemo = fs.existsSync(path.join(config.data, 'demo'));
  return hasDemo ? { ...config, sources: [...config.sources, ...demoSources(config.data)] } : config;
}

function appsRootOf(data: string): string {
  return path.join(data, 'demo/data/logs');
}

function podsRootOf(data: string): string {
  return path.join(data, 'demo/pods');
}

/** Starts the apps. `stop` ends them, after which their last lines are in the files. */
export async function startDemo(config: Config, telemetry: Telemetry): Promise<Demo> {
  const root = path.join(config.data, 'demo');
  const appsRoot = appsRootOf(config.data);
  const podsRoot = podsRootOf(config.data);
  for (const directory of [appsRoot, podsRoot]) fs.mkdirSync(directory, { recursive: true });
  const isS6Installed = hasS6Log();
  const random = seededRandom(Date.now());
  const writers = APPS.map((app) => {
    const isS6 = app.isS6 && isS6Installed;
    return { app, writer: isS6 ? openS6App(appsRoot, app) : openCriApp(podsRoot, app, random), credit: 0 };
  });
  const timer = setInterval(() => {
    for (const entry of writers) entry.credit = writeSome(entry.app, entry.writer, random, entry.credit);
  }, TICK_MS);
  if (!isS6Installed)
    telemetry.log('info', 'demo_without_s6', 's6-log is not installed: all demo apps write CRI files');
  await Promise.resolve();
  let stopping: Promise<void> | undefined;
  return {
    config: { ...config, sources: [...config.sources, ...demoSources(config.data)] },
    description: `${APPS.length} small apps write about ${APPS.reduce((sum, app) => sum + app.linesPerSecond, 0)} lines/s below ${root}`,
    stop() {
      clearInterval(timer);
      stopping ??= Promise.all(writers.map(({ writer }) => writer.stop())).then(() => undefined);
      return stopping;
    },
  };
}

function openS6App(root: string, { namespace, app, pod }: DemoApp): DemoWriter {
  return openS6Writer(path.join(root, namespace, app, pod, 'log'));
}

function openCriApp(root: string, app: DemoApp, random: Random): DemoWriter {
  const directory = path.join(root, `${app.namespace}_${app.pod}_${uidOf(app.pod)}`, app.app);
  const isNew = !fs.existsSync(directory);
  const writer = openCriWriter(directory);
  if (isNew) writeHistory(app, writer, random);
  return writer;
}

/** The history comes in waves, so that a histogram of it has a shape. */
function writeHistory(app: DemoApp, writer: DemoWriter, random: Random): void {
  const nowMs = Date.now();
  const stepMs = (1_000 * HISTORY_SPARSITY) / app.linesPerSecond;
  for (
    let timeMs = nowMs - HISTORY_MS;
    timeMs < nowMs;
    timeMs += stepMs * waveAt(timeMs) * (0.2 + random.integer(0, 160) / 100)
  ) {
    writer.write(app.generate(random, timeMs), timeMs);
  }
}

function waveAt(timeMs: number): number {
  return 1 + 0.6 * Math.sin(timeMs / 90_000);
}

/** Writes what is due, and returns the part of a line that is left over for the next time. */
function writeSome(app: DemoApp, writer: DemoWriter, random: Random, credit: number): number {
  const nowMs = Date.now();
  let due =
    credit + ((app.linesPerSecond * TICK_MS) / 1_000) * (random.integer(0, 200) / 100) * waveAt(nowMs);
  for (; due >= 1; due -= 1) {
    const timeMs = nowMs - random.integer(0, TICK_MS - 1);
    writer.write(app.generate(random, timeMs), nowMs);
  }
  return due;
}

/** A uid that stays the same from one start to the next. */
function uidOf(pod: string): string {
  const random = seededRandom(crc32(Buffer.from(pod)));
  const digits = (length: number): string =>
    Array.from({ length }, () => random.integer(0, 15).toString(16)).join('');
  return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
}
