/** The table of `rotate`, and what its policies and budgets must not say together. */
import { cronProblem } from './cron.ts';
import type { RotateBudgetConfig, RotateMatch, RotatePolicyConfig } from './rotate-config.ts';
import type { GroupShape, Member, OptionDefinition, Shape } from './shape.ts';
import type { Problem } from './value-reader.ts';

const MIB = 2 ** 20;
const SIZE_BYTES_DEFAULT = 256 * MIB;
const text: Shape = { kind: 'text' };

/** Any moment will do: an expression that never comes never comes after it. */
const CRON_PROBE_MS = 1_767_225_600_000;

function glob(name: string, description: string, example: string): Member {
  return { name, shape: text, description, example };
}

const MATCH_MEMBERS: readonly Member[] = [
  glob('source', 'Kind of the source: apps or files.', 'apps'),
  glob('namespace', 'Glob of the namespace.', 'shop-*'),
  glob('app', 'Glob of the app.', 'checkout'),
  glob('pod', 'Glob of the pod.', 'checkout-*'),
  glob('container', 'Glob of the container.', 'nginx'),
  glob('path', 'Glob of the path of the active file, such as `**/access.log`.', '/var/log/nginx/*.log'),
  {
    name: 'labels',
    shape: { kind: 'map' },
    default: {},
    description:
      "Globs of the pod's labels, by their name in Kubernetes, and of the source's `fields`, which win where both have the name. Labels take an agent that watches pods (kubernetes.enabled).",
    example: { app: 'web', tier: 'front*' },
  },
  {
    name: 'annotations',
    shape: { kind: 'map' },
    default: {},
    description: "Globs of the pod's annotations, by name, where they have up to 1,024 characters.",
  },
];

const KEEP_MEMBERS: readonly Member[] = [
  {
    name: 'keep',
    shape: { kind: 'integer', min: 0, max: 100_000 },
    description:
      'Rotated files that stay, the newest ones. Without it 5; of s6-log directories all that s6-log leaves.',
    example: 5,
  },
  {
    name: 'keepBytes',
    shape: { kind: 'bytes', min: 0 },
    description: 'Bytes on disk of rotated files that stay, the newest ones.',
    example: '2GiB',
  },
  {
    name: 'keepAge',
    shape: { kind: 'duration', min: 0 },
    description: 'How long rotated files stay.',
    example: '14d',
  },
  {
    name: 'idleAge',
    shape: { kind: 'duration', min: 1000 },
    description:
      'Files that nobody has written for so long, and that no process has open for writing, are removed once they are acknowledged. Without it they stay.',
    example: '30d',
  },
  {
    name: 'compress',
    shape: { kind: 'choice', values: ['none', 'gzip', 'zstd'] },
    default: 'none',
    description: 'How rotated files are compressed, once they are acknowledged.',
  },
];

const WRITER_MEMBERS: readonly Member[] = [
  {
    name: 'copytruncate',
    shape: { kind: 'boolean' },
    default: false,
    description:
      'logrotate copies the file and truncates it. What is written between the two is lost: for writers that can do nothing else.',
  },
  {
    name: 'postrotate',
    shape: text,
    description: 'Shell command after a rotation that makes the writer open its file again.',
    example: 'systemctl reload nginx',
  },
  {
    name: 'signal',
    shape: { kind: 'choice', values: ['HUP', 'USR1', 'USR2'] },
    description: 'Signal to the process of pidFile, for the same purpose.',
  },
  {
    name: 'pidFile',
    shape: { kind: 'path' },
    description: 'File with the process id of the writer.',
    example: '/run/nginx.pid',
  },
  {
    name: 'su',
    shape: text,
    description: 'User and group that logrotate and postrotate run as.',
    example: 'www-data www-data',
  },
  {
    name: 'missingok',
    shape: { kind: 'boolean' },
    default: true,
    description: 'A file that is gone is no error.',
  },
  {
    name: 'notifempty',
    shape: { kind: 'boolean' },
    default: true,
    description: 'Empty files are left alone.',
  },
];

