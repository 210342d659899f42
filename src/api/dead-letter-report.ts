/** Lists and groups dead letters: what the API says of them, in memory that does not grow with documents. */
import { isDiscarded, type DeadLetter } from '../record/dead-letter.ts';
import type {
  DeadLetterAnswer,
  DeadLetterGroup,
  DeadLetterListAnswer,
  DeadLettersAnswer,
} from './api-types.ts';
import { kindOfLetter } from './letter-groups.ts';

/** Groups that are told apart; the letters of further ones are counted under `other`. */
const GROUPS_MAX = 1_000;

const OTHER = { id: null, type: 'other', index: null, reason: '' };

type MutableGroup = { -readonly [name in keyof DeadLetterGroup]: DeadLetterGroup[name] };

/** Counts letters by error and index. */
export async function groupLetters(letters: AsyncIterable<DeadLetter>): Promise<DeadLettersAnswer> {
  const groups = new Map<string, MutableGroup>();
  let count = 0;
  let discarded = 0;
  for await (const letter of letters) {
    if (isDiscarded(letter)) {
      discarded++;
      continue;
    }
    count++;
    addToGroup(groups, letter);
  }
  const sorted = [...groups.values()].toSorted((left, right) => right.count - left.count);
  return { letters: count, discarded, groups: sorted };
}

function addToGroup(groups: Map<string, MutableGroup>, letter: DeadLetter): void {
  const { id, error, time } = letter;
  const kind = kindOfLetter(letter);
  const key = groups.has(kind.id) || groups.size < GROUPS_MAX ? kind.id : OTHER.type;
  const group = groups.get(key);
  if (group === undefined) {
    const example = { id, reason: error.reason };
    groups.set(key, { ...(key === kind.id ? kind : OTHER), count: 1, first: time, last: time, example });
    return;
  }
  group.count++;
  if (time < group.first) group.first = time;
  if (time < group.last) return;
  group.last = time;
  group.example = { id, reason: error.reason };
}

export interface LetterPage {
  readonly isSelected: (letter: DeadLetter) => boolean;
  readonly limit: number;
  /** What the page before has said of its end. */
  readonly cursor?: string | undefined;
}

type ListedLetter = DeadLetterListAnswer['letters'][number];

/** Returns the newest letters that are meant, without their documents, behind those of the pages before. */
export async function listLetters(
  letters: AsyncIterable<DeadLetter>,
  { isSelected, limit, cursor }: LetterPage,
): Promise<DeadLetterListAnswer> {
  let found: ListedLetter[] = [];
  let matched = 0;
  const newest = (): ListedLetter[] =>
    found.toSorted((left, right) => (placeOf(left) < placeOf(right) ? 1 : -1)).slice(0, limit + 1);
  for await (const letter of letters) {
    if (!isSelected(letter)) continue;
    matched++;
    if (cursor !== undefined && placeOf(letter) >= cursor) continue;
    const { document: _left, ...rest } = toAnswer(letter);
    found.push(rest);
    if (found.length >= 2 * limit + 1) found = newest();
  }
  const page = newest();
  const last = page[limit - 1];
  const next = page.length > limit && last !== undefined ? placeOf(last) : null;
  return { letters: page.slice(0, limit), matched, cursor: next };
}

/** What letters are listed by, the newest first; no two have the same. */
function placeOf({ time, id }: Pick<DeadLetter, 'time' | 'id'>): string {
  return `${time} ${id}`;
}

/** Returns a letter as the API shows it. */
export function toAnswer(letter: DeadLetter): DeadLetterAnswer {
  const { id, time, index, error, attempts, fileId, offset, source, document } = letter;
  return {
    id,
    time,
    group: kindOfLetter(letter).id,
    index: index ?? null,
    error,
    attempts,
    fileId,
    offset,
    source: source ?? null,
    document,
  };
}
