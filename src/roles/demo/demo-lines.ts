/**
 * What the demo's apps say: one generator per app, fed by a seeded source of randomness, so that lines vary like
 * those of real services do, with JSON, logfmt, access logs, stack traces of three languages, and Unicode.
 */
import type { Random } from './random.ts';

export interface DemoLine {
  readonly stream: 'stdout' | 'stderr';
  /** One or more lines without the last newline. */
  readonly text: string;
}

export type DemoGenerator = (random: Random, timeMs: number) => DemoLine;

const CUSTOMERS = [
  'anna',
  'björn',
  'chloé',
  'dmitri',
  'eszter',
  '福田',
  'giulia',
  'héctor',
  'ifeoma',
  'josé',
];
const PRODUCTS = [
  'espresso grinder',
  'Käsefondue-Set 🫕',
  'notebook A5',
  'お茶セット',
  'desk lamp',
  'Nähgarn',
  'crème brûlée torch',
];
const PATHS = [
  '/',
  '/cart',
  '/cart/items',
  '/checkout',
  '/products/42',
  '/products/87',
  '/search?q=lamp',
  '/healthz',
  '/api/orders',
];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:141.0)',
  'curl/8.14.1',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0)',
  'kube-probe/1.34',
];

/** Services log the ids of requests that passed through others a moment ago: a search for one shows its whole way. */
class Traces {
  readonly #recent: string[] = [];

