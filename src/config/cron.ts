/** Cron expressions of five or six fields, the sixth one standing first for seconds. */
import { Cron } from 'croner';

/**
 * Returns the first time after `afterMs` (milliseconds since the Unix epoch) that the expression names in the zone;
 * undefined when there is none, such as on 31 February. Throws what is wrong with the expression or the zone.
 */
export function nextCronMs(
  expression: string,
  timeZone: string | undefined,
  afterMs: number,
): number | undefined {
  const cron = new Cron(expression, timeZone === undefined ? {} : { timezone: timeZone });
  return cron.nextRun(new Date(afterMs))?.getTime();
}

/** Returns what is wrong with an expression as the end of a sentence, or undefined. `nowMs` is where it begins. */
export function cronProblem(
  expression: string,
  timeZone: string | undefined,
  nowMs: number,
): string | undefined {
  const fields = expression.trim().split(/\s+/).length;
  const given = `got ${JSON.stringify(expression)}`;
  if (fields !== 5 && fields !== 6) {
    return `${given}, expected five or six fields: [second] minute hour day month weekday`;
  }
  try {
    const next = nextCronMs(expression, timeZone, nowMs);
    return next === undefined ? `${given}, which no day ever is` : undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `${given}: ${text.replace(/^Cron\w+: /, '').replace(/ This may happen.*$/, '')}`;
  }
}
