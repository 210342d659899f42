/** The configuration in effect, for people: values as one would write them, secrets scrubbed, origins beside them. */
import { Document, isMap, isScalar } from 'yaml';
import type { Node, YAMLMap } from 'yaml';
import type { LoadedConfig } from './load-config.ts';
import { OPTIONS } from './options.ts';
import { formatScalar } from './scalars.ts';
import { isScalarShape } from './shape.ts';
import type { Member, OptionDefinition, Shape } from './shape.ts';

export const SCRUBBED = '(secret)';

/** Returns YAML that loads to the same configuration (but for secrets), with each value's origin as a comment. */
export function configAsYaml(loaded: LoadedConfig): string {
  const document = new Document({});
  for (const { option, value } of effectiveValues(loaded)) {
    const keys = option.path.split('.');
    document.setIn(keys, document.createNode(value, { flow: false, aliasDuplicateObjects: false }));
    annotate(document, keys, loaded.origins.get(option.path) ?? 'default');
  }
  return document.toString({ lineWidth: 0 });
}

/** Returns `{ options: { PATH: { value, origin } } }`. */
export function configAsJson(loaded: LoadedConfig): Record<string, unknown> {
  const options = effectiveValues(loaded).map(({ option, value }) => [
    option.path,
    { value, origin: loaded.origins.get(option.path) ?? 'default' },
  ]);
  return { options: Object.fromEntries(options) as Record<string, unknown> };
}

function effectiveValues({ config }: LoadedConfig): { option: OptionDefinition; value: unknown }[] {
  return OPTIONS.flatMap((option) => {
    const value = valueAt(config, option.path);
    if (value === undefined) return [];
    return [{ option, value: option.isSecret === true ? SCRUBBED : formatValue(option.shape, value) }];
  });
}

function valueAt(config: unknown, path: string): unknown {
  let value = config;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

/** Returns the value as a person would write it, without what is undefined. */
function formatValue(shape: Shape, value: unknown): unknown {
  if (isScalarShape(shape)) return formatScalar(shape, value);
  switch (shape.kind) {
    case 'list':
      return (value as readonly unknown[]).map((item) => formatValue(shape.of, item));
    case 'group':
      return formatMembers(shape.members, value as Record<string, unknown>);
    case 'union': {
      const object = value as Record<string, unknown>;
      const variant = shape.variants.find(({ name }) => name === object['kind']);
      return { kind: object['kind'], ...formatMembers(variant?.members ?? [], object) };
    }
    case 'map':
    case 'any':
      return value;
  }
}

function formatMembers(members: readonly Member[], value: Record<string, unknown>): Record<string, unknown> {
  const entries = members.flatMap(({ name, shape }) => {
    const inner = value[name];
    return inner === undefined ? [] : [[name, formatValue(shape, inner)] as const];
  });
  return Object.fromEntries(entries);
}

/** Puts the origin behind a scalar, and above what takes several lines. */
function annotate(document: Document, keys: readonly string[], origin: string): void {
  const node = document.getIn(keys, true) as Node | undefined;
  if (isScalar(node) || isEmpty(node)) {
    if (node !== undefined) node.comment = ` ${origin}`;
    return;
  }
  const parent = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
  if (!isMap(parent)) return;
  const pair = (parent as YAMLMap).items.find(({ key }) => keyOf(key) === keys.at(-1));
  if (pair === undefined) return;
  const key = document.createNode(keyOf(pair.key));
  key.commentBefore = ` ${origin}`;
  pair.key = key;
}

function keyOf(key: unknown): unknown {
  return isScalar(key) ? key.value : key;
}

function isEmpty(node: Node | undefined): boolean {
  return (node as { items?: readonly unknown[] } | undefined)?.items?.length === 0;
}
