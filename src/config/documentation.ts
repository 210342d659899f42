/** docs/configuration.md and docs/logboom.schema.json, rendered from the option tables. */
import { environmentNameOf, flagNameOf } from './names.ts';
import { OPTIONS, SECTIONS, sectionOf } from './options.ts';
import { isScalarShape } from './shape.ts';
import type { Member, OptionDefinition, Shape, UnionShape } from './shape.ts';

const INTRODUCTION = `# Configuration

Every option has a default: \`logboom up\` runs without a file. An option can be given as a flag, in the environment,
or in a YAML file (\`--config FILE\`); flags win over the environment, and the environment over the file.
\`logboom check\` prints what is in effect and where each value came from. A key that is no option is an error.
Relative paths in a file begin at the directory of the file, all others at the working directory.

Sizes are written \`512KiB\`, \`64MiB\`, \`2GiB\` (or \`MB\` for powers of ten), durations \`500ms\`, \`10s\`, \`5m\`, \`12h\`,
\`7d\`. Lists in flags and in the environment are YAML: \`--sources '[{ kind: files, paths: ["/var/log/*.log"] }]'\`.
Editors complete the file with [logboom.schema.json](logboom.schema.json):
\`# yaml-language-server: $schema=logboom.schema.json\` as its first line.

This page is generated from the program's table of options.
`;

/** Returns the text of docs/configuration.md. */
export function renderMarkdown(): string {
  const sections = SECTIONS.map(({ name, title, description }) => {
    const options = OPTIONS.filter((option) => sectionOf(option.path) === name);
    return [`## ${title}`, '', description, '', ...options.map(renderOption)].join('\n');
  });
  return `${[INTRODUCTION, ...sections].join('\n')}`.replace(/\n{3,}/g, '\n\n').trimEnd() + '\n';
}

function renderOption(option: OptionDefinition): string {
  const { path, shape, description, example, onlyWhen, since, isSecret } = option;
  const facts = [
    `default: ${option.defaultText ?? codeOf(option.default)}`,
    ...(example === undefined ? [] : [`example: ${codeOf(example)}`]),
    ...(onlyWhen === undefined ? [] : [`only with \`${onlyWhen.path}: ${onlyWhen.is}\``]),
    ...(isSecret === true ? ['secret'] : []),
    `since ${since}`,
  ];
  const lines = [
    `### \`${path}\``,
    '',
    description,
    '',
    `${typeOf(shape)}; ${facts.join('; ')}.`,
    '',
    `\`${flagNameOf(path)}\`, \`${environmentNameOf(path)}\``,
    '',
  ];
  if (shape.kind === 'list' && !isScalarShape(shape.of)) lines.push(...renderNested(shape.of));
  return lines.join('\n');
}

/** Describes the objects that a list is made of. */
function renderNested(shape: Shape): string[] {
  if (shape.kind === 'union') return renderUnion(shape);
  if (shape.kind !== 'group') return [];
  const inner = shape.members.flatMap((member) => {
    const list = member.shape.kind === 'list' ? member.shape.of : member.shape;
    if (isScalarShape(list) || (list.kind !== 'group' && list.kind !== 'union')) return [];
    return [`Members of \`${member.name}\`:`, '', ...renderNested(list)];
  });
  return [...renderMembers(shape.members), '', ...inner];
}

function renderUnion({ variants }: UnionShape): string[] {
  const shared = sharedMembers(variants);
  const lines = variants.flatMap(({ name, description, members }) => {
    const own = members.filter((member) => !shared.includes(member));
    return [
      `**\`kind: ${name}\`**: ${description}`,
      '',
      ...(own.length === 0 ? [] : [...renderMembers(own), '']),
    ];
  });
  const nested = shared.flatMap((member) =>
    member.shape.kind === 'group'
      ? [`Members of \`${member.name}\`:`, '', ...renderMembers(member.shape.members), '']
      : [],
  );
  return [...lines, 'Of every kind:', '', ...renderMembers(shared), '', ...nested];
}

function sharedMembers(variants: UnionShape['variants']): Member[] {
  const [first] = variants;
  return (first?.members ?? []).filter((member) => variants.every(({ members }) => members.includes(member)));
}

function renderMembers(members: readonly Member[]): string[] {
  const rows = members.map(({ name, shape, description, default: value, example, isRequired }) => {
    const standard = isRequired === true ? 'required' : value === undefined ? '' : codeOf(value);
    const shown = example === undefined ? '' : ` Example: ${codeOf(example)}`;
    return `| \`${name}\` | ${typeOf(shape)} | ${standard} | ${description}${shown} |`.replaceAll(
      '||',
      '\\|\\|',
    );
  });
  return ['| member | type | default | |', '| --- | --- | --- | --- |', ...rows];
}

