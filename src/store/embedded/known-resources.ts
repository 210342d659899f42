/**
 * What is known of the documents of each file: the templates of compact ones by lane, and the block that others end
 * with. Each stands for a numbered resource, which a journal is told of once.
 */
import { must } from '../../base/assert.ts';
import type { CompactTemplate, DocumentPlace } from '../compact-document.ts';
import { learnTemplate } from '../compact-document.ts';
import { RESOURCE_KEYS } from '../../record/document-layout.ts';
import { RESOURCE_KEY } from './commit-line.ts';
import { decodeText, parseJson } from './document-json.ts';
import type { MemberSpan } from '../document-scan.ts';
import type { Resource } from './segment-engine.ts';

/** Members whose types are told by the batch or known beforehand. */
export const KNOWN_KEYS: ReadonlySet<string> = new Set([
  '@timestamp',
  'message',
  'stream',
  'log',
  'event',
  'fields',
]);

/** Resources kept at hand; beyond it they are forgotten and told anew. */
const RESOURCES_MAX = 10_000;

/** Documents of one batch that may bring a new resource each: more means that they have nothing in common. */
const RESOURCES_PER_BATCH_MAX = 16;

/** Templates of one lane: some records have flags. */
const TEMPLATES_MAX = 4;

/** Documents of a file, per journal, that are searched for a new template although they end with a known block. */
const LESSONS_MAX = 64;

export interface KnownResource {
  readonly id: number;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  /** What stands in documents: `,"kubernetes":{…},…`; empty for those of a template. */
  readonly block: Uint8Array;
  /** What stands in journals instead: `,"$resource":7}` and a newline. */
  readonly mark: Uint8Array;
}

interface KnownTemplate {
  readonly template: CompactTemplate;
  readonly known: KnownResource;
}

/** What is known of the documents of one file. */
export interface KnownFile {
  /** By lane, the latest first. */
  readonly templates: readonly [KnownTemplate[], KnownTemplate[], KnownTemplate[]];
  /** How often a document that fits no template may still be looked into, in this journal. */
  lessonsLeft: number;
  run: KnownResource | undefined;
  /** Whether its documents do not say who they are; undefined before the first of them was looked into. */
  isForeign?: boolean;
}

/** A document with its place in its file. */
export interface Place extends DocumentPlace {
  readonly lane: 0 | 1 | 2;
  readonly offset: number;
}

export class KnownResources {
  readonly #text = new TextEncoder();
  #files = new Map<string, KnownFile>();
  #byText = new Map<string, KnownResource>();
  #nextId: number;
  #newCount = 0;

  constructor(nextId: number) {
    this.#nextId = nextId;
  }

  /** Begins a journal: documents may be looked into again. */
  beginJournal(): void {
    for (const file of this.#files.values()) file.lessonsLeft = LESSONS_MAX;
  }

  /** Begins a batch, which may bring a few new resources. */
  beginBatch(): void {
    this.#newCount = 0;
  }

  /** Returns what is known of a file. */
  fileOf(fileId: string): KnownFile {
    let file = this.#files.get(fileId);
    if (file === undefined) {
      if (this.#files.size >= RESOURCES_MAX) this.#forget();
      file = { templates: [[], [], []], lessonsLeft: LESSONS_MAX, run: undefined };
      this.#files.set(fileId, file);
    }
    return file;
  }

  /** Returns whether there is a template now that the document fits. */
  learnTemplate(fileId: string, file: KnownFile, place: Place, members: readonly MemberSpan[]): boolean {
    const eventAt = members.findIndex((member) => member.key === 'event');
    if (members[0]?.key !== '@timestamp' || eventAt < 0) return false;
    if (!members.every(({ key }, at) => (at > eventAt ? RESOURCE_KEYS : KNOWN_KEYS).has(key))) return false;
    const learned = learnTemplate(place, members, fileId, place.offset);
    if (learned === undefined) return false;
    const text = `${String(learned.template.head)}${JSON.stringify(learned.members)}`;
    const known = this.#resource(fileId, text, () => learned.members);
    if (known === undefined) return false;
    const templates = file.templates[place.lane];
    if (templates.length === TEMPLATES_MAX) templates.pop();
    templates.unshift({ template: learned.template, known });
    return true;
  }

  /** Returns the resource of the run of members at `[start, end)`, with the comma before it. */
  learnRun(
    fileId: string,
    file: KnownFile,
    body: Buffer,
    run: { start: number; end: number },
  ): KnownResource | undefined {
    const text = decodeText(body, run.start, run.end);
    const members = (): Record<string, unknown> | undefined =>
      parseJson(`{${text.slice(1)}}`) as Record<string, unknown> | undefined;
    const known = this.#resource(fileId, text, members, this.#text.encode(text));
    if (known !== undefined) file.run = known;
    return known;
  }

  /** Returns the resource of a text, made when it is new; undefined when the batch has brought too many. */
  #resource(
    fileId: string,
    text: string,
    read: () => Readonly<Record<string, unknown>> | undefined,
    block: Uint8Array = NO_BLOCK,
  ): KnownResource | undefined {
    const key = `${fileId}${text}`;
    const found = this.#byText.get(key);
    if (found !== undefined) return found;
    if (this.#newCount >= RESOURCES_PER_BATCH_MAX) return undefined;
    const members = read();
    if (members === undefined) return undefined;
    if (this.#byText.size >= RESOURCES_MAX) this.#forget();
    this.#newCount += 1;
    const id = this.#nextId++;
    const mark = this.#text.encode(`,"${RESOURCE_KEY}":${id}}\n`);
    const known = { id, resource: { fileId, members }, namespace: namespaceOf(members), block, mark };
    this.#byText.set(key, known);
    return known;
  }

  #forget(): void {
    this.#files = new Map();
    this.#byText = new Map();
  }
}

const NO_BLOCK = new Uint8Array();

/**
 * Returns the longest run of members that describe a resource, with the comma before it. Undefined when there is none, or
 * when nothing stands before it.
 */
export function resourceRun(members: readonly MemberSpan[]): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined;
  for (let first = 1; first < members.length; first += 1) {
    let last = first;
    while (last < members.length && RESOURCE_KEYS.has(must(members[last], 'member').key)) last += 1;
    if (last === first) continue;
    const run = {
      start: must(members[first], 'member').start - 1,
      end: must(members[last - 1], 'member').end,
    };
    if (best === undefined || run.end - run.start > best.end - best.start) best = run;
    first = last;
  }
  return best;
}

/** Returns `kubernetes.namespace`. */
export function namespaceOf(members: Readonly<Record<string, unknown>>): string | undefined {
  const kubernetes = members['kubernetes'];
  if (typeof kubernetes !== 'object' || kubernetes === null) return undefined;
  const { namespace } = kubernetes as { namespace?: unknown };
  return typeof namespace === 'string' ? namespace : undefined;
}
