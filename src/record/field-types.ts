import { isExactNumber } from '../base/exact-json.ts';

/**
 * The shape of parsed fields: which paths were seen, and with which types. A store turns it into columns; a field
 * that was seen with two types keeps both.
 */
export const FIELD_TYPE = { boolean: 1, integer: 2, double: 4, string: 8, array: 16, other: 32 } as const;

/** A node of the tree of fields: `types` is a set of `FIELD_TYPE` bits, `children` the members if it was an object. */
export interface FieldNode {
  types: number;
  children: Map<string, FieldNode> | undefined;
}

/** Top-level keys of documents (`fields`, and keys that ECS lines merge), never the agent's own. */
export type FieldTypes = Map<string, FieldNode>;

/** Integers beyond this are kept as text by stores whose numbers are doubles. */
const INTEGER_MAX = Number.MAX_SAFE_INTEGER;

/** Adds the types of `value` to `types` under `key`. Null adds the key without a type. */
export function addFieldTypes(types: FieldTypes, key: string, value: unknown): void {
  let node = types.get(key);
  if (node === undefined) {
    node = { types: 0, children: undefined };
    types.set(key, node);
  }
  if (isPlainObject(value)) {
    node.children ??= new Map();
    for (const name in value) addFieldTypes(node.children, name, value[name]);
    return;
  }
  node.types |= typeBitOf(value);
}

/** Adds everything in `from` to `into`. */
export function mergeFieldTypes(into: FieldTypes, from: FieldTypes): void {
  for (const [key, node] of from) {
    let target = into.get(key);
    if (target === undefined) {
      target = { types: 0, children: undefined };
      into.set(key, target);
    }
    target.types |= node.types;
    if (node.children === undefined) continue;
    target.children ??= new Map();
    mergeFieldTypes(target.children, node.children);
  }
}

function typeBitOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return FIELD_TYPE.string;
    case 'number':
      return Number.isInteger(value) && Math.abs(value) <= INTEGER_MAX
        ? FIELD_TYPE.integer
        : FIELD_TYPE.double;
    case 'boolean':
      return FIELD_TYPE.boolean;
    default:
      if (value === null) return 0;
      if (isExactNumber(value)) return exactNumberBit(value);
      return Array.isArray(value) ? FIELD_TYPE.array : FIELD_TYPE.other;
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/** A double would show other digits of a long integer, and cannot say a huge number at all: stores keep their text. */
function exactNumberBit(value: unknown): number {
  const text = JSON.stringify(value);
  const isKeptAsText = /^-?\d+$/.test(text) || !Number.isFinite(Number(text));
  return isKeptAsText ? FIELD_TYPE.other : FIELD_TYPE.double;
}
