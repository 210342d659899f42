import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { toDiscarded, type DeadLetter } from '../../record/dead-letter.ts';
import { abortSignalOf } from '../abort-signal.ts';
import type { ApiOptions, DeadLetterAccess } from '../api-options.ts';
import type { DeadLetterSelection, DiscardAnswer, ReplayProgress } from '../api-types.ts';
import { API_PREFIX } from '../api-types.ts';
import { groupLetters, listLetters, toAnswer } from '../dead-letter-report.ts';
import { answerOf } from '../errors.ts';
import { selectLetters } from '../letter-selection.ts';
import {
  DeadLetterListParameters,
  DeadLetterParameters,
  DeadLetterSelectionBody,
  ReplayBody,
  schemaOf,
} from '../schemas.ts';

/** Letters that are replayed or discarded at once, and the characters of their documents. */
const CHUNK_LETTERS = 200;
const CHUNK_CHARACTERS = 4 * 2 ** 20;

const NDJSON = 'application/x-ndjson';

const PATH = `${API_PREFIX}/dead-letters`;

type LetterFilter = (letter: DeadLetter) => boolean;

const NONE: DeadLetterAccess = {
  async *read() {},
  send: () => Promise.resolve(),
  check: () => [],
  replay: () => Promise.resolve([]),
};

/** Adds the routes that show, replay and discard what the store refused. */
export function addDeadLetterRoutes(app: FastifyInstance, options: ApiOptions): void {
  const access = options.deadLetters ?? NONE;
  const select = (selection: DeadLetterSelection): LetterFilter =>
    selectLetters(selection, options.scheduler.nowNs());
  addReading(app, access, select);
  /** One replay or discarding at a time: two of them would settle the same letters. */
  let isBusy = false;
  const exclusively = async <T>(action: () => Promise<T>): Promise<T> => {
    if (isBusy) {
      throw new AppError(
        'too_busy',
        'cannot change dead letters while another replay or discarding is under way',
      );
    }
    isBusy = true;
    try {
      return await action();
    } finally {
      isBusy = false;
    }
  };

  app.post<{ Body: z.output<typeof ReplayBody> }>(
    `${PATH}/replay`,
    {
      schema: schemaOf({
        summary:
          'Send dead letters through the current pipelines to the store; answers with progress, a line each',
        body: ReplayBody,
        answer: 'text',
        produces: NDJSON,
      }),
    },
    async ({ body: { isDryRun, ...selection } }, reply) => {
      checkSelection(selection);
      const signal = abortSignalOf(reply);
      const isSelected = select(selection);
      const progress = Readable.from(
        linesOf(replayAll(access, { isSelected, isDryRun, signal, exclusively })),
      );
      return reply.type(NDJSON).send(progress);
    },
  );

  app.post<{ Body: z.output<typeof DeadLetterSelectionBody> }>(
    `${PATH}/discard`,
    {
      schema: schemaOf({
        summary: 'Give dead letters up for good; the audit counts them as dropped',
        body: DeadLetterSelectionBody,
        answer: 'discard',
      }),
    },
    ({ body: selection }, reply): Promise<DiscardAnswer> => {
      checkSelection(selection);
      const isSelected = select(selection);
      return exclusively(() => discardAll(access, isSelected, abortSignalOf(reply)));
    },
  );
}

function addReading(
  app: FastifyInstance,
  access: DeadLetterAccess,
  select: (selection: DeadLetterSelection) => LetterFilter,
): void {
  app.get(
    PATH,
    { schema: schemaOf({ summary: 'Dead letters by error and index', answer: 'deadLetters' }) },
    (_request, reply) => groupLetters(access.read(abortSignalOf(reply))),
  );

  app.get<{ Querystring: z.output<typeof DeadLetterListParameters> }>(
    `${PATH}/list`,
    {
      schema: schemaOf({
        summary: 'Newest dead letters, without their documents',
        querystring: DeadLetterListParameters,
        answer: 'deadLetterList',
      }),
    },
    ({ query: { limit, cursor, ...selection } }, reply) => {
      const isSelected = select(selection);
      return listLetters(access.read(abortSignalOf(reply)), { isSelected, limit, cursor });
    },
  );

  app.get<{ Params: z.output<typeof DeadLetterParameters> }>(
    `${PATH}/letters/:id`,
    {
      schema: schemaOf({
        summary: 'One dead letter with its document',
        params: DeadLetterParameters,
        answer: 'deadLetter',
      }),
    },
    async ({ params: { id } }, reply) => {
      const isSelected = select({ ids: [id] });
      for await (const letter of access.read(abortSignalOf(reply))) {
        if (isSelected(letter)) return toAnswer(letter);
      }
      throw new AppError('not_found', `cannot find the dead letter ${id}`, {
        hint: 'It may have been replayed or discarded: `logboom replay` lists what is there.',
      });
    },
  );
}

function checkSelection({ all, ...filters }: DeadLetterSelection): void {
  if (all === true || Object.values(filters).some((filter) => filter !== undefined)) return;
  throw new AppError('bad_request', 'cannot tell which dead letters are meant', {
    hint: 'Give ids, group, type, index or query, or all: true for every one.',
  });
}

async function discardAll(
  access: DeadLetterAccess,
  isSelected: LetterFilter,
  signal: AbortSignal,
): Promise<DiscardAnswer> {
  let discarded = 0;
  for await (const letters of chunksOf(access.read(signal), isSelected)) {
    await access.send(letters.map((letter) => toDiscarded(letter, `discarded: ${letter.error.type}`)));
    discarded += letters.length;
  }
  return { discarded };
}

interface ReplayOptions {
  readonly isSelected: LetterFilter;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly exclusively: <T>(action: () => Promise<T>) => Promise<T>;
}

type Totals = { -readonly [name in keyof ReplayProgress]: ReplayProgress[name] };

async function* replayAll(access: DeadLetterAccess, options: ReplayOptions): AsyncIterable<ReplayProgress> {
  const { isSelected, isDryRun, signal, exclusively } = options;
  const totals: Totals = { selected: 0, stored: 0, dropped: 0, refused: 0, isDone: false };
  try {
    for await (const letters of chunksOf(access.read(signal), isSelected)) {
      const outcomes = isDryRun
        ? access.check(letters)
        : await exclusively(() => access.replay(letters, signal));
      totals.selected += letters.length;
      for (const { id, result, error } of outcomes) {
        totals[result]++;
        if (error !== undefined) totals.example ??= { id, ...error };
      }
      yield { ...totals };
    }
    yield { ...totals, isDone: true };
  } catch (error) {
    yield { ...totals, isDone: true, error: answerOf(error).body.error };
  }
}

async function* linesOf(progress: AsyncIterable<ReplayProgress>): AsyncIterable<string> {
  for await (const line of progress) yield `${JSON.stringify(line)}\n`;
}

/** Yields the letters that are meant, in bounded pieces. */
async function* chunksOf(
  letters: AsyncIterable<DeadLetter>,
  isSelected: LetterFilter,
): AsyncIterable<readonly DeadLetter[]> {
  let chunk: DeadLetter[] = [];
  let characters = 0;
  for await (const letter of letters) {
    if (!isSelected(letter)) continue;
    chunk.push(letter);
    characters += letter.document.length;
    if (chunk.length < CHUNK_LETTERS && characters < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = [];
    characters = 0;
  }
  if (chunk.length > 0) yield chunk;
}
