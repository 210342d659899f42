/**
 * The shapes that lines have had, as a tree of keys in the order of the text. Lines of one application repeat a few
 * shapes, so that what a key means is worked out once, when its node is made, and found again by comparing bytes.
 *
 * A node stands for one key at one place behind the same keys. What is true of all lines that reach it is a constant
 * of the node: whether the key stands there twice, whether it names the level. `types` gathers what the values of a
 * batch were, until `collect` hands it over.
 */
import { FIELD_TYPE, type FieldNode, type FieldTypes } from '../../record/field-types.ts';
import { levelRank, MESSAGE_KEYS } from './json-line.ts';
import { OBJECT_VALUE, type JsonScanner } from './json-scanner.ts';

/** All nodes together; applications that make up keys would grow the tree without end. The tree then begins anew. */
const NODES_MAX = 20_000;

/** Keys that may follow one key; the oldest is forgotten. */
const FOLLOWERS_MAX = 16;

const NO_RANK = 99;
const STRING = FIELD_TYPE.string;
const INTEGER = FIELD_TYPE.integer;

/** A key at one place behind the same keys. */
export interface ShapeNode {
  readonly key: string;
  /** The key's text, which has no escapes. */
  readonly keyBytes: Uint8Array;
  readonly depth: number;
  /** The node of the object that the key stands in. */
  readonly parent: ShapeNode | undefined;
  /** The key before this one in the text. */
  readonly previous: ShapeNode | undefined;
  readonly followers: ShapeNode[];
  /** Whether lines that reach this node need the general path. */
  readonly isGeneral: boolean;
  /** Whether they need it where the value is an object. */
  readonly isGeneralAsObject: boolean;
  readonly messageRank: number;
  readonly levelRank: number;
  /** Whether it is a field whatever its value is: nothing else of what stands above. */
  readonly isField: boolean;
  /** Types seen in the batch of this number, which are not collected yet. */
  types: number;
  batchNumber: number;
  fieldNode: FieldNode | undefined;
}

export class JsonShapes {
  /** Member that becomes the message, or -1. */
  messageMember = -1;
  /** Member that names the level, or -1; `levelCount` says how many there were. */
  levelMember = -1;
  levelCount = 0;
  /** The member of the outer object before `messageMember`, or -1. */
  beforeMessage = -1;
  #root = createNode('', undefined, undefined, 0);
  #nodeCount = 0;
  /** By member: the nodes of the line that was matched last. */
  readonly #nodes: ShapeNode[] = [];
  #touched: ShapeNode[] = [];
  #batchNumber = 1;
  /** Of the line whose members are taken: the strongest keys so far, and the last member of the outer object. */
  #messageRank = NO_RANK;
  #levelRank = NO_RANK;
  #previousTop = -1;

  /** The node before the first key. */
  get root(): ShapeNode {
    return this.#root;
  }

  /** Finds the shape of what was scanned; false when the line needs the general path. */
  match(scanner: JsonScanner, bytes: Uint8Array): boolean {
    const { memberCount, valueTypes } = scanner;
    let node = this.#root;
    this.begin();
    for (let member = 0; member < memberCount; member++) {
      node = this.#follower(node, scanner, bytes, member);
      if (!this.take(node, member, valueTypes[member] ?? 0)) return false;
    }
    return true;
  }

  /** Begins a line whose members are taken one by one. */
  begin(): void {
    this.messageMember = -1;
    this.levelMember = -1;
    this.levelCount = 0;
    this.#messageRank = NO_RANK;
    this.#levelRank = NO_RANK;
    this.#previousTop = -1;
  }

  /** Takes the next member, with the type of its value; false when the line needs the general path. */
  take(node: ShapeNode, member: number, type: number): boolean {
    this.#nodes[member] = node;
    if (!node.isField && !this.#takeSpecial(node, member, type)) return false;
    if (node.depth === 1) this.#previousTop = member;
    return true;
  }

  #takeSpecial(node: ShapeNode, member: number, type: number): boolean {
    if (node.isGeneral || (node.isGeneralAsObject && type === OBJECT_VALUE)) return false;
    if (node.messageRank < this.#messageRank && type === STRING) {
      this.#messageRank = node.messageRank;
      this.messageMember = member;
      this.beforeMessage = this.#previousTop;
    }
    if (node.levelRank === NO_RANK || (type !== STRING && type !== INTEGER)) return true;
    this.levelCount++;
    if (node.levelRank < this.#levelRank) {
      this.#levelRank = node.levelRank;
      this.levelMember = member;
    }
    return true;
  }

