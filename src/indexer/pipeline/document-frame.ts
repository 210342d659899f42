/**
 * Recognises documents in the agents' layout (`record/document-layout.ts`) by comparing bytes. Everything behind the
 * offset's digits is the same for all documents of a file but for twelve digits of the event id, so a document is
 * compared with a template from its end:
 *
 *   {"@timestamp":"…30…","message":"…","stream":"stdout","log":{"offset":123,"file":{…}},"event":{"id":"…-…"},…}\n
 *                                     └── STREAM_PARTS by lane ──────────┘   └── template of the file ─────────┘
 */
import { hasBytes } from '../../base/has-bytes.ts';
import {
  DOCUMENT_HEAD,
  MESSAGE_HEAD,
  MESSAGE_START,
  OFFSET_HEAD,
  STREAM_HEAD,
  TIMESTAMP_START,
} from '../../record/document-layout.ts';
import { STREAM_NAMES } from '../../record/lane.ts';
import { TIMESTAMP_LENGTH } from '../../record/timestamp.ts';
import { selectPipeline, type CompiledPipeline } from './compile-pipelines.ts';
import { isObject, type JsonObject } from './document.ts';
import { originOf } from './pipeline-selection.ts';

/** What the documents of one file have in common. */
export interface FileTemplate {
  /** The bytes behind the offset's digits, the newline included; the event id's last digits are scratch. */
  readonly tail: Buffer;
  /** Where the twelve digits of the offset stand in `tail`. */
  readonly digitsStart: number;
  readonly pipeline: CompiledPipeline;
}

/** Where the parts of a framed document stand. */
export interface Frame {
  messageEnd: number;
  /** Behind the opening brace of `log`. */
  logStart: number;
}

const OFFSET_DIGITS = 12;

/** Files whose templates are kept; the least recently used is forgotten, and found again from its next document. */
const FILES_MAX = 4096;

/** Variants of one file's template: some records carry flags. */
const TEMPLATES_PER_FILE_MAX = 4;

const HEAD = Buffer.from(DOCUMENT_HEAD);
const MESSAGE = Buffer.from(MESSAGE_HEAD);

/** By lane: what stands between the message and the digits of the offset. */
const STREAM_PARTS = STREAM_NAMES.map((name) => Buffer.from(`${STREAM_HEAD}${name}${OFFSET_HEAD}`));

/** From behind the opening brace of `log` to the digits of the offset. */
const OFFSET_KEY_BYTES = OFFSET_HEAD.length - OFFSET_HEAD.indexOf('{') - 1;

/** Members that a document may have behind its event; those of the layout itself would stand there a second time. */
const RESERVED_KEYS = ['@timestamp', 'message', 'stream', 'log', 'event', 'fields', 'error', 'logboom'];

const TAIL =
  /^,"file":\{"path":"(?:[^"\\]|\\.)*"\}(?:,"flags":\["[a-z0-9_",]*"\])?(?:,"original_length":\d+)?(?:,"sequence":\d+)?\},"event":\{"id":"[0-9a-f]{20}-([0-9a-f]{12})"\}(,.*)?\}\n$/ds;

export class DocumentFrames {
  readonly #pipelines: readonly CompiledPipeline[];
  /** By file id, the least recently used first. */
  readonly #files = new Map<string, FileTemplate[]>();
  readonly #frame: Frame = { messageEnd: 0, logStart: 0 };

  constructor(pipelines: readonly CompiledPipeline[]) {
    this.#pipelines = pipelines;
  }

  /** Returns the templates that documents of a file may fit. */
  templatesOf(fileId: string): FileTemplate[] {
    const templates = this.#files.get(fileId) ?? [];
    this.#files.delete(fileId);
    this.#files.set(fileId, templates);
    if (this.#files.size > FILES_MAX) {
      const [oldest] = this.#files.keys();
      if (oldest !== undefined) this.#files.delete(oldest);
    }
    return templates;
  }

  /** Makes a template from a document, when it has the layout; true when there is one now that it fits. */
  learn(templates: FileTemplate[], body: Buffer, start: number, end: number): boolean {
    const template = createTemplate(body.toString('utf8', start, end), this.#pipelines);
    if (template === undefined) return false;
    if (templates.length === TEMPLATES_PER_FILE_MAX) templates.pop();
    templates.unshift(template);
    return true;
  }

  /** Returns where the parts of a document stand that fits `template`, until the next call; undefined for any other. */
  frame(template: FileTemplate, body: Buffer, start: number, end: number, lane: number): Frame | undefined {
    const { tail, digitsStart } = template;
    const tailStart = end - tail.length;
    if (tailStart <= start + MESSAGE_START) return undefined;
    for (let digit = 0; digit < OFFSET_DIGITS; digit++) {
      const byte = body[tailStart + digitsStart + digit] ?? 0;
      if (!isHexDigit(byte)) return undefined;
      tail[digitsStart + digit] = byte;
    }
    if (body.compare(tail, 0, tail.length, tailStart, end) !== 0) return undefined;
    let digitsOfOffset = tailStart;
    while (isDigit(body[digitsOfOffset - 1] ?? 0)) digitsOfOffset--;
    const part = STREAM_PARTS[lane];
    if (part === undefined || digitsOfOffset === tailStart) return undefined;
    const messageEnd = digitsOfOffset - part.length;
    if (messageEnd < start + MESSAGE_START || !hasBytes(body, messageEnd, part)) return undefined;
    if (
      !hasBytes(body, start, HEAD) ||
      !hasBytes(body, start + TIMESTAMP_START + TIMESTAMP_LENGTH, MESSAGE)
    ) {
      return undefined;
    }
    if (body[messageEnd - 1] === 0x5c && isEscaped(body, start + MESSAGE_START, messageEnd)) return undefined;
    this.#frame.messageEnd = messageEnd;
    this.#frame.logStart = digitsOfOffset - OFFSET_KEY_BYTES;
    return this.#frame;
  }
}

/** Returns the template of a document's file, or undefined when it does not have the layout. */
function createTemplate(text: string, pipelines: readonly CompiledPipeline[]): FileTemplate | undefined {
  if (!text.startsWith(DOCUMENT_HEAD)) return undefined;
  // The last one is the member itself: in the message every quote is escaped.
  const offsetHead = text.lastIndexOf(OFFSET_HEAD);
  if (offsetHead < 0) return undefined;
  const tailText = text.slice(offsetHead + OFFSET_HEAD.length).replace(/^\d+/, '');
  const found = TAIL.exec(tailText);
  if (found === null) return undefined;
  const document = parseObject(text);
  const suffix = parseObject(`{${(found[2] ?? '').slice(1)}}`);
  if (document === undefined || suffix === undefined) return undefined;
  if (RESERVED_KEYS.some((key) => Object.hasOwn(suffix, key))) return undefined;
  const pipeline = selectPipeline(pipelines, originOf(document));
  const [digitsStart = 0] = found.indices?.[1] ?? [];
  return {
    tail: Buffer.from(tailText),
    digitsStart: Buffer.byteLength(tailText.slice(0, digitsStart)),
    pipeline,
  };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an odd number of backslashes stands before `position`. */
function isEscaped(body: Buffer, start: number, position: number): boolean {
  let first = position;
  while (first > start && body[first - 1] === 0x5c) first--;
  return (position - first) % 2 === 1;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x61 && byte <= 0x66);
}
