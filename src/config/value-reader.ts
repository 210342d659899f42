/**
 * Reads YAML nodes by their shape. Everything wrong is reported with its place, and reading goes on, so that a
 * person sees all mistakes at once.
 */
import { distance } from 'fastest-levenshtein';
import { isAlias, isCollection, isMap, isScalar, isSeq } from 'yaml';
import type { Document, LineCounter, Node, Scalar, YAMLMap } from 'yaml';
import { laterMessage, parseScalar } from './scalars.ts';
import { describeShape, isScalarShape } from './shape.ts';
import type { ListShape, Member, ScalarShape, Shape, UnionShape } from './shape.ts';

/** What is wrong: `name` is the option as it was written, `where` the file with line and column, or undefined. */
export interface Problem {
  readonly name: string;
  readonly where: string | undefined;
  readonly message: string;
  readonly hint: string | undefined;
}

export interface ReaderOptions {
  readonly document: Document;
  readonly lines: LineCounter;
  /** Name of the file; undefined when the text came from a flag or the environment. */
  readonly fileName: string | undefined;
  readonly resolvePath: (path: string) => string;
  readonly problems: Problem[];
}

/** Keys further than this from a known one are not suggested. */
const SUGGESTION_DISTANCE_MAX = 3;

/** Returns the name among `known` that was probably meant, or undefined. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(SUGGESTION_DISTANCE_MAX, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    const steps = distance(name.toLowerCase(), candidate.toLowerCase());
    if (steps < bestDistance) [best, bestDistance] = [candidate, steps];
  }
  return best;
}

export class ValueReader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Returns the value, or undefined when there is none or it is wrong (and reported). */
  read(given: unknown, shape: Shape, name: string): unknown {
    const node = this.resolve(given);
    if (isNull(node)) return undefined;
    if (isScalarShape(shape)) return this.#readScalar(node, shape, name);
    switch (shape.kind) {
      case 'list':
        return this.#readList(node, shape, name);
      case 'map':
        return this.#readMap(node, name);
      case 'group':
        return isMap(node) ? this.readMembers(node, shape.members, name) : this.#wrongKind(node, shape, name);
      case 'union':
        return isMap(node) ? this.#readUnion(node, shape, name) : this.#wrongKind(node, shape, name);
      case 'any':
        return (node as Node).toJS(this.#options.document);
    }
  }

  /** Returns an object with every one of `members`, defaults filled in; `extra` are further keys that may stand there. */
  readMembers(
    map: YAMLMap,
    members: readonly Member[],
    name: string,
    extra: readonly string[] = [],
  ): Record<string, unknown> {
    const nodes = new Map<string, unknown>();
    for (const { key, keyNode, value } of this.entries(map)) {
      if (members.some((member) => member.name === key)) nodes.set(key, value);
      else if (!extra.includes(key))
        this.reportUnknown(
          keyNode,
          join(name, key),
          key,
          members.map((m) => m.name),
        );
    }
    const result: Record<string, unknown> = {};
    for (const member of members) {
      const node = nodes.get(member.name);
      if (member.isRequired === true && isNull(this.resolve(node))) {
        this.report(map, join(name, member.name), `is missing, expected ${describeShape(member.shape)}`);
      }
      const value = node === undefined ? undefined : this.read(node, member.shape, join(name, member.name));
      result[member.name] = value ?? defaultOf(member, this.#options.resolvePath);
    }
    return result;
  }

  /** Lists the pairs of a map; keys that are no text are reported. */
  entries(map: YAMLMap): { key: string; keyNode: unknown; value: unknown }[] {
    return map.items.map((pair) => {
      const keyNode = this.resolve(pair.key);
      return { key: isScalar(keyNode) ? String(keyNode.value) : String(keyNode), keyNode, value: pair.value };
    });
  }

  resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#options.document) : node;
  }

  reportUnknown(node: unknown, name: string, key: string, known: readonly string[]): void {
    const meant = suggest(key, known);
    this.report(
      node,
      name,
      'is no option',
      meant === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean ${meant}?`,
    );
  }

  report(node: unknown, name: string, message: string, hint?: string): void {
    this.#options.problems.push({ name, where: this.placeOf(node), message, hint });
  }

  /** Returns what a name such as `rotate[0].su` means below `root`, or the nearest around it that is there. */
  nearest(root: YAMLMap, name: string): unknown {
    let node: unknown = root;
    for (const [key] of name.matchAll(/[^.[\]]+/g)) {
      const inner = isCollection(node) ? this.resolve(node.get(key, true)) : undefined;
      if (inner === undefined) break;
      node = inner;
    }
    return node;
  }

  /** Returns `file:line:column` of a node, or undefined when it is not from a file. */
  placeOf(node: unknown): string | undefined {
    const { fileName, lines } = this.#options;
    if (fileName === undefined) return undefined;
    const start = (node as { range?: readonly number[] | null } | null | undefined)?.range?.[0];
    if (start === undefined) return fileName;
    const { line, col } = lines.linePos(start);
    return `${fileName}:${line}:${col}`;
  }

  #readScalar(node: unknown, shape: ScalarShape, name: string): unknown {
    if (!isScalar(node)) return this.#wrongKind(node, shape, name);
    const result = parseScalar(shape, textOf(node));
    if ('problem' in result) {
      this.report(node, name, result.problem);
      return undefined;
    }
    if (shape.kind === 'scalar' && typeof node.value === 'string') return node.value;
    return shape.kind === 'path' ? this.#options.resolvePath(String(result.value)) : result.value;
  }

  #readList(node: unknown, shape: ListShape, name: string): unknown {
    const items = isSeq(node) ? node.items : isScalarShape(shape.of) && isScalar(node) ? [node] : undefined;
    if (items === undefined) return this.#wrongKind(node, shape, name);
    if (items.length < (shape.countMin ?? 0)) this.report(node, name, 'is empty, expected at least one');
    return items.map((item, index) => {
      const itemName = `${name}[${index}]`;
      // A key without a value has its default; an item has none.
      if (shape.of.kind !== 'any' && isNull(this.resolve(item))) {
        const expected = `is empty, expected ${describeShape(shape.of)}`;
        this.report(item ?? node, itemName, expected, 'Give it a value, or remove it.');
      }
      return this.read(item, shape.of, itemName);
    });
  }

  #readMap(node: unknown, name: string): unknown {
    if (!isMap(node)) return this.#wrongKind(node, { kind: 'map' }, name);
    const result: Record<string, string> = {};
    for (const { key, value } of this.entries(node)) {
      const resolved = this.resolve(value);
      if (isScalar(resolved)) result[key] = textOf(resolved);
      else this.#wrongKind(resolved, { kind: 'text' }, join(name, key));
    }
    return result;
  }

  #readUnion(map: YAMLMap, shape: UnionShape, name: string): unknown {
    const kindNode = this.resolve(map.get('kind', true));
    const names = shape.variants.map((variant) => variant.name);
    const expected = `expected ${describeShape({ kind: 'choice', values: names })}`;
    if (!isScalar(kindNode)) {
      this.report(map, join(name, 'kind'), `is missing, ${expected}`);
      return undefined;
    }
    const kind = textOf(kindNode);
    const variant = shape.variants.find((candidate) => candidate.name === kind);
    if (variant !== undefined) return { kind, ...this.readMembers(map, variant.members, name, ['kind']) };
    const isLater = shape.later?.includes(kind) === true;
    const meant = suggest(kind, names);
    this.report(
      kindNode,
      join(name, 'kind'),
      isLater ? laterMessage(kind, names) : `got ${JSON.stringify(kind)}, ${expected}`,
      meant === undefined || isLater ? undefined : `Did you mean ${meant}?`,
    );
    return undefined;
  }

  #wrongKind(node: unknown, shape: Shape, name: string): undefined {
    const given = isMap(node)
      ? 'an object'
      : isSeq(node)
        ? 'a list'
        : JSON.stringify(isScalar(node) ? textOf(node) : node);
    this.report(node, name, `got ${given}, expected ${describeShape(shape)}`);
    return undefined;
  }
}

/** Returns the value of a member that is not given. */
export function defaultOf(
  member: Pick<Member, 'shape' | 'default'>,
  resolvePath: (path: string) => string,
): unknown {
  const { shape, default: given } = member;
  if (given === undefined) return undefined;
  if (shape.kind === 'group') {
    return Object.fromEntries(shape.members.map((inner) => [inner.name, defaultOf(inner, resolvePath)]));
  }
  if (!isScalarShape(shape)) return given;
  const result = parseScalar(shape, typeof given === 'string' ? given : JSON.stringify(given));
  if ('problem' in result) return undefined;
  return shape.kind === 'path' ? resolvePath(String(result.value)) : result.value;
}

/** The text of a scalar as it was written: `007` and `1.10` keep their digits. */
function textOf(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function isNull(node: unknown): boolean {
  return node === undefined || node === null || (isScalar(node) && node.value === null);
}

function join(name: string, key: string): string {
  return name === '' ? key : `${name}.${key}`;
}
