import { formatTimestamp } from '../record/timestamp.ts';
import type { Query } from './ast.ts';
import { TIME_FIELD } from './fields.ts';
import { parseTime } from './time-range.ts';

/** Returns the query with every time it compares with written out, so that `now-5m` means one moment everywhere. */
export function resolveTimes(query: Query, nowNs: bigint): Query {
  switch (query.kind) {
    case 'and':
    case 'or':
      return { kind: query.kind, operands: query.operands.map((operand) => resolveTimes(operand, nowNs)) };
    case 'not':
      return { kind: 'not', operand: resolveTimes(query.operand, nowNs) };
    case 'range': {
      const timeNs = query.field === TIME_FIELD ? parseTime(query.value, nowNs) : undefined;
      return timeNs === undefined ? query : { ...query, value: formatTimestamp(timeNs) };
    }
    default:
      return query;
  }
}
