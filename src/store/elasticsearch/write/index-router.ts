/**
 * Which index a document belongs to. The name is a function of the document alone as long as its time is within the
 * limits, so whoever sends it again sends it to the same index, where its id stands already.
 */
import type { ElasticsearchConfig } from '../../../config/config.ts';
import { indexPart } from '../../../record/index-name.ts';

/** Stand in the namespace's place for events that are too far away from now. */
const LATE = '_late';
const FUTURE = '_future';

export type Timeliness = 'usual' | 'late' | 'future';

export interface IndexRouterConfig extends Pick<
  ElasticsearchConfig,
  'index' | 'isDataStream' | 'lateMsMax' | 'futureMsMax'
> {}

/** Names of one day that are remembered; beyond it they are made anew. */
const NAMES_MAX = 10_000;

export class IndexRouter {
  readonly #config: IndexRouterConfig;
  readonly #template: string;
  readonly #names = new Map<string, string>();

  constructor(config: IndexRouterConfig) {
    this.#config = config;
    this.#template = config.isDataStream ? withoutDate(config.index) : config.index;
  }

  /** Whether an event of this time (milliseconds since the epoch) goes to the index of its day. */
  timeliness(timeMs: number, nowMs: number): Timeliness {
    if (this.#config.isDataStream) return 'usual';
    if (timeMs < nowMs - this.#config.lateMsMax) return 'late';
    return timeMs > nowMs + this.#config.futureMsMax ? 'future' : 'usual';
  }

  /** The index of a day: `timestamp` is RFC 3339, `namespace` the document's own or where a pipeline routes it to. */
  nameOf(timestamp: string, namespace: string | undefined): string {
    const day = timestamp.slice(0, 10);
    const key = `${day}${namespace ?? ''}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = this.#fill(indexPart(namespace), day.replaceAll('-', '.'));
      if (this.#names.size >= NAMES_MAX) this.#names.clear();
      this.#names.set(key, name);
    }
    return name;
  }

  /** The index of events that are too late or too early for one of their own. */
  overflowName(timeliness: 'late' | 'future'): string {
    const part = timeliness === 'late' ? LATE : FUTURE;
    return withoutDate(this.#config.index).replaceAll('{namespace}', part);
  }

  /** Every index that documents go to, for searches and templates. */
  get pattern(): string {
    return indexPattern(this.#config.index);
  }

  #fill(namespace: string, day: string): string {
    return this.#template.replaceAll('{namespace}', namespace).replaceAll('{date}', day);
  }
}

/** Returns the pattern of all indices that a template of names makes: its beginning, and anything behind it. */
export function indexPattern(template: string): string {
  return `${indexPrefix(template)}*`;
}

/** Returns what every name of the template begins with, such as `logboom-`. */
function indexPrefix(template: string): string {
  return template.slice(0, template.search(/[{]|$/));
}

/** Returns the index of the ledger. Its name does not begin like those of logs, so no search of logs finds it. */
export function ledgerIndex(template: string): string {
  return `${objectPrefix(template)}_ledger-1`;
}

/** Returns the index of what the indices of logs held, which outlives them. */
export function countsIndex(template: string): string {
  return `${objectPrefix(template)}_counts-1`;
}

/**
 * Returns the index of what pipelines dropped on purpose, by the month of the event, which is the same whenever the
 * record is delivered again. `timestamp` is RFC 3339, or undefined where nobody knows it.
 */
export function droppedIndex(template: string, timestamp: string | undefined): string {
  const [month] = /^20\d\d-(?:0[1-9]|1[0-2])/.exec(timestamp ?? '') ?? ['other'];
  return `${droppedPrefix(template)}${month.replace('-', '.')}`;
}

/** Returns the pattern of all indices of what pipelines dropped. */
export function droppedPattern(template: string): string {
  return `${droppedPrefix(template)}*`;
}

/** Returns the name of what the engine keeps for these indices: their template and their policy. */
export function droppedName(template: string): string {
  return `${objectPrefix(template)}_dropped`;
}

function droppedPrefix(template: string): string {
  return `${droppedName(template)}-`;
}

/** Name of the alias over all indices with logs, of the policy and the index template: `logboom`. */
export function objectPrefix(template: string): string {
  return indexPrefix(template).replace(/[-_.]+$/, '');
}

/** Returns the template without its date and the separator in front of it. */
function withoutDate(template: string): string {
  return template.replace(/[-_.]?\{date\}/, '');
}
