/** The table of `sources`: one variant per kind, and what all of them share. */
import type { Member, UnionShape } from './shape.ts';
import { MULTILINE_LANGUAGES } from './source-config.ts';

const MULTILINE_MEMBERS: readonly Member[] = [
  {
    name: 'mode',
    shape: { kind: 'choice', values: ['stack-traces', 'custom', 'off'] },
    default: 'stack-traces',
    description: 'stack-traces joins traces that it recognises; custom joins by start or continue.',
  },
  {
    name: 'languages',
    shape: { kind: 'list', of: { kind: 'choice', values: MULTILINE_LANGUAGES } },
    default: [...MULTILINE_LANGUAGES],
    description: 'Whose stack traces are recognised.',
  },
  {
    name: 'start',
    shape: { kind: 'text' },
    example: '^\\d{4}-',
    description: 'RE2 expression of a line that begins a record, for custom.',
  },
  {
    name: 'continue',
    shape: { kind: 'text' },
    example: '^\\s',
    description: 'RE2 expression of a line that belongs to the record before it, for custom.',
  },
  {
    name: 'linesMax',
    shape: { kind: 'integer', min: 2, max: 100_000 },
    default: 1000,
    description: 'Most lines of one record.',
  },
  {
    name: 'bytesMax',
    shape: { kind: 'bytes', min: 1024, max: 16 * 2 ** 20 },
    default: '1MiB',
    description: 'Most bytes of one record.',
  },
  {
    name: 'flushMs',
    shape: { kind: 'duration', min: 10, max: 600_000 },
    default: '1s',
    description: 'Patience for the next line of a record.',
  },
];

const COMMON_MEMBERS: readonly Member[] = [
  {
    name: 'exclude',
    shape: { kind: 'list', of: { kind: 'text' } },
    default: [],
    example: ['**/debug-*.log'],
    description: 'Globs of paths that are not collected.',
  },
  {
    name: 'format',
    shape: { kind: 'choice', values: ['auto', 'cri', 'docker', 's6', 'plain'] },
    default: 'auto',
    description: 'Framing of the lines; auto recognises CRI and Docker lines one by one.',
  },
  {
    name: 'history',
    shape: { kind: 'choice', values: ['all', 'plain', 'none'] },
    default: 'all',
    description: 'What was rotated before the first start: everything, only uncompressed files, or nothing.',
  },
  {
    name: 'encoding',
    shape: { kind: 'choice', values: ['auto', 'utf-8', 'utf-16le', 'utf-16be', 'latin1'] },
    default: 'auto',
    description: 'auto is UTF-8, or UTF-16 where a byte order mark says so.',
  },
  {
    name: 'multiline',
    shape: { kind: 'group', members: MULTILINE_MEMBERS },
    default: {},
    description: 'Which lines are joined into one record.',
  },
  {
    name: 'fields',
    shape: { kind: 'map' },
    default: {},
    example: { team: 'shop' },
    description: 'Labels that are added to every document of the source, under `labels`.',
  },
  {
    name: 'timeZone',
    shape: { kind: 'text' },
    example: 'Europe/Berlin',
    description: "Zone of s6-log's T stamps; without it the agent's.",
  },
  {
    name: 'taiOffsetSeconds',
    shape: { kind: 'integer', min: 0, max: 100 },
    example: 10,
    description: 'Seconds between TAI64N labels and Unix time; without it found out per directory.',
  },
  {
    name: 's6LineBytesMax',
    shape: { kind: 'integer', min: 0, max: 1_073_741_824 },
    default: 8192,
    description:
      'The -l of s6-log, which splits longer lines: what it split is joined again. 0: it splits none.',
  },
];

function treeMembers(root: string): readonly Member[] {
  return [{ name: 'root', shape: { kind: 'path' }, default: root, description: 'Where the tree begins.' }];
}

/** Roots of the trees that are collected by default where they exist. */
export const DEFAULT_ROOTS = {
  apps: '/data/logs',
  pods: '/var/log/pods',
  docker: '/var/lib/docker/containers',
} as const;

export const SOURCE_SHAPE: UnionShape = {
  kind: 'union',
  variants: [
    {
      name: 'apps',
      description: 'Files and s6-log directories in `<namespace>/<app>/<pod>/log/`.',
      members: [
        ...treeMembers(DEFAULT_ROOTS.apps),
        {
          name: 'include',
          shape: { kind: 'list', of: { kind: 'text' } },
          default: ['*.log'],
          description: 'Names of files below `log/`; their rotated names are followed too.',
        },
        {
          name: 'removeAfter',
          shape: { kind: 'duration', min: 60_000 },
          example: '7d',
          description:
            'The directory of a pod in which nothing was written for so long, all of it acknowledged and none of it open for writing, is removed. Longer than any pod may be silent. Without it directories of deleted pods stay.',
        },
        ...COMMON_MEMBERS,
      ],
    },
    {
      name: 'pods',
      description: "Kubernetes' own tree of container logs (CRI).",
      members: [...treeMembers(DEFAULT_ROOTS.pods), ...COMMON_MEMBERS],
    },
    {
      name: 'docker',
      description: "Docker's json-file logs, with the names in `config.v2.json`.",
      members: [...treeMembers(DEFAULT_ROOTS.docker), ...COMMON_MEMBERS],
    },
    {
      name: 'files',
      description: 'Files by glob.',
      members: [
        {
          name: 'paths',
          shape: { kind: 'list', of: { kind: 'path' }, countMin: 1 },
          isRequired: true,
          example: ['/var/log/nginx/*.log'],
          description: 'Globs of files.',
        },
        {
          name: 'template',
          shape: { kind: 'text' },
          example: '/srv/{kubernetes.namespace}/{service.name}.log',
          description: 'A path whose `{name}` pieces name fields of the document.',
        },
        ...COMMON_MEMBERS,
      ],
    },
  ],
};
