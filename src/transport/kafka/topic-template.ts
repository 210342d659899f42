/**
 * Names of topics. A template such as `logs-{kubernetes.namespace}` is filled from a document; its literal part names
 * the siblings for the ledger and for dead letters, which all topics of a template share.
 */

const FIELD = /\{([^{}]*)\}/;
const SEPARATORS = /^[._-]+|[._-]+$/g;
const FORBIDDEN = /[^a-zA-Z0-9._-]/g;

/** Kafka's limit, and room for the suffixes of the siblings. */
const NAME_LENGTH_MAX = 240;

const LEDGER_SUFFIX = '.ledger';
const DEAD_SUFFIX = '.dead';

/** Stands for a field that a document does not have, such as the namespace of a file of the host. */
const ABSENT = '_host';

export class TopicTemplate {
  readonly ledgerTopic: string;
  readonly deadTopic: string;
  /** The name when it has no fields. */
  readonly fixedName: string | undefined;
  /** Literal pieces at even places, paths of fields at odd ones. */
  readonly #pieces: readonly string[];
  readonly #pattern: RegExp;

  constructor(template: string) {
    this.#pieces = template.split(FIELD);
    const literals = this.#pieces.filter((_, index) => index % 2 === 0);
    this.fixedName = this.#pieces.length === 1 ? template : undefined;
    const base = this.fixedName ?? (literals.join('').replaceAll(SEPARATORS, '') || 'logboom');
    this.ledgerTopic = base + LEDGER_SUFFIX;
    this.deadTopic = base + DEAD_SUFFIX;
    this.#pattern = new RegExp(`^${literals.map(escapePattern).join('.+')}$`);
  }

  /** Returns the topic of a document in ECS JSON. Characters that Kafka does not take become `_`. */
  topicOf(document: Uint8Array): string {
    if (this.fixedName !== undefined) return this.fixedName;
    const parsed = parseObject(document);
    const name = this.#pieces
      .map((piece, index) => (index % 2 === 0 ? piece : valueAt(parsed, piece)))
      .join('');
    return name.replaceAll(FORBIDDEN, '_').slice(0, NAME_LENGTH_MAX);
  }

  /** Tells whether records of this template may stand in a topic. */
  isLogTopic(topic: string): boolean {
    if (topic === this.fixedName) return true;
    const isSibling = topic === this.ledgerTopic || topic === this.deadTopic;
    return !isSibling && !topic.startsWith('__') && this.#pattern.test(topic);
  }
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function valueAt(document: unknown, path: string): string {
  let value = document;
  for (const key of path.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  }
  return typeof value === 'string' && value !== '' ? value : ABSENT;
}

function parseObject(document: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(document));
  } catch {
    return undefined;
  }
}
