/**
 * What is known of a path of keys whatever its value is, worked out once: logs of an app have the same keys in every
 * line. A path stands below the path that it continues.
 */
import { ALWAYS_THERE, SEPARATOR, UNREAD_PATHS } from '../column-names.ts';
import { isOwnPath } from '../manage/field-table.ts';

/** Longer paths are answered by reading the document. */
const PATH_LENGTH_MAX = 512;

/** Keys with more dots than this are found by no query. */
const KEY_SEGMENTS_MAX = 12;

/** Paths that are remembered; beyond it all are forgotten and worked out anew. */
const PATHS_MAX = 10_000;

export class PathNode {
  readonly path: string;
  /** Whether no word can say what stands there. */
  readonly isOdd: boolean;
  /** Whether the last key has a dot: engines take it for an object. */
  readonly hasDot: boolean;
  /** Whether every document has it. */
  readonly isAlwaysThere: boolean;
  /** Whether it has a field of its own. */
  readonly isOwn: boolean;
  /** Whether only that it is there is said. */
  readonly isUnread: boolean;
  /** The path as words begin with it. */
  readonly head: string;
  readonly #children = new Map<string, PathNode>();
  readonly #root: RootCount;

  constructor(key = '', path = '', root: RootCount = { pathCount: 0 }) {
    this.#root = root;
    this.path = path;
    this.hasDot = key.includes('.');
    this.isOdd = path.length > PATH_LENGTH_MAX || isOddKey(key);
    this.isAlwaysThere = ALWAYS_THERE.has(path);
    this.isOwn = isOwnPath(path);
    this.isUnread = UNREAD_PATHS.has(path);
    this.head = path + SEPARATOR;
  }

  /** The path of a member of the document. */
  member(key: string): PathNode {
    if (this.#root.pathCount > PATHS_MAX) {
      this.#children.clear();
      this.#root.pathCount = 0;
    }
    return this.#children.get(key) ?? this.#add(key, key);
  }

  /** The path of a member of the object that stands here. */
  child(key: string): PathNode {
    return this.#children.get(key) ?? this.#add(key, `${this.path}.${key}`);
  }

  #add(key: string, path: string): PathNode {
    const node = new PathNode(key, path, this.#root);
    // What is odd may be as long as a document, and ends the writing of words.
    if (node.isOdd) return node;
    this.#children.set(key, node);
    this.#root.pathCount += 1;
    return node;
  }
}

interface RootCount {
  pathCount: number;
}

function isOddKey(key: string): boolean {
  return (
    key.includes(SEPARATOR) ||
    !key.isWellFormed() ||
    (key.includes('.') && key.split('.', KEY_SEGMENTS_MAX + 1).length > KEY_SEGMENTS_MAX)
  );
}
