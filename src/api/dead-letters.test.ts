import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../base/errors.ts';
import { isDiscarded, type DeadLetter, type ReplayOutcome } from '../record/dead-letter.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { DeadLetterAccess } from './api-options.ts';
import type { DeadLettersAnswer, DiscardAnswer, ReplayProgress } from './api-types.ts';
import { kindOfLetter } from './letter-groups.ts';
import { createTestApi } from './test-api.ts';

const CONFLICT = { type: 'mapper_parsing_exception', reason: 'object where a string is' };

function letterAt(offset: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: `${'a'.repeat(20)}-${offset.toString(16).padStart(12, '0')}`,
    fileId: 'a'.repeat(20),
    offset,
    lane: 1,
    time: `2026-11-23T04:30:00.${String(offset).padStart(9, '0')}Z`,
    document: `{"message":"line ${offset}"}`,
    error: CONFLICT,
    index: 'logboom-shop-2026.11.23',
    source: { topic: 'logs', partition: 2, offset: '17' },
    attempts: 1,
    ...changes,
  };
}

/** A queue whose letters are stored when they are replayed, but for those of `refused`. */
class TestQueue implements DeadLetterAccess {
  readonly letters = new Map<string, DeadLetter>();
  readonly refused = new Set<string>();
  failure: AppError | undefined;

  constructor(letters: readonly DeadLetter[]) {
    for (const letter of letters) this.letters.set(letter.id, letter);
  }

  async *read(): AsyncIterable<DeadLetter> {
    yield* [...this.letters.values()];
  }

  async send(letters: readonly DeadLetter[]): Promise<void> {
    for (const letter of letters) this.letters.set(letter.id, letter);
  }

  check(letters: readonly DeadLetter[]): ReplayOutcome[] {
    return letters.map(({ id }) => ({ id, result: 'stored', error: undefined }));
  }

  async replay(letters: readonly DeadLetter[]): Promise<ReplayOutcome[]> {
    if (this.failure !== undefined) throw this.failure;
    return letters.map(({ id }) => {
      if (this.refused.has(id)) return { id, result: 'refused', error: CONFLICT };
      this.letters.delete(id);
      return { id, result: 'stored', error: undefined };
    });
  }
}

async function start(letters: readonly DeadLetter[]) {
  const queue = new TestQueue(letters);
  const api = await createTestApi(new MemoryStore(), { deadLetters: queue });
  const post = async (url: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await api.app.inject({ method: 'POST', url, headers, payload: JSON.stringify(body) });
    return { status: response.statusCode, body: response.body };
  };
  return { api, queue, post };
}

function progressOf(body: string): ReplayProgress {
  const lines = body.trimEnd().split('\n');
  return JSON.parse(lines.at(-1) ?? '{}') as ReplayProgress;
}

const LIMIT = { error: { type: 'illegal_argument_exception', reason: 'too many fields' }, index: undefined };

const GROUP = kindOfLetter(letterAt(1)).id;

test('dead letters are grouped by error and index, with the newest as the example', async () => {
  const discarded = letterAt(9, { document: '', error: { type: 'discarded', reason: 'x' } });
  const { api } = await start([letterAt(1), letterAt(2), letterAt(3, LIMIT), discarded]);
  const { json } = await api.get('/api/v1/dead-letters');
  assert.deepEqual(json, {
    letters: 3,
    discarded: 1,
    groups: [
      {
        id: GROUP,
        type: CONFLICT.type,
        index: 'logboom-shop-2026.11.23',
        reason: CONFLICT.reason,
        count: 2,
        first: letterAt(1).time,
        last: letterAt(2).time,
        example: { id: letterAt(2).id, reason: CONFLICT.reason },
      },
      {
        id: kindOfLetter(letterAt(3, LIMIT)).id,
        type: 'illegal_argument_exception',
        index: null,
        reason: 'too many fields',
        count: 1,
        first: letterAt(3).time,
        last: letterAt(3).time,
        example: { id: letterAt(3).id, reason: 'too many fields' },
      },
    ],
  } satisfies DeadLettersAnswer);
});

test('a list has the newest letters of a group, one letter its document too', async () => {
  const { api } = await start([letterAt(1), letterAt(2), letterAt(3, LIMIT)]);
  const list = await api.get(`/api/v1/dead-letters/list?type=${CONFLICT.type}&limit=1`);
  const [newest] = list.json['letters'] as Record<string, unknown>[];
  assert.equal(newest?.['id'], letterAt(2).id);
  assert.ok(!('document' in (newest ?? {})));
  const withoutIndex = await api.get('/api/v1/dead-letters/list?index=');
  assert.equal((withoutIndex.json['letters'] as unknown[]).length, 1);
  const one = await api.get(`/api/v1/dead-letters/letters/${letterAt(2).id}`);
  assert.equal(one.json['document'], '{"message":"line 2"}');
  assert.deepEqual(one.json['source'], { topic: 'logs', partition: 2, offset: '17' });
  const none = await api.get('/api/v1/dead-letters/letters/nobody');
  assert.equal(none.status, 404);
  assert.match(none.body, /cannot find the dead letter nobody/);
});

const PARSING = (field: string, value: string): Partial<DeadLetter> => ({
  error: { type: 'document_parsing_exception', reason: `failed to parse field [${field}]: '${value}'` },
});

