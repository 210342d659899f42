/** The shapes of requests and answers, as the generated `/openapi.json` shows them. */
// Adds `summary` and `produces` to the type of schemas.
import type {} from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import {
  AUDIT_WAIT_MS_MAX,
  BUCKETS_DEFAULT,
  BUCKETS_MAX,
  LETTERS_LIMIT_MAX,
  SEARCH_LIMIT_DEFAULT,
  SEARCH_LIMIT_MAX,
  START_DEFAULT,
} from './api-types.ts';

const TIME = 'RFC 3339, a date, or now-15m (units s m h d w).';

const query = z
  .string()
  .default('')
  .describe('What to look for; see docs/formats/query.md. Empty: everything.');
const start = z.string().optional().describe(`Inclusive. ${TIME} Default: ${START_DEFAULT}.`);
const end = z.string().optional().describe(`Exclusive. ${TIME} Default: now.`);

export const SearchParameters = z.strictObject({
  query,
  start,
  end,
  limit: z.coerce.number().int().min(1).max(SEARCH_LIMIT_MAX).default(SEARCH_LIMIT_DEFAULT),
  order: z.enum(['asc', 'desc']).default('desc').describe('By time, then file, then offset.'),
  cursor: z.string().optional().describe('Of the page before, with the same query, start, end and order.'),
});

export const ExportParameters = z.strictObject({
  query,
  start: z.string().optional().describe(`Inclusive. ${TIME} Default: the oldest record.`),
  end: z.string().optional().describe(`Exclusive. ${TIME} Default: the newest record.`),
  format: z.enum(['ndjson', 'csv', 'parquet']).default('ndjson'),
});

export const TailParameters = z.strictObject({ query });

export const HistogramParameters = z.strictObject({
  query,
  start,
  end,
  buckets: z.coerce.number().int().min(1).max(BUCKETS_MAX).default(BUCKETS_DEFAULT),
  by: z.string().min(1).max(500).optional().describe('A field that splits the counts, such as level.'),
});

export const AuditParameters = z.strictObject({
  waitMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(AUDIT_WAIT_MS_MAX)
    .default(0)
    .describe('How long to look again until what was written at the beginning is acknowledged.'),
});

const LetterFilter = {
  type: z.string().max(500).optional().describe('Of the error.'),
  index: z.string().max(500).optional().describe('Empty: letters without one.'),
  group: z.string().max(500).optional().describe('Id of a group.'),
  query: z.string().optional().describe('What the documents match as they were delivered.'),
};

export const DeadLetterListParameters = z.strictObject({
  ...LetterFilter,
  limit: z.coerce.number().int().min(1).max(LETTERS_LIMIT_MAX).default(SEARCH_LIMIT_DEFAULT),
  cursor: z.string().max(1_000).optional().describe('Of the page before, with the same selection.'),
});

export const DeadLetterParameters = z.strictObject({ id: z.string().max(500) });

export const DeadLetterSelectionBody = z.strictObject({
  ...LetterFilter,
  ids: z.array(z.string().max(500)).max(1_000).optional(),
  all: z.boolean().optional().describe('Every letter, when nothing else is given.'),
});

export const ReplayBody = z.strictObject({
  ...DeadLetterSelectionBody.shape,
  isDryRun: z.boolean().default(false).describe('Run the pipelines only.'),
});

export const ForgetBody = z.strictObject({
  node: z.string().min(1).max(4_096).describe('Whose agents are silent for good.'),
});

export const LoginBody = z.strictObject({ token: z.string().max(10_000) });

const Verdict = z.enum(['accounted', 'discrepancy', 'unknown']);

const figures = {
  files: z.number(),
  bytesWritten: z.number(),
  records: z.number(),
  lagBytes: z.number(),
  unfinishedBytes: z.number(),
  missing: z.number(),
  twice: z.number(),
  droppedByPipeline: z.number(),
  deadLettered: z.number(),
  expired: z.number(),
  expiredEarly: z.number(),
  droppedBytes: z.record(z.string(), z.number()),
  flaws: z.record(z.string(), z.number()),
  possibleLoss: z.number(),
  possibleLossBytes: z.number(),
  possibleLossUnsized: z.number(),
};