  begin(random: Random): string {
    const id = hex(random, 32);
    this.#recent.push(id);
    if (this.#recent.length > 20) this.#recent.shift();
    return id;
  }

  join(random: Random): string {
    return this.#recent.length === 0 ? this.begin(random) : random.pick(this.#recent);
  }
}

const traces = new Traces();

/** nginx's combined format, with the request time and a trace id at the end. */
export function ingressLine(random: Random, timeMs: number): DemoLine {
  const status = random.weighted([
    [200, 80],
    [304, 8],
    [201, 4],
    [404, 4],
    [499, 1],
    [502, 1],
    [503, 1],
  ]);
  const address = `${random.integer(11, 220)}.${random.integer(0, 255)}.${random.integer(0, 255)}.${random.integer(1, 254)}`;
  const request = `${random.weighted([
    ['GET', 8],
    ['POST', 2],
  ])} ${random.pick(PATHS)} HTTP/2.0`;
  const seconds = (random.integer(1, status >= 500 ? 9000 : 400) / 1000).toFixed(3);
  const text = `${address} - - [${clfTime(timeMs)}] "${request}" ${status} ${random.integer(120, 48_000)} "-" "${random.pick(AGENTS)}" rt=${seconds} trace=${traces.begin(random)}`;
  return { stream: 'stdout', text };
}

/** JSON with a level, a message and flat fields. */
export function checkoutLine(random: Random, timeMs: number): DemoLine {
  const level = random.weighted([
    ['debug', 10],
    ['info', 75],
    ['warn', 10],
    ['error', 5],
  ]);
  const order = `ord-${random.integer(10_000, 99_999)}`;
  const total = random.integer(490, 25_900) / 100;
  const common = {
    level,
    time: new Date(timeMs).toISOString(),
    service: 'checkout',
    trace_id: traces.join(random),
    order,
  };
  const customer = random.pick(CUSTOMERS);
  const bodies = {
    debug: { msg: `cache ${random.pick(['hit', 'miss'])} for price list`, ttl_s: random.integer(1, 300) },
    info: {
      msg: `order placed by ${customer}: ${random.pick(PRODUCTS)}`,
      customer,
      total,
      currency: 'EUR',
      items: random.integer(1, 7),
      duration_ms: random.integer(8, 180),
    },
    warn: {
      msg: 'payment provider is slow, retrying',
      provider: 'paylane',
      attempt: random.integer(1, 3),
      duration_ms: random.integer(800, 4000),
    },
    error: {
      msg: 'card declined',
      customer,
      total,
      code: random.pick(['insufficient_funds', 'expired_card', 'do_not_honor']),
      retryable: false,
    },
  };
  return {
    stream: level === 'error' ? 'stderr' : 'stdout',
    text: JSON.stringify({ ...common, ...bodies[level] }),
  };
}

/** logfmt, and now and then the whole configuration on many lines. */
export function cartLine(random: Random, timeMs: number): DemoLine {
  if (random.integer(1, 400) === 1) return { stream: 'stdout', text: configDump(random) };
  const level = random.weighted([
    ['debug', 15],
    ['info', 75],
    ['warn', 8],
    ['error', 2],
  ]);
  const what = random.pick([
    'item added',
    'item removed',
    'cart loaded',
    'cart merged after login',
    'coupon applied',
  ]);
  const failure =
    level === 'error' ? ` err="redis: connection reset by peer" shard=${random.integer(0, 3)}` : '';
  const text = `time=${new Date(timeMs).toISOString()} level=${level} msg="${level === 'error' ? 'cannot save cart' : what}" user=${random.pick(CUSTOMERS)} items=${random.integer(0, 9)} dur=${random.integer(1, 60)}ms trace=${traces.join(random)}${failure}`;
  return { stream: level === 'error' ? 'stderr' : 'stdout', text };
}

/** Java with Logback's usual pattern, and stack traces. */
export function ledgerLine(random: Random, timeMs: number): DemoLine {
  const level = random.weighted([
    ['DEBUG', 10],
    ['INFO', 80],
    ['WARN', 7],
    ['ERROR', 3],
  ]);
  const time = new Date(timeMs).toISOString().replace('T', ' ').replace('Z', '').replace('.', ',');
  const thread = `http-nio-8080-exec-${random.integer(1, 12)}`;
  const head = `${time} ${level.padEnd(5)} [${thread}] com.example.payments.${random.pick(['LedgerService', 'AccountRepository', 'SettlementJob'])}`;
  const amount = (random.integer(100, 90_000) / 100).toFixed(2);
  if (level === 'ERROR')
    return { stream: 'stderr', text: `${head} - Cannot post entry of ${amount} EUR\n${javaTrace(random)}` };
  const text =
    level === 'WARN'
      ? `${head} - Pool usage at ${random.integer(80, 99)} % (${random.integer(40, 50)} of 50 connections)`
      : `${head} - Posted ${amount} EUR from acc-${random.integer(100, 999)} to acc-${random.integer(100, 999)} trace=${traces.join(random)}`;
  return { stream: 'stdout', text };
}

function javaTrace(random: Random): string {
  return [
    'java.lang.IllegalStateException: entry is not balanced',
    `\tat com.example.payments.LedgerService.post(LedgerService.java:${random.integer(80, 220)})`,
    `\tat com.example.payments.SettlementJob.settle(SettlementJob.java:${random.integer(30, 90)})`,
    '\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)',
    '\tat java.base/java.lang.Thread.run(Thread.java:1583)',
    `Caused by: org.postgresql.util.PSQLException: ERROR: deadlock detected`,
    `\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)`,
    '\t... 12 more',
  ].join('\n');
}

/** Python's logging module, and tracebacks. */
export function recommenderLine(random: Random, timeMs: number): DemoLine {
  const time = new Date(timeMs).toISOString().replace('T', ' ').replace('Z', '').replace('.', ',');
  if (random.integer(1, 40) === 1) {
    const text = [
      `${time} ERROR recommender.model cannot rank for ${random.pick(CUSTOMERS)}`,
      'Traceback (most recent call last):',
      '  File "/app/recommender/model.py", line 118, in rank',
      '    scores = self.session.run(inputs)',
      '  File "/app/recommender/session.py", line 54, in run',
      '    raise ModelTimeout(self.name, elapsed)',
      `recommender.errors.ModelTimeout: ranker-v${random.integer(3, 6)} took ${random.integer(2, 9)}.${random.integer(0, 9)} s`,
    ].join('\n');
    return { stream: 'stderr', text };
  }
  const level = random.weighted([
    ['INFO', 90],
    ['WARNING', 10],
  ]);
  const what =
    level === 'INFO'
      ? `ranked ${random.integer(20, 400)} products for ${random.pick(CUSTOMERS)} in ${random.integer(3, 45)} ms`
      : `feature store is ${random.integer(2, 40)} s behind`;
  return { stream: 'stderr', text: `${time} ${level} recommender.model ${what}` };
}

/** Go with klog, and a panic now and then. */
export function schedulerLine(random: Random, timeMs: number): DemoLine {
  const date = new Date(timeMs).toISOString();
  const stamp = `${date.slice(5, 7)}${date.slice(8, 10)} ${date.slice(11, 23)}000`;
  const letter = random.weighted([
    ['I', 88],
    ['W', 9],
    ['E', 3],
  ]);
  const source = random.pick(['queue.go:214', 'lease.go:97', 'reconcile.go:331']);
  if (letter === 'E' && random.integer(1, 3) === 1) {
    const text = [
      `panic: runtime error: index out of range [${random.integer(3, 9)}] with length 3 [recovered]`,
      '',
      `goroutine ${random.integer(20, 900)} [running]:`,
      'main.(*Queue).pop(0xc0000b4000)',
      '\t/src/scheduler/queue.go:221 +0x1c5',
      'created by main.main in goroutine 1',
      '\t/src/scheduler/main.go:63 +0x2a4',
    ].join('\n');
    return { stream: 'stderr', text };
  }
  const what = { I: 'Job finished', W: 'Lease renewal is late', E: 'Cannot reconcile job' }[letter];
  const text = `${letter}${stamp}       1 ${source}] "${what}" job="jobs/nightly-${random.integer(1, 60)}" duration="${random.integer(1, 900)}ms"`;
  return { stream: 'stderr', text };
}

function configDump(random: Random): string {
  return [
    'configuration reloaded:',
    '  redis:',
    `    addresses: [redis-0:6379, redis-1:6379]`,
    `    poolSize: ${random.integer(16, 64)}`,
    '  limits:',
    `    itemsMax: ${random.integer(50, 200)}`,
    '  greeting: "Grüß Gott, добрый день, こんにちは"',
  ].join('\n');
}

function clfTime(timeMs: number): string {
  const text = new Date(timeMs).toUTCString();
  return `${text.slice(5, 7)}/${text.slice(8, 11)}/${text.slice(12, 16)}:${text.slice(17, 25)} +0000`;
}

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => random.integer(0, 15).toString(16)).join('');
}
