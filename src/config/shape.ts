/**
 * The little language that the option tables are written in: what a value may be, as data. The reader, the help,
 * the documentation, the JSON Schema and `logboom check` all walk the same shapes, so that they cannot disagree.
 */
export type ScalarShape =
  | { readonly kind: 'text' | 'path' | 'address' | 'url' | 'boolean' | 'scalar' }
  /** `64MiB`; a bare number is bytes. */
  | { readonly kind: 'bytes'; readonly min: number; readonly max?: number }
  /** `10m`; a bare number is milliseconds. */
  | { readonly kind: 'duration'; readonly min: number; readonly max?: number }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly string[]; readonly later?: readonly string[] };

/** A list of scalars, a single one standing for a list of one; or of groups or unions. */
export interface ListShape {
  readonly kind: 'list';
  readonly of: Shape;
  readonly countMin?: number;
}

/** An object with free keys and scalar values. */
export interface MapShape {
  readonly kind: 'map';
}

/** An object with known members. */
export interface GroupShape {
  readonly kind: 'group';
  readonly members: readonly Member[];
}

/** An object whose member `kind` says which members it has. `later` lists kinds that a later release brings. */
export interface UnionShape {
  readonly kind: 'union';
  readonly variants: readonly {
    readonly name: string;
    readonly description: string;
    readonly members: readonly Member[];
  }[];
  readonly later?: readonly string[];
}

/** Any JSON value. */
export interface AnyShape {
  readonly kind: 'any';
}

export type Shape = ScalarShape | ListShape | MapShape | GroupShape | UnionShape | AnyShape;

export interface Member {
  readonly name: string;
  readonly shape: Shape;
  /** As a person would write it; undefined where there is none, and the value is then undefined too. */
  readonly default?: unknown;
  readonly isRequired?: boolean;
  readonly description: string;
  readonly example?: unknown;
  readonly isSecret?: boolean;
}

/** One option: a leaf of the configuration that has a flag, an environment name and a YAML key. */
export interface OptionDefinition extends Omit<Member, 'name'> {
  /** Dotted path of the YAML key, such as `server.listen`. */
  readonly path: string;
  /** What the default depends on, in words, when it is no constant. */
  readonly defaultText?: string;
  /** The option counts only when another one has one of these values. */
  readonly onlyWhen?: { readonly path: string; readonly is: string };
  /** First release that has it. */
  readonly since: string;
}

/** Returns whether values of the shape can be written in one word, as flags and environment variables are. */
export function isScalarShape(shape: Shape): shape is ScalarShape {
  return (
    shape.kind !== 'list' &&
    shape.kind !== 'map' &&
    shape.kind !== 'group' &&
    shape.kind !== 'union' &&
    shape.kind !== 'any'
  );
}

/** Returns what a value of the shape looks like, as the end of "expected …". */
export function describeShape(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
    case 'path':
      return shape.kind === 'text' ? 'text' : 'a path';
    case 'scalar':
      return 'text, a number, or true or false';
    case 'address':
      return 'HOST:PORT, such as 127.0.0.1:6410';
    case 'url':
      return 'an address such as http://HOST:PORT';
    case 'boolean':
      return 'true or false';
    case 'bytes':
      return 'a size such as 512KiB, 64MiB or 2GiB';
    case 'duration':
      return 'a duration such as 500ms, 10s, 5m, 12h or 7d';
    case 'integer':
      return `a whole number from ${shape.min} to ${shape.max}`;
    case 'choice':
      return `one of ${shape.values.join(', ')}`;
    case 'list':
      return `a list of ${isScalarShape(shape.of) ? `values, each ${describeShape(shape.of)}` : 'objects'}`;
    case 'map':
      return 'names with values, such as { team: shop }';
    case 'group':
      return `an object with ${shape.members.map((member) => member.name).join(', ')}`;
    case 'union':
      return `an object whose kind is one of ${shape.variants.map((variant) => variant.name).join(', ')}`;
    case 'any':
      return 'any value';
  }
}