test('errors of one type are told apart by what they say, and a group is listed, replayed and discarded alone', async () => {
  const letters = [
    letterAt(1, PARSING('price', 'cheap')),
    letterAt(2, PARSING('price', 'dear')),
    letterAt(3, PARSING('size', 'large')),
  ];
  const { api, queue, post } = await start(letters);
  const { groups } = (await api.get('/api/v1/dead-letters')).json as unknown as DeadLettersAnswer;
  assert.deepEqual(
    groups.map(({ reason, count }) => [reason, count]),
    [
      ['failed to parse field [price]: …', 2],
      ['failed to parse field [size]: …', 1],
    ],
  );
  const [price, size] = groups.map(({ id }) => id);
  const list = (await api.get(`/api/v1/dead-letters/list?group=${price}`)).json;
  const listed = list['letters'] as { id: string; group: string }[];
  assert.deepEqual(
    listed.map(({ id, group }) => [id, group]),
    [letterAt(2).id, letterAt(1).id].map((id) => [id, price]),
  );
  const replayed = await post('/api/v1/dead-letters/replay', { group: price });
  assert.deepEqual([progressOf(replayed.body).stored, [...queue.letters.keys()]], [2, [letterAt(3).id]]);
  assert.equal((await post('/api/v1/dead-letters/discard', { group: size })).body, '{"discarded":1}');
  const none = await post('/api/v1/dead-letters/replay', { group: 'nobody' });
  assert.equal(progressOf(none.body).selected, 0);
});

test('letters are selected by a query over their documents, also those that are no JSON', async () => {
  const { queue, post } = await start([
    letterAt(1, { document: '{"message":"paid","kubernetes":{"namespace":"shop"}}' }),
    letterAt(2, { document: '{"message":"paid","kubernetes":{"namespace":"bank"}}' }),
    letterAt(3, { document: 'shop is closed' }),
  ]);
  await post('/api/v1/dead-letters/replay', { query: 'namespace:shop paid' });
  assert.deepEqual([...queue.letters.keys()], [letterAt(2).id, letterAt(3).id]);
  await post('/api/v1/dead-letters/replay', { query: '"is closed"' });
  assert.deepEqual([...queue.letters.keys()], [letterAt(2).id]);
  const bad = await post('/api/v1/dead-letters/discard', { query: 'message:/(/' });
  assert.equal(bad.status, 400);
  assert.match(bad.body, /cannot read the query/);
});

test('the pages of a list hold each letter once, the newest first', async () => {
  const letters = Array.from({ length: 25 }, (_, index) => letterAt(index));
  const { api } = await start(letters.toReversed());
  const seen: string[] = [];
  let cursor: string | null = '';
  for (let page = 0; page < 4 && cursor !== null; page++) {
    const url = `/api/v1/dead-letters/list?limit=10${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { json } = await api.get(url);
    assert.equal(json['matched'], 25);
    seen.push(...(json['letters'] as { id: string }[]).map(({ id }) => id));
    cursor = json['cursor'] as string | null;
  }
  assert.equal(cursor, null);
  assert.deepEqual(seen, letters.map(({ id }) => id).toReversed());
});

test('a replay tells its progress, and what is refused again stays', async () => {
  const letters = Array.from({ length: 450 }, (_, index) => letterAt(index));
  const { queue, post } = await start([...letters, letterAt(1_000, LIMIT)]);
  queue.refused.add(letterAt(7).id);
  const { status, body } = await post('/api/v1/dead-letters/replay', { type: CONFLICT.type });
  assert.equal(status, 200);
  assert.equal(body.trimEnd().split('\n').length, 4);
  const totals = { selected: 450, stored: 449, dropped: 0, refused: 1, isDone: true };
  assert.deepEqual(progressOf(body), { ...totals, example: { id: letterAt(7).id, ...CONFLICT } });
  assert.deepEqual([...queue.letters.keys()], [letterAt(7).id, letterAt(1_000).id]);
});

test('a dry run changes nothing', async () => {
  const { queue, post } = await start([letterAt(1)]);
  const { body } = await post('/api/v1/dead-letters/replay', { all: true, isDryRun: true });
  assert.equal(progressOf(body).stored, 1);
  assert.equal(queue.letters.size, 1);
});

test('a store that is away ends a replay with its reason, and the letters stay', async () => {
  const { queue, post } = await start([letterAt(1)]);
  queue.failure = new AppError('unreachable', 'cannot reach http://127.0.0.1:9200');
  const { body } = await post('/api/v1/dead-letters/replay', { ids: [letterAt(1).id] });
  assert.equal(progressOf(body).error?.message, 'cannot reach http://127.0.0.1:9200');
  assert.equal(queue.letters.size, 1);
});

test('what is discarded is shown no more, and kept for the audit', async () => {
  const { api, queue, post } = await start([letterAt(1), letterAt(2, LIMIT)]);
  const { body } = await post('/api/v1/dead-letters/discard', { type: CONFLICT.type });
  assert.deepEqual(JSON.parse(body), { discarded: 1 } satisfies DiscardAnswer);
  const { json } = await api.get('/api/v1/dead-letters');
  assert.deepEqual([json['letters'], json['discarded']], [1, 1]);
  const kept = queue.letters.get(letterAt(1).id);
  assert.ok(kept !== undefined && isDiscarded(kept));
  assert.deepEqual([kept.fileId, kept.offset], [letterAt(1).fileId, 1]);
});

test('a selection that means nothing is refused, with what helps', async () => {
  const { post } = await start([letterAt(1)]);
  for (const action of ['replay', 'discard']) {
    const { status, body } = await post(`/api/v1/dead-letters/${action}`, {});
    assert.equal(status, 400);
    assert.match(body, /cannot tell which dead letters are meant.*all: true/);
    assert.equal((await post(`/api/v1/dead-letters/${action}`, { everything: true })).status, 400);
  }
});

test('a server without a queue has no dead letters', async () => {
  const api = await createTestApi(new MemoryStore());
  assert.deepEqual((await api.get('/api/v1/dead-letters')).json, { letters: 0, discarded: 0, groups: [] });
});