function typeOf(shape: Shape): string {
  switch (shape.kind) {
    case 'choice':
      return shape.values.map((value) => `\`${value}\``).join(', ');
    case 'list':
      return isScalarShape(shape.of) ? `list of ${typeOf(shape.of)}` : 'list of objects';
    case 'map':
      return 'names with values';
    case 'group':
    case 'union':
      return 'object';
    case 'any':
      return 'any value';
    case 'scalar':
      return 'text, number or boolean';
    case 'bytes':
      return 'size';
    case 'integer':
      return `${shape.min} to ${shape.max}`;
    case 'address':
      return '`HOST:PORT`';
    default:
      return shape.kind;
  }
}

function codeOf(value: unknown): string {
  if (value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `\`${text.replaceAll('|', '\\|')}\``;
}

/** Returns the text of docs/logboom.schema.json, in JSON Schema 2020-12. */
export function renderSchema(): string {
  const root: JsonSchema = { type: 'object', additionalProperties: false, properties: {} };
  for (const option of OPTIONS) {
    const keys = option.path.split('.');
    const name = keys.pop() ?? option.path;
    let parent = root;
    for (const key of keys) {
      parent.properties ??= {};
      parent = parent.properties[key] ??= {
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {},
      };
    }
    parent.properties ??= {};
    parent.properties[name] = schemaOfMember({ ...option, name });
  }
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of Logboom',
    ...root,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

interface JsonSchema {
  [key: string]: unknown;
  properties?: Record<string, JsonSchema>;
}

function schemaOfMember({ shape, description, default: value, example, ...member }: Member): JsonSchema {
  const schema = schemaOfShape(shape);
  return {
    description,
    ...(member.isRequired === true ? schema : orNothing(schema)),
    ...(value === undefined ? {} : { default: value }),
    ...(example === undefined ? {} : { examples: [example] }),
    ...(member.isSecret === true ? { writeOnly: true } : {}),
  };
}

/** A key without a value leaves the default. */
function orNothing({ type, ...schema }: JsonSchema): JsonSchema {
  if (typeof type === 'string' || Array.isArray(type)) return { type: [type, 'null'].flat(), ...schema };
  if (Array.isArray(schema['enum'])) return { ...schema, enum: [...(schema['enum'] as unknown[]), null] };
  if (Array.isArray(schema['anyOf'])) return { anyOf: [...(schema['anyOf'] as unknown[]), { type: 'null' }] };
  return schema;
}

function schemaOfShape(shape: Shape): JsonSchema {
  switch (shape.kind) {
    case 'boolean':
      // YAML 1.2 reads the last four as text.
      return { enum: [true, false, 'yes', 'no', 'on', 'off'] };
    case 'integer':
      return { type: 'integer', minimum: shape.min, maximum: shape.max };
    case 'choice':
      // YAML reads true and false as booleans.
      return {
        enum: [...shape.values, ...[true, false].filter((value) => shape.values.includes(String(value)))],
      };
    case 'bytes':
      return { type: ['string', 'integer'], pattern: '^[0-9]+(\\.[0-9]+)? ?([kKMGT]i?)?B?$' };
    case 'duration':
      return { type: ['string', 'integer'], pattern: '^([0-9]+(\\.[0-9]+)?(ms|[smhdw]))+$' };
    case 'address':
      return { type: 'string', pattern: ':[0-9]{1,5}$' };
    case 'url':
      return { type: 'string', pattern: '^https?://' };
    case 'scalar':
      return { type: ['string', 'number', 'boolean'] };
    case 'text':
    case 'path':
      return { type: ['string', 'number', 'boolean'] };
    case 'list':
      return schemaOfList(shape.of, shape.countMin ?? 0);
    case 'map':
      return { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } };
    case 'group':
      return schemaOfMembers(shape.members);
    case 'union':
      return { oneOf: shape.variants.map(schemaOfVariant) };
    case 'any':
      return {};
  }
}

function schemaOfList(of: Shape, countMin: number): JsonSchema {
  const items = schemaOfShape(of);
  const list = { type: 'array', items, ...(countMin > 0 ? { minItems: countMin } : {}) };
  // One value stands for a list of one.
  return isScalarShape(of) ? { anyOf: [list, items] } : list;
}

function schemaOfMembers(members: readonly Member[]): JsonSchema {
  const required = members.filter(({ isRequired }) => isRequired === true).map(({ name }) => name);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(members.map((member) => [member.name, schemaOfMember(member)])),
    ...(required.length === 0 ? {} : { required }),
  };
}

function schemaOfVariant({ name, description, members }: UnionShape['variants'][number]): JsonSchema {
  const schema = schemaOfMembers(members);
  return {
    ...schema,
    description,
    properties: { kind: { const: name }, ...schema.properties },
    required: ['kind', ...((schema['required'] as string[] | undefined) ?? [])],
  };
}