  /** Notes the types of the line that was matched last; the message is no field. */
  note(scanner: JsonScanner): void {
    const { memberCount, valueTypes } = scanner;
    const batchNumber = this.#batchNumber;
    for (let member = 0; member < memberCount; member++) {
      const node = this.#nodes[member];
      if (node === undefined || member === this.messageMember) continue;
      if (node.batchNumber !== batchNumber) {
        node.batchNumber = batchNumber;
        node.types = 0;
        node.fieldNode = undefined;
        this.#touched.push(node);
      }
      node.types |= valueTypes[member] ?? 0;
    }
  }

  /** Adds the types of all lines since the last call under `fields`, and begins the next batch. */
  collect(types: FieldTypes): void {
    if (this.#touched.length > 0) {
      const fields = childOf(types, 'fields');
      for (const node of this.#touched) {
        const target = this.#fieldNodeOf(node, fields);
        target.types |= node.types & ~OBJECT_VALUE;
        if ((node.types & OBJECT_VALUE) !== 0) target.children ??= new Map();
      }
      this.#touched = [];
    }
    this.#batchNumber++;
    if (this.#nodeCount > NODES_MAX) {
      this.#root = createNode('', undefined, undefined, 0);
      this.#nodeCount = 0;
    }
  }

  #fieldNodeOf(node: ShapeNode, fields: FieldNode): FieldNode {
    if (node.batchNumber === this.#batchNumber && node.fieldNode !== undefined) return node.fieldNode;
    const parent = node.parent === undefined ? fields : this.#fieldNodeOf(node.parent, fields);
    parent.children ??= new Map();
    const target = childOf(parent.children, node.key);
    if (node.batchNumber === this.#batchNumber) node.fieldNode = target;
    return target;
  }

  #follower(node: ShapeNode, scanner: JsonScanner, bytes: Uint8Array, member: number): ShapeNode {
    const start = scanner.keyStarts[member] ?? 0;
    const length = (scanner.keyEnds[member] ?? 0) - start;
    const depth = scanner.depths[member] ?? 0;
    const { followers } = node;
    for (let index = 0; index < followers.length; index++) {
      const follower = followers[index];
      if (follower === undefined || follower.depth !== depth) continue;
      const { keyBytes } = follower;
      if (keyBytes.length !== length) continue;
      let at = 0;
      while (at < length && keyBytes[at] === bytes[start + at]) at++;
      if (at === length) return follower;
    }
    return this.#addFollower(node, Uint8Array.from(bytes.subarray(start, start + length)), depth);
  }

  #addFollower(node: ShapeNode, keyBytes: Uint8Array, depth: number): ShapeNode {
    const follower = createNode(new TextDecoder().decode(keyBytes), keyBytes, node, depth);
    if (node.followers.length === FOLLOWERS_MAX) node.followers.shift();
    node.followers.push(follower);
    this.#nodeCount++;
    return follower;
  }
}

function createNode(
  key: string,
  keyBytes: Uint8Array | undefined,
  previous: ShapeNode | undefined,
  depth: number,
): ShapeNode {
  let parent = previous;
  while (parent !== undefined && parent.depth >= depth) parent = parent.previous;
  if (parent?.depth === 0) parent = undefined;
  const isTop = depth === 1;
  const messageRank = isTop ? (MESSAGE_KEYS as readonly string[]).indexOf(key) : -1;
  const rank = isTop ? levelRank(key) : -1;
  const isGeneral = (isTop && key === 'ecs.version') || standsTwice(key, previous, depth);
  const isGeneralAsObject = isTop && (key === 'ecs' || key === 'log');
  return {
    key,
    keyBytes: keyBytes ?? new Uint8Array(0),
    depth,
    parent,
    previous,
    followers: [],
    isGeneral,
    isGeneralAsObject,
    messageRank: messageRank < 0 ? NO_RANK : messageRank,
    levelRank: rank < 0 ? NO_RANK : rank,
    isField: !isGeneral && !isGeneralAsObject && messageRank < 0 && rank < 0,
    types: 0,
    batchNumber: 0,
    fieldNode: undefined,
  };
}

/** Whether the same object has the key before. */
function standsTwice(key: string, previous: ShapeNode | undefined, depth: number): boolean {
  for (let node = previous; node !== undefined && node.depth >= depth; node = node.previous) {
    if (node.depth === depth && node.key === key) return true;
  }
  return false;
}

function childOf(types: Map<string, FieldNode>, key: string): FieldNode {
  let node = types.get(key);
  if (node === undefined) {
    node = { types: 0, children: undefined };
    types.set(key, node);
  }
  return node;
}
