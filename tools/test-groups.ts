/**
 * Which tests run when. A group's processes run `concurrency` at a time, each with one file or a few. Groups run one
 * after the other, the fast ones first, so that a mistake shows early; those of the same stage run at the same time.
 */
export interface TestGroup {
  readonly name: string;
  /** Paths that belong to it, relative to the repository, `/` between the pieces. */
  readonly includes: (path: string) => boolean;
  readonly concurrency: number;
  /** Groups with the same number run beside each other, lower numbers before. */
  readonly stage: number;
  /** Whether files that touch nothing of the whole process may share one; see `test-batches.ts`. */
  readonly isShared: boolean;
  /** A test, or a process, that takes longer is broken: none may hang the run. */
  readonly timeoutMs: number;
  /** Whether what the tests print is shown as it comes; otherwise only that of a file with a failure is. */
  readonly isVerbose: boolean;
}

export const SUITES = ['quick', 'full', 'long'] as const;

export type Suite = (typeof SUITES)[number];

const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);

/** Those that start Kafka, OpenSearch or Elasticsearch: two at a time would want more memory than a small machine has. */
const isOfServices = (path: string): boolean =>
  /^test\/e2e\/(?:cluster|elasticsearch|engine|kafka)/.test(path);

const REAL_PROCESSES = { concurrency: 1, stage: 3, isShared: false, timeoutMs: 1_800_000, isVerbose: true };

const GROUPS: readonly TestGroup[] = [
  {
    name: 'checks and unit tests',
    includes: (path) => path.startsWith('src/') || path.startsWith('tools/') || path.startsWith('bench/'),
    // One more than the cores of a small machine: some tests wait for real time.
    concurrency: 3,
    stage: 1,
    isShared: true,
    timeoutMs: 300_000,
    isVerbose: false,
  },
  {
    name: 'scenarios and simulation',
    includes: (path) => path.startsWith('test/') && !path.startsWith('test/e2e/'),
    concurrency: 2,
    stage: 2,
    isShared: false,
    timeoutMs: 600_000,
    isVerbose: false,
  },
  // Either group waits about as long as it computes: together they take little longer than the longer one of them.
  {
    name: 'real processes with real services',
    includes: (path) => path.startsWith('test/e2e/') && isOfServices(path),
    ...REAL_PROCESSES,
  },
  {
    name: 'real processes',
    includes: (path) => path.startsWith('test/e2e/') && !isOfServices(path),
    ...REAL_PROCESSES,
  },
];

/** What `test:long` changes in the environment of the tests, unless the caller has set it. */
export const LONG_ENVIRONMENT: Readonly<Record<string, string>> = {
  LOGBOOM_E2E_KILLS: '200',
  LOGBOOM_E2E_FAULTS: '100',
  LOGBOOM_E2E_LEADERS: '12',
  LOGBOOM_E2E_KUBERNETES: '1',
  LOGBOOM_ROTATE_KILLS: '12',
  LOGBOOM_ROTATE_SECONDS: '120',
  LOGBOOM_ROTATE_RATE: '33',
  LOGBOOM_ROTATE_BURST: '20000',
  LOGBOOM_CASES: '100000',
  LOGBOOM_ENGINES: 'all',
  LOGBOOM_IMAGE_BUILD: '1',
  LOGBOOM_LOGROTATE_WALK: '1',
};

/** So many times more may a test take there: a hundred thousand cases, two hundred kills. */
const LONG_TIMES = 6;

export interface PlannedGroup extends TestGroup {
  readonly files: readonly string[];
}

/** Returns the groups of a suite with their files, sorted; `filters` keeps paths that contain one of them. */
export function planTests(
  suite: Suite,
  paths: readonly string[],
  filters: readonly string[],
): PlannedGroup[] {
  const wanted = paths.filter(
    (path) => isTest(path) && (filters.length === 0 || filters.some((filter) => path.includes(filter))),
  );
  const times = suite === 'long' ? LONG_TIMES : 1;
  const groups =
    suite === 'quick' && filters.length === 0 ? GROUPS.filter(({ stage }) => stage === 1) : GROUPS;
  return groups
    .map((group) => ({
      ...group,
      timeoutMs: times * group.timeoutMs,
      files: wanted.filter(group.includes).toSorted(longestFirst),
    }))
    .filter((group) => group.files.length > 0);
}

/** Returns the groups of a plan that run beside each other, stage by stage. */
export function stagesOf(plan: readonly PlannedGroup[]): PlannedGroup[][] {
  const byStage = Map.groupBy(plan, ({ stage }) => stage);
  return [...byStage].toSorted(([left], [right]) => left - right).map(([, groups]) => groups);
}

/** Those that take longest, the longest first: begun last, they would keep one core waiting for the other. */
const LONG_TESTS: readonly string[] = ['tools/gates.test.ts', 'src/agent/tail/tailer.prop.test.ts'];

function longestFirst(left: string, right: string): number {
  const rank = (path: string): number =>
    LONG_TESTS.includes(path) ? LONG_TESTS.indexOf(path) : LONG_TESTS.length;
  return rank(left) - rank(right) || (left < right ? -1 : 1);
}
