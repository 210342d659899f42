/** Levels in the order in which they weigh, and the five that have a colour of their own. */
export const LEVEL_CLASSES = ['fatal', 'error', 'warn', 'info', 'debug'] as const;

export type LevelClass = (typeof LEVEL_CLASSES)[number] | 'none';

const CLASS_OF: Readonly<Record<string, LevelClass>> = {
  fatal: 'fatal',
  critical: 'fatal',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  emergency: 'fatal',
  panic: 'fatal',
  error: 'error',
  err: 'error',
  severe: 'error',
  gap: 'error',
  warn: 'warn',
  warning: 'warn',
  info: 'info',
  information: 'info',
  notice: 'info',
  debug: 'debug',
  trace: 'debug',
  verbose: 'debug',
  fine: 'debug',
};

/** Returns the class of a level by which it is coloured; `none` for an unknown or absent one. */
export function levelClass(level: string): LevelClass {
  return CLASS_OF[level.toLowerCase()] ?? 'none';
}

/** Returns where a class stands in a stack of bars: the gravest at the bottom, unknown ones on top. */
export function levelRank(name: LevelClass): number {
  return name === 'none' ? LEVEL_CLASSES.length : LEVEL_CLASSES.indexOf(name);
}
