/** Lists, groups and selects dead letters: what the API says of them, in memory that does not grow with documents. */
import { isDiscarded, type DeadLetter } from '../record/dead-letter.ts';
import type {
  DeadLetterAnswer,
  DeadLetterGroup,
  DeadLetterListAnswer,
  DeadLettersAnswer,
  DeadLetterSelection,
} from './api-types.ts';

/** Groups that are told apart; the letters of further ones are counted under `other`. */
const GROUPS_MAX = 1_000;

const OTHER = 'other';

type MutableGroup = { -readonly [name in keyof DeadLetterGroup]: DeadLetterGroup[name] };

/** Counts letters by error type and index. */
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

function addToGroup(groups: Map<string, MutableGroup>, { id, error, index, time }: DeadLetter): void {
  const known = { type: error.type, index: index ?? null };
  const isKnown = groups.has(JSON.stringify(known)) || groups.size < GROUPS_MAX;
  const name = isKnown ? known : { type: OTHER, index: null };
  const key = JSON.stringify(name);
  const group = groups.get(key);
  if (group === undefined) {
    groups.set(key, { ...name, count: 1, first: time, last: time, example: { id, reason: error.reason } });
    return;
  }
  group.count++;
  if (time < group.first) group.first = time;
  if (time < group.last) return;
  group.last = time;
  group.example = { id, reason: error.reason };
}

/** Returns the newest letters that are meant, without their documents. */
export async function listLetters(
  letters: AsyncIterable<DeadLetter>,
  selection: DeadLetterSelection,
  limit: number,
): Promise<DeadLetterListAnswer> {
  let found: Omit<DeadLetterAnswer, 'document'>[] = [];
  const newest = (): typeof found =>
    found.toSorted((left, right) => (left.time < right.time ? 1 : -1)).slice(0, limit);
  for await (const letter of letters) {
    if (!isSelected(letter, selection)) continue;
    const { document: _left, ...rest } = toAnswer(letter);
    found.push(rest);
    if (found.length >= 2 * limit) found = newest();
  }
  return { letters: newest() };
}

/** Whether a letter is meant. Discarded ones never are. */
export function isSelected(letter: DeadLetter, { ids, type, index }: DeadLetterSelection): boolean {
  if (isDiscarded(letter)) return false;
  if (ids !== undefined && !ids.includes(letter.id)) return false;
  if (type !== undefined && letter.error.type !== type) return false;
  return index === undefined || (letter.index ?? '') === index;
}

/** Returns a letter as the API shows it. */
export function toAnswer(letter: DeadLetter): DeadLetterAnswer {
  const { id, time, index, error, attempts, fileId, offset, source, document } = letter;
  return {
    id,
    time,
    index: index ?? null,
    error,
    attempts,
    fileId,
    offset,
    source: source ?? null,
    document,
  };
}
