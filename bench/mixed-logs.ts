/**
 * Realistic log lines for benchmarks, the same for the same seed: half JSON, half text, with the things that make
 * real logs hard to compress (request ids, trace ids, addresses, durations), several services at once.
 */
import { createRandom } from '../src/base/prng.ts';

export interface MixedLine {
  /** Index of the pod that wrote it, below `POD_COUNT`. */
  readonly pod: number;
  readonly text: string;
  readonly level: string;
  /** What the JSON pipeline makes of the line; undefined for text. */
  readonly fields: Record<string, unknown> | undefined;
  readonly message: string;
}

export const POD_COUNT = 24;
const APPS = ['checkout', 'payments', 'catalog', 'gateway', 'auth', 'search'] as const;
const LEVELS = ['info', 'info', 'info', 'info', 'info', 'debug', 'debug', 'warn', 'error'] as const;
const VERBS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'] as const;
const ROUTES = [
  '/api/orders',
  '/api/orders/{id}/items',
  '/cart',
  '/healthz',
  '/login',
  '/search?q=',
  '/v2/payments',
] as const;
const STATUS = [200, 200, 200, 200, 201, 204, 301, 304, 400, 404, 500, 503] as const;
const WORDS =
  'order payment cache user session token refused timeout retry upstream connection pool worker job queue committed stored loaded missing shard replica'.split(
    ' ',
  );

/** The app of a pod. */
export function appOf(pod: number): string {
  return APPS[pod % APPS.length] ?? 'app';
}

/** Makes endless lines; `nowNs` of line `n` is the caller's business. */
export function createMixedLines(seed: number): () => MixedLine {
  const random = createRandom(seed);
  const integer = (below: number): number => Math.floor(random() * below);
  const pick = <T>(values: readonly T[]): T => values[integer(values.length)] as T;
  const hex = (digits: number): string => {
    let text = '';
    while (text.length < digits)
      text += Math.floor(random() * 0x100000000)
        .toString(16)
        .padStart(8, '0');
    return text.slice(0, digits);
  };
  const address = (): string => `10.${integer(8)}.${integer(256)}.${integer(256)}`;
  const sentence = (): string =>
    `${pick(WORDS)} ${pick(WORDS)} ${integer(100000)} ${pick(WORDS)} in ${integer(2000)}ms`;
  return () => {
    const pod = integer(POD_COUNT);
    const level = pick(LEVELS);
    if (pod % 2 === 0) {
      const message = sentence();
      const fields: Record<string, unknown> = {
        logger: `com.example.${appOf(pod)}.${pick(WORDS)}`,
        trace_id: hex(32),
        status: pick(STATUS),
        duration_ms: Math.round(random() * 100000) / 100,
        user_id: 10000 + integer(50000),
      };
      if (random() < 0.4) fields['client'] = { ip: address(), port: 1024 + integer(60000) };
      if (random() < 0.3) fields['path'] = pick(ROUTES) + hex(6);
      return { pod, level, message, fields, text: JSON.stringify({ level, msg: message, ...fields }) };
    }
    const kind = integer(3);
    const text =
      kind === 0
        ? `${address()} - - [23/Nov/2026:04:${10 + integer(49)}:${10 + integer(49)} +0000] "${pick(VERBS)} ${pick(ROUTES)}${hex(8)} HTTP/1.1" ${pick(STATUS)} ${integer(90000)} "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)" ${random().toFixed(3)}`
        : kind === 1
          ? `${level.toUpperCase()} [worker-${integer(32)}] com.example.${appOf(pod)}.Handler - request ${hex(16)} ${sentence()} from ${address()}:${integer(65536)}`
          : `level=${level} ts=2026-11-23T04:${10 + integer(49)}:${10 + integer(49)}.${integer(1000)}Z caller=store.go:${integer(900)} msg="${sentence()}" id=${hex(12)}-${hex(4)} bytes=${integer(1000000)}`;
    return { pod, level, message: text, fields: undefined, text };
  };
}
