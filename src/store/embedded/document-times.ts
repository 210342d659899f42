/**
 * When documents of a group were written, to the second. Fast path: `@timestamp` in the form that agents write, in
 * the same hour as the one before.
 */
import { TIMESTAMP_START } from '../../record/document-layout.ts';
import { daysFromCivil, formatTimestamp, hasValidDateTime, readDigits } from '../../record/timestamp.ts';
import { parseTime } from '../../query/time-range.ts';
import type { DocumentPlace } from '../compact-document.ts';
import { parseObject } from './document-json.ts';

const SECONDS_PER_HOUR = 3600;

/** What a group says of its times. */
export interface GroupTimes {
  minSeconds: number;
  maxSeconds: number;
  hasOddTimes: boolean;
  /** `YYYY-MM-DDTHH` of the hours that the journal did not have before. */
  readonly hours: string[];
}

export class DocumentTimes {
  #told = new Set<string>();
  /** The hour that the last document was in: its 13 characters and its first second. */
  #hourText = new Uint8Array(13);
  #hourSeconds = 0;

  /** Begins a journal, which has heard of no hour. */
  beginJournal(): void {
    this.#told = new Set();
    this.#hourText = new Uint8Array(13);
  }

  add(group: GroupTimes, place: DocumentPlace): void {
    const seconds = this.#secondsOf(group, place);
    if (seconds < group.minSeconds) group.minSeconds = seconds;
    if (seconds > group.maxSeconds) group.maxSeconds = seconds;
  }

  #secondsOf(group: GroupTimes, { body, start, end }: DocumentPlace): number {
    const at = start + TIMESTAMP_START;
    if (body[start + 2] !== 64 || body[at + 29] !== 90 || body[at + 30] !== 34)
      return this.#oddSeconds(group, body.subarray(start, end));
    if (!isSameHour(body, at, this.#hourText)) {
      if (!hasValidDateTime(body, at)) return this.#oddSeconds(group, body.subarray(start, end));
      const days = daysFromCivil(
        readDigits(body, at, 4),
        readDigits(body, at + 5, 2),
        readDigits(body, at + 8, 2),
      );
      this.#hourSeconds = days * 86_400 + readDigits(body, at + 11, 2) * SECONDS_PER_HOUR;
      this.#hourText = body.slice(at, at + 13);
      this.#addHour(group, this.#hourSeconds);
    }
    return this.#hourSeconds + readDigits(body, at + 14, 2) * 60 + readDigits(body, at + 17, 2);
  }

  #oddSeconds(group: GroupTimes, document: Uint8Array): number {
    group.hasOddTimes = true;
    const text = parseObject(document, 0, document.length)?.['@timestamp'];
    const timeNs = typeof text === 'string' ? parseTime(text, 0n) : undefined;
    const seconds = Number((timeNs ?? 0n) / 1_000_000_000n);
    this.#addHour(group, Math.floor(seconds / SECONDS_PER_HOUR) * SECONDS_PER_HOUR);
    return seconds;
  }

  #addHour(group: GroupTimes, hourSeconds: number): void {
    const hour = hourName(hourSeconds);
    if (this.#told.has(hour)) return;
    this.#told.add(hour);
    group.hours.push(hour);
  }
}

/** Returns `YYYY-MM-DDTHH` of an hour's first second. */
function hourName(hourSeconds: number): string {
  return formatTimestamp(BigInt(hourSeconds) * 1_000_000_000n).slice(0, 13);
}

function isSameHour(body: Uint8Array, at: number, hour: Uint8Array): boolean {
  for (let index = 12; index >= 0; index -= 1) if (body[at + index] !== hour[index]) return false;
  return true;
}