const POLICY_SHAPE: GroupShape = {
  kind: 'group',
  members: [
    {
      name: 'match',
      shape: { kind: 'group', members: MATCH_MEMBERS },
      default: {},
      description: 'Which files: globs, and every given one must fit. The first policy that fits is taken.',
    },
    {
      name: 'method',
      shape: { kind: 'choice', values: ['punch', 'rename', 'logrotate', 'none'] },
      default: 'punch',
      description:
        'punch frees acknowledged bytes inside the growing file, and the writer need not know; rename is for writers that open their file again; logrotate runs the program of that name; none leaves the files alone.',
    },
    {
      name: 'size',
      shape: { kind: 'bytes', min: 4096 },
      default: '256MiB',
      description: 'Bytes on disk from which a file is rotated.',
    },
    {
      name: 'age',
      shape: { kind: 'duration', min: 1000 },
      description: 'Age from which a file is rotated, whatever its size.',
      example: '1d',
    },
    {
      name: 'schedule',
      shape: text,
      description:
        'Cron expression of five or six fields: active files are rotated only then. Without it all the time, and by logrotate every minute.',
      example: '*/10 * * * *',
    },
    {
      name: 'timeZone',
      shape: text,
      description: "Zone of the schedule. Without it the machine's.",
      example: 'Europe/Berlin',
    },
    ...KEEP_MEMBERS,
    ...WRITER_MEMBERS,
    {
      name: 'overBudget',
      shape: { kind: 'choice', values: ['hold', 'drop'] },
      default: 'hold',
      description:
        'What happens when a budget is exceeded by bytes that are not acknowledged: hold lets the disk fill and raises the alarm; drop gives up the oldest bytes, and a gap record stands in their place.',
    },
  ],
};

function budget(name: string, whose: string): OptionDefinition {
  return {
    path: `rotateBudget.${name}`,
    shape: { kind: 'bytes', min: MIB },
    defaultText: 'no limit',
    example: '10GiB',
    description: `Bytes on disk of the followed files of ${whose}, rotated ones included, that rotation may touch. Beyond it acknowledged bytes are freed whatever the policies keep.`,
    since: '0.1.0',
  };
}

export const ROTATE_OPTIONS: readonly OptionDefinition[] = [
  {
    path: 'rotate',
    shape: { kind: 'list', of: POLICY_SHAPE },
    default: [],
    defaultText: 'punch at 256MiB for plain files of the apps tree',
    example: [{ match: { app: 'checkout' }, method: 'punch', size: '64MiB' }],
    description:
      "What becomes of log files, by policies of which the first that fits is taken. Nothing that is not acknowledged is freed. The files of Kubernetes (source pods) and Docker are their runtime's and never touched.",
    since: '0.1.0',
  },
  budget('nodeBytesMax', 'the whole node'),
  budget('namespaceBytesMax', 'one namespace'),
  budget('podBytesMax', 'one pod'),
];

/** What holds for plain files of the apps tree that no policy fits. */
export const DEFAULT_POLICY: RotatePolicyConfig = {
  match: {
    source: 'apps',
    namespace: undefined,
    app: undefined,
    pod: undefined,
    container: undefined,
    path: undefined,
    labels: {},
    annotations: {},
  },
  method: 'punch',
  size: SIZE_BYTES_DEFAULT,
  age: undefined,
  schedule: undefined,
  timeZone: undefined,
  keep: undefined,
  keepBytes: undefined,
  keepAge: undefined,
  idleAge: undefined,
  compress: 'none',
  su: undefined,
  missingok: true,
  notifempty: true,
  copytruncate: false,
  postrotate: undefined,
  signal: undefined,
  pidFile: undefined,
  overBudget: 'hold',
};

/** Adds what policies that are right one by one contradict, in themselves and one another. */
export function checkPolicies(policies: readonly RotatePolicyConfig[], problems: Problem[]): void {
  for (const [index, policy] of policies.entries()) {
    const report: Report = (member, message, hint) => {
      problems.push({ name: `rotate[${index}].${member}`, where: undefined, message, hint });
    };
    if (policy.su !== undefined && parseSu(policy.su) === undefined) {
      const given = JSON.stringify(policy.su);
      report('su', `got ${given}, expected a user and a group, such as "www-data www-data"`);
    }
    checkWriter(policy, report);
    checkSchedule(policy, report);
  }
  checkReachable(policies, problems);
}

/** Splits `user group`; undefined when it is something else. */
export function parseSu(su: string): { readonly user: string; readonly group: string } | undefined {
  const [user, group, ...more] = su.split(/[\s:]+/).filter((name) => name !== '');
  return user === undefined || group === undefined || more.length > 0 ? undefined : { user, group };
}

type Report = (member: string, message: string, hint?: string) => void;

