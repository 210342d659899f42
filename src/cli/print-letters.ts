/** Prints dead letters one by one, page by page, so that memory does not grow with them. */
import { LETTERS_LIMIT_MAX } from '../api/api-types.ts';
import type { DeadLetterListAnswer, DeadLetterSelection } from '../api/api-types.ts';
import type { ApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';
import { formatLetters } from './letter-texts.ts';
import { colorsFor, formatCount } from './output.ts';

/** Which letters are printed, and how. */
export interface LetterListing {
  readonly selection: Omit<DeadLetterSelection, 'ids' | 'all'>;
  readonly limit: number;
  readonly isJson: boolean;
}

/** Prints the newest letters of a selection. */
export async function printLetters(
  { stdout }: CliContext,
  client: ApiClient,
  { selection, limit, isJson }: LetterListing,
): Promise<void> {
  let left = limit;
  let printed = 0;
  let page: DeadLetterListAnswer;
  let cursor: string | undefined;
  do {
    const { type, index, group, query } = selection;
    const parameters = { type, index, group, query, cursor, limit: Math.min(LETTERS_LIMIT_MAX, left) };
    page = await client.getJson<DeadLetterListAnswer>('/dead-letters/list', parameters);
    const { letters } = page;
    if (isJson) for (const letter of letters) stdout.write(`${JSON.stringify(letter)}\n`);
    else if (letters.length > 0) stdout.write(formatLetters(letters, colorsFor(stdout.hasColor)));
    printed += letters.length;
    left -= letters.length;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined && left > 0);
  if (isJson) return;
  if (printed === 0) stdout.write('No dead letter fits.\n');
  else if (cursor !== undefined) stdout.write(`${formatCount(page.matched)} fit: see more with --limit.\n`);
}
