import { formatTimestamp, parseTimestamp } from '../../record/timestamp.ts';
import { ownObject, readField } from './document.ts';
import { toPlainValue } from '../../base/exact-json.ts';
import type { StepFunction } from './step.ts';
import { compileTimeFormat } from './time-format.ts';
import { compileZone } from './time-zone.ts';

export interface TimestampOptions {
  readonly field: string;
  /** Tried in turn. */
  readonly formats: readonly string[];
  /** Zone of stamps that name none; undefined is UTC. */
  readonly timeZone: string | undefined;
}

/**
 * Takes the document's time from a field. Where no format fits, the time stays and `log.parse_error` says so: such a
 * line is found by a search for `log.parse_error:*`.
 */
export function compileTimestamp(
  { field, formats, timeZone }: TimestampOptions,
  option: string,
): StepFunction {
  const zone = compileZone(timeZone ?? 'UTC', `${option}.timeZone`);
  const readers = formats.map((format) => compileTimeFormat(format, `${option}.formats`));
  return (document) => {
    const value = readField(document, field);
    if (value === undefined) return 'keep';
    const current = document['@timestamp'];
    const currentNs = typeof current === 'string' ? parseTimestamp(current) : undefined;
    const nearSeconds = Number((currentNs ?? 0n) / 1_000_000_000n);
    // A number that is carried as its text keeps its digits: that is what nanoseconds since the epoch need.
    const plain = typeof value === 'object' && toPlainValue(value) !== value ? JSON.stringify(value) : value;
    for (const read of readers) {
      const timeNs = read(plain, { zone, nearSeconds });
      if (timeNs === undefined) continue;
      document['@timestamp'] = formatTimestamp(timeNs);
      return 'keep';
    }
    ownObject(document, 'log')['parse_error'] = `no time format fits ${JSON.stringify(plain).slice(0, 100)}`;
    return 'keep';
  };
}
