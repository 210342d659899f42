/** The table of `indexer.pipelines`: how a pipeline is chosen, its steps by kind, and its tests. */
import type { GroupShape, Member, Shape } from './shape.ts';

const text: Shape = { kind: 'text' };
const textList: Shape = { kind: 'list', of: text, countMin: 1 };

function required(name: string, shape: Shape, description: string, example?: unknown): Member {
  return { name, shape, isRequired: true, description, ...(example === undefined ? {} : { example }) };
}

function optional(name: string, description: string, example?: unknown): Member {
  return { name, shape: text, description, ...(example === undefined ? {} : { example }) };
}

const condition = optional('if', 'A query: the step runs only on documents that match it.', 'level:error');
const inputField: Member = { name: 'field', shape: text, default: 'message', description: 'Field to read.' };

function step(name: string, description: string, members: readonly Member[]) {
  return { name, description, members: [...members, condition] };
}

const STEP_SHAPE: Shape = {
  kind: 'union',
  variants: [
    step('json', 'Parses a JSON object into `fields`.', [
      inputField,
      {
        name: 'keepOriginal',
        shape: { kind: 'boolean' },
        default: false,
        description: 'Keep the raw line in `event.original`.',
      },
    ]),
    step('logfmt', 'Parses `name=value` pairs into `fields`.', [inputField]),
    step('regex', 'Takes fields from the named groups of an RE2 expression.', [
      inputField,
      required('pattern', text, 'The expression.', '^(?P<ip>\\S+) (?P<verb>[A-Z]+)'),
    ]),
    step('dissect', "Takes fields from between fixed text, in Logstash's dissect syntax.", [
      inputField,
      required('pattern', text, 'The pattern.', '%{client.ip} [%{time}] %{verb}'),
    ]),
    step('grok', 'Takes fields by named patterns.', [
      inputField,
      required('pattern', text, 'The pattern.', '%{IP:client.ip} %{WORD:verb}'),
      {
        name: 'patterns',
        shape: { kind: 'map' },
        default: {},
        description: 'Patterns of your own, by name.',
      },
    ]),
    step('timestamp', 'Sets `@timestamp` from a field.', [
      required('field', text, 'Field to read.', 'time'),
      {
        name: 'formats',
        shape: textList,
        default: ['rfc3339'],
        example: ['rfc3339', 'unix_ms'],
        description: 'Formats to try, in order.',
      },
      optional('timeZone', 'Zone of stamps that do not name one; without it UTC.', 'Europe/Berlin'),
    ]),
    step('level', 'Sets `log.level`.', [
      optional('field', 'Field to read; without it the usual places are searched.'),
    ]),
    step('rename', 'Gives a field another name.', [
      required('from', text, 'Its name.', 'lvl'),
      required('to', text, 'Its new name.', 'log.level'),
    ]),
    step('remove', 'Removes fields.', [required('fields', textList, 'Their names.', ['password'])]),
    step('set', 'Sets a field.', [
      required('field', text, 'Its name.', 'labels.team'),
      required('value', { kind: 'scalar' }, 'Its value.', 'shop'),
    ]),
    step('drop', 'Drops the document, counted under its reason.', [
      required('reason', text, 'Why, for the count.', 'health checks'),
    ]),
    step('route', 'Stores the document in an index of this name.', [
      required('index', text, 'Name of the index.', 'audit'),
    ]),
  ],
};

const MATCH_MEMBERS: readonly Member[] = [
  optional('source', 'Kind of the source.', 'apps'),
  optional('namespace', 'Glob of the namespace.', 'shop-*'),
  optional('pod', 'Glob of the pod.', 'checkout-*'),
  optional('container', 'Glob of the container.', 'nginx'),
  optional('app', 'Glob of the app.', 'checkout'),
  optional('path', 'Glob of the path of the file.', '/var/log/nginx/*'),
  { name: 'labels', shape: { kind: 'map' }, default: {}, description: 'Globs of labels, by name.' },
];

const TEST_MEMBERS: readonly Member[] = [
  required('name', text, 'What the test shows.'),
  required('input', textList, 'Lines.'),
  required(
    'expect',
    { kind: 'list', of: { kind: 'any' } },
    'For each line the members that its document must have, or `dropped`.',
  ),
];

export const PIPELINE_SHAPE: GroupShape = {
  kind: 'group',
  members: [
    required('name', text, 'Name of the pipeline.', 'nginx'),
    {
      name: 'match',
      shape: { kind: 'group', members: MATCH_MEMBERS },
      default: {},
      description: 'Which documents it takes: globs, and every given one must fit.',
    },
    {
      name: 'steps',
      shape: { kind: 'list', of: STEP_SHAPE },
      default: [],
      description: 'What is done, in order.',
    },
    {
      name: 'tests',
      shape: { kind: 'list', of: { kind: 'group', members: TEST_MEMBERS } },
      default: [],
      description: 'Cases that `logboom test` runs.',
    },
  ],
};
