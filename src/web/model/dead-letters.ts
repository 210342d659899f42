/** What the page says of dead letters and their replays. */
import type { DeadLetterGroup, DeadLetterSelection, ReplayProgress } from '../../api/api-types.ts';
import { countText, plural } from './number-text.ts';

/** Returns the selection of a group's letters. */
export function selectionOf({
  id,
  type,
  index,
}: Pick<DeadLetterGroup, 'id' | 'type' | 'index'>): DeadLetterSelection {
  return id === null ? { type, index: index ?? '' } : { group: id };
}

/** Returns the parameters of a list of a selection's letters. */
export function listFilterOf({ group, query, type, index }: DeadLetterSelection): Record<string, string> {
  const filters = Object.entries({ group, query, type, index });
  return Object.fromEntries(filters.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Returns what a replay has come to, as a sentence without its full stop. */
export function progressText({ selected, stored, dropped, refused, isDone }: ReplayProgress): string {
  if (!isDone) return `${countText(selected)} replayed so far`;
  const parts = [`${plural(selected, 'letter')} replayed: ${countText(stored)} stored`];
  if (dropped > 0) parts.push(`${countText(dropped)} dropped by pipelines`);
  if (refused > 0) parts.push(`${countText(refused)} refused again`);
  return parts.join(', ');
}

/** Returns the document indented when it is JSON, and as it is otherwise. */
export function prettyDocument(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value, undefined, 2);
  } catch {
    return text;
  }
}