/** What a writer is told, and how, has to fit the method. */
function checkWriter(policy: RotatePolicyConfig, report: Report): void {
  const { method } = policy;
  if (policy.copytruncate && method !== 'logrotate') {
    const hint =
      'punch frees the same bytes and loses nothing; with method: logrotate the file is copied and truncated.';
    report('copytruncate', `counts only with method: logrotate, and the method is ${method}`, hint);
  }
  const isTold = policy.postrotate !== undefined || policy.signal !== undefined;
  if (isTold && method !== 'rename' && method !== 'logrotate') {
    const member = policy.postrotate === undefined ? 'signal' : 'postrotate';
    report(member, `counts only with method: rename or logrotate, and the method is ${method}`);
  }
  if (policy.su !== undefined && method !== 'logrotate' && policy.postrotate === undefined) {
    report('su', 'counts only with method: logrotate, or with postrotate');
  }
  if (policy.copytruncate && isTold) {
    report('copytruncate', 'and postrotate or signal contradict each other', 'Keep one of them.');
  }
  if ((policy.signal === undefined) !== (policy.pidFile === undefined)) {
    report(policy.signal === undefined ? 'signal' : 'pidFile', 'is missing: signal and pidFile go together');
  }
  if (policy.postrotate?.includes('\n') === true && /^\s*endscript\s*$/m.test(policy.postrotate)) {
    report('postrotate', 'has a line endscript, which would end the script in a logrotate configuration');
  }
}

function checkSchedule({ schedule, timeZone }: RotatePolicyConfig, report: Report): void {
  if (schedule === undefined) {
    if (timeZone !== undefined) report('timeZone', 'counts only with schedule');
    return;
  }
  const problem = cronProblem(schedule, undefined, CRON_PROBE_MS);
  if (problem !== undefined) report('schedule', problem);
  else if (cronProblem(schedule, timeZone, CRON_PROBE_MS) !== undefined) {
    report('timeZone', `got ${JSON.stringify(timeZone)}, expected a time zone, such as "Europe/Berlin"`);
  }
}

/** A policy behind one that takes everything it could match contradicts that one. */
function checkReachable(policies: readonly RotatePolicyConfig[], problems: Problem[]): void {
  for (const [index, policy] of policies.entries()) {
    const earlier = policies.slice(0, index).findIndex((other) => isWider(other.match, policy.match));
    if (earlier < 0) continue;
    problems.push({
      name: `rotate[${index}].match`,
      where: undefined,
      message: `is never reached: rotate[${earlier}] takes everything that it fits`,
      hint: 'The first policy that fits is taken: put the narrower one first, or remove one.',
    });
  }
}

function isWider(wide: RotateMatch, narrow: RotateMatch): boolean {
  const { labels: wideLabels, annotations: wideNotes, ...wideGlobs } = wide;
  const { labels: narrowLabels, annotations: narrowNotes, ...narrowGlobs } = narrow;
  const givesWay = ([name, pattern]: [string, string | undefined], other: string | undefined): boolean => {
    if (pattern === undefined || pattern === other) return true;
    return other !== undefined && (pattern === '**' || (pattern === '*' && name !== 'path'));
  };
  const globs: readonly [string, string | undefined][] = Object.entries(wideGlobs);
  const narrowByName: Readonly<Record<string, string | undefined>> = narrowGlobs;
  return (
    globs.every((entry) => givesWay(entry, narrowByName[entry[0]])) &&
    Object.entries(wideLabels).every((entry) => givesWay(entry, narrowLabels[entry[0]])) &&
    Object.entries(wideNotes).every((entry) => givesWay(entry, narrowNotes[entry[0]]))
  );
}

/** Adds what budgets say that cannot hold together. */
export function checkBudget(limits: RotateBudgetConfig, problems: Problem[]): void {
  const chain = [
    ['podBytesMax', limits.podBytesMax],
    ['namespaceBytesMax', limits.namespaceBytesMax],
    ['nodeBytesMax', limits.nodeBytesMax],
  ] as const;
  for (const [index, [inner, innerBytes]] of chain.entries()) {
    for (const [outer, outerBytes] of chain.slice(index + 1)) {
      if (innerBytes === undefined || outerBytes === undefined || innerBytes <= outerBytes) continue;
      problems.push({
        name: `rotateBudget.${inner}`,
        where: undefined,
        message: `is more than rotateBudget.${outer}`,
        hint: `Lower it, or raise rotateBudget.${outer}.`,
      });
    }
  }
}
