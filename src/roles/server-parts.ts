/** The API of a server in front of its store, put together the same way for `up` and `server`. */
import { AppError } from '../base/errors.ts';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { IndexingMark } from '../api/api-options.ts';
import { createApiServer } from '../api/server.ts';
import type { ApiServer } from '../api/server.ts';
import type { SourceStatus } from '../api/api-types.ts';
import type { TailHub } from '../api/tail-hub.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Config } from '../config/config.ts';
import { Replayer } from '../indexer/replay.ts';
import { FILE_ID_LENGTH } from '../record/identity.ts';
import { EmbeddedStore } from '../store/embedded/embedded-store.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Road, RoadProgress } from './road.ts';
import type { Storage } from './storage.ts';

/** How often, and between which pauses, it is asked how far the indexers are: longer than an audit waits. */
const PASSING_MS = 100;
const PASSING_ATTEMPTS_MAX = 50;

export interface ApiSetup {
  readonly config: Config;
  readonly storage: Storage;
  readonly road: Road;
  readonly tail: TailHub;
  /** Resolves once a client that follows from now on misses nothing; undefined where that is always so. */
  readonly follow?: (() => Promise<void>) | undefined;
  readonly telemetry: Telemetry & { metricsText(): Promise<string> };
  readonly version: string;
  readonly problems: () => readonly { readonly part: string; readonly reason: string }[];
  readonly sources: () => readonly SourceStatus[];
  readonly refreshLedger: () => Promise<void>;
  readonly agentNode?: string | undefined;
}

/** Makes the HTTP server in front of the store. */
export function createApi(setup: ApiSetup): ApiServer {
  const { store } = setup.storage;
  const { producer, deadLetters } = setup.road.transport;
  const replayer = createReplayer(setup);
  return createApiServer({
    config: setup.config.server,
    store,
    tail: setup.tail,
    follow: setup.follow,
    telemetry: setup.telemetry,
    scheduler: nodeScheduler,
    metricsText: () => setup.telemetry.metricsText(),
    readiness() {
      const problems = setup.problems();
      return { ready: problems.length === 0, problems, warnings: warningsOf(store) };
    },
    sources: setup.sources,
    refreshLedger: setup.refreshLedger,
    markIndexing: markOf(setup.road),
    agentNode: setup.agentNode,
    submit: async (batches) => void (await Promise.all(batches.map((batch) => producer.send(batch)))),
    submitLedger: (records) => producer.sendLedger(records),
    exportParquet:
      store instanceof EmbeddedStore ? (request, signal) => store.exportParquet(request, signal) : undefined,
    deadLetters: {
      read: (signal) => deadLetters.read(signal),
      send: (letters) => deadLetters.send(letters),
      check: (letters) => replayer.check(letters),
      replay: (letters, signal) => replayer.replay(letters, signal),
    },
    webRoot: findWebRoot(),
    version: setup.version,
    startedAtMs: nodeScheduler.nowMs(),
  });
}

/** Files that were set aside keep nothing from working, but what stood in them is not found. */
function warningsOf(store: Store): { part: string; reason: string }[] {
  const count = store instanceof EmbeddedStore ? store.quarantined().length : 0;
  if (count === 0) return [];
  const reason = `files that cannot be read and were set aside: ${count}; what stood in them is not found. \`logboom stats\` names them`;
  return [{ part: 'store', reason }];
}

/** A moment is passed once the indexers have committed what stood at the end of each partition then. */
function markOf({ progress }: Road): (() => Promise<IndexingMark>) | undefined {
  if (progress === undefined) return undefined;
  const nameOf = ({ topic, partition }: RoadProgress): string => `${topic}:${partition}`;
  return async () => {
    const ends = new Map((await progress()).map((place) => [nameOf(place), place.end]));
    return {
      isPassed: async () =>
        (await progress()).every((place) => place.committed >= (ends.get(nameOf(place)) ?? 0n)),
    };
  };
}

/** Resolves once the indexers have passed what is on the road now; at once where nothing is on the way. */
export async function untilIndexed(road: Road): Promise<void> {
  const mark = await markOf(road)?.();
  for (let attempt = 0; attempt < PASSING_ATTEMPTS_MAX; attempt++) {
    if (mark === undefined || (await mark.isPassed())) return;
    await nodeScheduler.sleep(PASSING_MS);
  }
  throw new AppError('too_busy', 'cannot wait for the indexers: they are behind');
}

function createReplayer({ config, storage, road, telemetry }: ApiSetup): Replayer {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  return new Replayer({
    pipelines: config.indexer.pipelines,
    store: storage.store,
    ownFileId: storage.rounds.isOrderedByFile ? (id) => hash(id).slice(0, FILE_ID_LENGTH) : undefined,
    queue: road.transport.deadLetters,
    scheduler: nodeScheduler,
    telemetry,
  });
}

/** The page is built into `dist/web`, beside the compiled program as well as in a checkout. */
function findWebRoot(): string | undefined {
  const here = import.meta.dirname;
  const candidates = [path.join(here, '../web'), path.join(here, '../../dist/web')];
  return candidates.find((candidate) => existsSync(path.join(candidate, 'assets')));
}
