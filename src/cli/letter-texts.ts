/** What `logboom replay` prints of dead letters. */
import type {
  DeadLetterAnswer,
  DeadLetterListAnswer,
  DeadLettersAnswer,
  ReplayProgress,
} from '../api/api-types.ts';
import type { Colors } from './output.ts';
import { formatCount, formatPlural, formatTable } from './output.ts';

/** Characters of a reason in a table or below one. */
const REASON_LENGTH_MAX = 300;

/** Returns a line per letter. */
export function formatLetters(letters: DeadLetterListAnswer['letters'], colors: Colors): string {
  const columns = [
    { title: 'ID' },
    { title: 'GROUP' },
    { title: 'TIME' },
    { title: 'INDEX' },
    { title: 'REASON' },
  ];
  const rows = letters.map(({ id, group, time, index, error }) => [
    id,
    group,
    toSeconds(time),
    index ?? '-',
    error.reason.slice(0, REASON_LENGTH_MAX).replaceAll(/\s+/g, ' '),
  ]);
  return formatTable(columns, rows, colors);
}

/** Returns the table of groups. */
export function formatGroups({ letters, discarded, groups }: DeadLettersAnswer, colors: Colors): string {
  const gone = discarded === 0 ? '' : ` ${formatPlural(discarded, 'earlier one')} discarded or dropped.`;
  if (letters === 0) return `No dead letters: the store refused nothing that waits for you.${gone}`;
  const columns = [
    { title: 'LETTERS', isNumber: true },
    { title: 'GROUP' },
    { title: 'ERROR' },
    { title: 'INDEX' },
    { title: 'FIRST' },
    { title: 'LAST' },
    { title: 'EXAMPLE' },
  ];
  const rows = groups.map(({ id, count, type, index, first, last, example }) => [
    formatCount(count),
    id ?? '-',
    type,
    index ?? '-',
    toSeconds(first),
    toSeconds(last),
    example.id,
  ]);
  const reasons = groups.map(
    ({ id, example }) => `  ${id ?? '-'}  ${example.reason.slice(0, REASON_LENGTH_MAX)}`,
  );
  const count = `${formatPlural(letters, 'dead letter')}.${gone}`;
  return `${formatTable(columns, rows, colors)}\n${reasons.join('\n')}\n\n${count}`;
}

/** Returns a letter with its document. */
export function formatLetter(letter: DeadLetterAnswer): string {
  const { id, time, error, index, source, attempts, document } = letter;
  const place =
    source === null ? '-' : `${source.topic}, partition ${source.partition}, offset ${source.offset}`;
  return [
    `id        ${id}`,
    `given up  ${time}, attempt ${attempts}`,
    `error     ${error.type}: ${error.reason}`,
    `index     ${index ?? '-'}`,
    `from      ${place}`,
    '',
    document,
  ].join('\n');
}

/** Returns what a replay has come to. */
export function formatResult(result: ReplayProgress, isDryRun: boolean): string {
  const { selected, stored, dropped, refused, example } = result;
  if (selected === 0) return 'No dead letter fits.';
  if (isDryRun)
    return `${formatPlural(stored, 'document')} would be sent, ${formatCount(dropped)} dropped by pipelines.`;
  const parts = [`${formatPlural(selected, 'dead letter')} replayed: ${formatCount(stored)} stored`];
  if (dropped > 0) parts.push(`${formatCount(dropped)} dropped by pipelines`);
  if (refused > 0) parts.push(`${formatCount(refused)} refused again`);
  const why = example === undefined ? '' : `\n  ${example.id}: ${example.type}: ${example.reason}`;
  return `${parts.join(', ')}.${why}`;
}

function toSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