const name = z.string().nullable();

const letter = {
  id: z.string(),
  time: z.string(),
  group: z.string(),
  index: name,
  error: z.object({ type: z.string(), reason: z.string() }),
  attempts: z.number(),
  fileId: z.string(),
  offset: z.number(),
  source: z.object({ topic: z.string(), partition: z.number(), offset: z.string() }).nullable(),
};

const Agent = z.object({
  node: z.string(),
  cluster: z.string(),
  version: z.string(),
  state: z.enum(['running', 'silent', 'stopped', 'gone']),
  saidAt: z.string(),
  files: z.number(),
  unreadBytes: z.number(),
  unacknowledgedBytes: z.number(),
  oldestUnread: name,
  unreadable: z.number(),
  firstUnreadable: name,
});

const answers = {
  deadLetters: z.object({
    letters: z.number(),
    discarded: z.number(),
    groups: z.array(
      z.object({
        id: name,
        type: z.string(),
        index: name,
        reason: z.string(),
        count: z.number(),
        first: z.string(),
        last: z.string(),
        example: z.object({ id: z.string(), reason: z.string() }),
      }),
    ),
  }),
  deadLetterList: z.object({ letters: z.array(z.object(letter)), matched: z.number(), cursor: name }),
  deadLetter: z.object({ ...letter, document: z.string() }),
  discard: z.object({ discarded: z.number() }),
  forget: z.object({ forgotten: z.number() }),
  search: z.object({ records: z.array(z.looseObject({})), cursor: z.string().nullable() }),
  histogram: z.object({
    buckets: z.array(
      z.object({ time: z.string(), count: z.number(), by: z.record(z.string(), z.number()).optional() }),
    ),
  }),
  stats: z.object({
    version: z.string(),
    uptimeSeconds: z.number(),
    records: z.number(),
    bytesOnDisk: z.number(),
    oldest: name,
    newest: name,
    namespaces: z.array(z.object({ namespace: z.string(), records: z.number() })),
    quarantined: z.array(z.object({ path: z.string(), reason: z.string() })),
    tails: z.number(),
    agents: z.array(Agent),
  }),
  audit: z.object({
    verdict: Verdict,
    ...figures,
    rows: z.array(z.object({ namespace: name, pod: name, container: name, ...figures, verdict: Verdict })),
    withoutAgent: z.object({
      files: z.number(),
      records: z.number(),
      droppedByPipeline: z.number(),
      deadLettered: z.number(),
      expired: z.number(),
    }),
    toldAt: z.string().nullable(),
    agents: z.object({ running: z.number(), silent: z.array(Agent), stopped: z.array(Agent) }),
    problems: z.array(z.object({ fileId: z.string(), path: name, verdict: Verdict, reason: z.string() })),
    problemCount: z.number(),
  }),
  sources: z.object({
    sources: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        place: z.string(),
        state: z.enum(['collecting', 'waiting', 'failed']),
        reason: z.string().optional(),
        files: z.number(),
        lagBytes: z.number(),
      }),
    ),
  }),
  import: z.object({ accepted: z.number() }),
  login: z.object({ ok: z.boolean() }),
  readiness: z.object({
    ready: z.boolean(),
    problems: z.array(z.object({ part: z.string(), reason: z.string() })),
    warnings: z.array(z.object({ part: z.string(), reason: z.string() })),
  }),
  text: z.string(),
};

const ErrorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

export interface RouteSchema {
  readonly summary: string;
  readonly querystring?: z.ZodType;
  readonly body?: z.ZodType;
  readonly params?: z.ZodType;
  readonly answer: keyof typeof answers;
  /** Media type of the answer when it is no JSON. */
  readonly produces?: string;
}

/** Returns the schema of a route for validation and for `/openapi.json`. */
export function schemaOf(route: RouteSchema): FastifySchema {
  const { summary, querystring, body, params, answer, produces } = route;
  return {
    summary,
    ...(params === undefined ? {} : { params }),
    ...(querystring === undefined ? {} : { querystring }),
    ...(body === undefined ? {} : { body }),
    ...(produces === undefined ? {} : { produces: [produces] }),
    response: { 200: answers[answer], '4xx': ErrorAnswer },
  };
}
