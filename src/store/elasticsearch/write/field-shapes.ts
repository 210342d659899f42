/**
 * Which keys follow each other in the parsed fields of an app: nearly every line has those of another one. What a word
 * needs of a key is worked out once, and a key that is where it was last time is compared, not read.
 *
 * A shape stands for an object of which some keys were read; its edges lead to the shapes behind the next key. Along a
 * way of edges no key stands twice, and none is a number: objects would hold these in another order.
 */
import { SEPARATOR } from '../column-names.ts';
import { PathNode } from '../read/path-node.ts';

/** Keys at one place that are compared before the place is asked for others. */
const NEAR_MAX = 8;

/** Edges in all; beyond it all are forgotten and learned anew. */
const EDGES_TOTAL_MAX = 10_000;

/** Keys with more bytes are read the slow way. */
const KEY_BYTES_MAX = 128;

/** Keys of one object beyond which it is read the slow way. */
const KEYS_MAX = 256;

/** What stands in a key as it does in JSON: no quotes, escapes or controls. */
const PLAIN_KEY = /^[ !#-[\]-~]+$/;

/** Objects hold keys like these in front of the others. */
const NUMBER_KEY = /^\d+$/;

export interface ShapeEdge {
  /** The key with its quotes. */
  readonly key: Buffer;
  /** The beginning of its words, from the quote on. */
  readonly head: Buffer;
  /** Of the object that its value may be. */
  readonly inner: Shape;
  /** Behind this key. */
  readonly next: Shape;
}

export class Shape {
  /** Of the object. */
  readonly node: PathNode;
  /** The word that the object is there, from the quote on. */
  readonly own: Buffer;
  /** The edges that were taken of late. */
  readonly near: ShapeEdge[] = [];
  readonly #edges = new Map<string, ShapeEdge>();
  readonly #before: readonly string[];

  constructor(node: PathNode, before: readonly string[] = []) {
    this.node = node;
    this.own = Buffer.from(`"${node.path}`);
    this.#before = before;
  }

  /** Returns the edge of a key that is not among those of late, and puts it there. */
  find(key: string): ShapeEdge | undefined {
    const edge = this.#edges.get(key);
    if (edge !== undefined) this.near[NEAR_MAX - 1] = edge;
    return edge;
  }

  /** Adds the key as one that may stand next; returns undefined when no edge can stand for it. */
  add(key: string): ShapeEdge | undefined {
    const before = this.#before;
    if (before.length >= KEYS_MAX || key.length > KEY_BYTES_MAX) return undefined;
    if (!PLAIN_KEY.test(key) || NUMBER_KEY.test(key) || before.includes(key)) return undefined;
    const node = this.node.child(key);
    if (node.isOdd || node.isOwn || node.isUnread || node.isAlwaysThere) return undefined;
    const edge = {
      key: Buffer.from(`"${key}"`),
      head: Buffer.from(`"${node.path}${SEPARATOR}`),
      inner: new Shape(node),
      next: new Shape(this.node, [...before, key]),
    };
    this.#edges.set(key, edge);
    this.near[Math.min(this.near.length, NEAR_MAX - 1)] = edge;
    return edge;
  }
}

export class FieldShapes {
  #edgeCount = 0;
  #root = newRoot();

  /** The shape of `fields` before its first key. */
  get root(): Shape {
    return this.#root;
  }

  /** Returns the edge of a key that stands at a place; undefined when no edge can stand for it. */
  edge(shape: Shape, key: string): ShapeEdge | undefined {
    const known = shape.find(key);
    if (known !== undefined) return known;
    if (this.#edgeCount >= EDGES_TOTAL_MAX) {
      this.#edgeCount = 0;
      this.#root = newRoot();
    }
    const edge = shape.add(key);
    if (edge !== undefined) this.#edgeCount += 1;
    return edge;
  }
}

function newRoot(): Shape {
  return new Shape(new PathNode().member('fields'));
}
