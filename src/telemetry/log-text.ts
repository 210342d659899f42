/** Log lines for people: `04:30:00.123 warn  collection waits: the disk is full path=/data free=0`. */

const COLORS: Readonly<Record<string, string>> = { debug: '2', info: '36', warn: '33', error: '31' };

/** Members that stand at the front of a line, or are of no use to a person. */
const FRONT = new Set(['time', 'level', 'msg', 'event', 'pid', 'hostname']);

/** Turns one line of JSON into one line of text; a line that is no JSON stays as it is. */
export function formatLogLine(json: string, hasColor: boolean): string {
  const line = parseObject(json);
  if (line === undefined) return json;
  const level = textOf(line['level']) ?? 'info';
  const time = clockOf(textOf(line['time']) ?? '');
  const facts = Object.entries(line).filter(([name]) => !FRONT.has(name));
  const tail = facts.map(([name, value]) => ` ${name}=${factText(value)}`).join('');
  const color = hasColor ? COLORS[level] : undefined;
  const front = `${paint(time, hasColor ? '2' : undefined)} ${paint(level.padEnd(5), color)}`;
  return `${front} ${oneLine(textOf(line['msg']) ?? textOf(line['event']) ?? '')}${paint(tail, hasColor ? '2' : undefined)}\n`;
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Hours to milliseconds of an ISO time: whoever looks at a terminal knows the day. */
function clockOf(time: string): string {
  return /T(\d{2}:\d{2}:\d{2}\.\d{3})/.exec(time)?.[1] ?? time;
}

function factText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text === '' || /[\s"=\p{Cc}]/u.test(text) ? JSON.stringify(text) : text;
}

/** Terminal escapes and line breaks in a message would let a log line forge others. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function paint(text: string, color: string | undefined): string {
  return color === undefined || text === '' ? text : `\u001B[${color}m${text}\u001B[0m`;
}
