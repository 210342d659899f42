/** Which dead letters a client means. */
import { isDiscarded, type DeadLetter } from '../record/dead-letter.ts';
import { compileMatcher, type JsonObject, type Matcher } from '../query/match.ts';
import type { DeadLetterSelection } from './api-types.ts';
import { kindOfLetter } from './letter-groups.ts';
import { readQuery } from './query-request.ts';

/**
 * Returns whether a letter is meant: discarded ones never are. A query is asked of the document as it was delivered,
 * before any pipeline; one that is no JSON object counts as its text. Throws `bad_request` when the query cannot be
 * read.
 */
export function selectLetters(
  selection: DeadLetterSelection,
  nowNs: bigint,
): (letter: DeadLetter) => boolean {
  const { ids, type, index, group, query } = selection;
  const wanted = ids === undefined ? undefined : new Set(ids);
  const matches = query === undefined ? undefined : compileMatcher(readQuery(query, nowNs));
  return (letter) => {
    if (isDiscarded(letter)) return false;
    if (wanted?.has(letter.id) === false) return false;
    if (type !== undefined && letter.error.type !== type) return false;
    if (index !== undefined && (letter.index ?? '') !== index) return false;
    if (group !== undefined && kindOfLetter(letter).id !== group) return false;
    return matches === undefined || matchesDocument(matches, letter);
  };
}

function matchesDocument(matches: Matcher, { document }: DeadLetter): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    // It stands among the dead letters because it is none.
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  return matches(isObject ? (parsed as JsonObject) : { message: document });
}
