/**
 * What came of actions: counted, logged, kept for the status, and remembered as far as the next plan depends on it.
 * What was given up counts as freed until a checkpoint on disk says so; where holes cannot be punched is not tried
 * again; what failed or has to wait is put off.
 */
import { AppError, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { freedBy } from './budget-plan.ts';
import type { JobResult } from './logrotate-runs.ts';
import { Postponed } from './postponed.ts';
import type { ActionOutcome } from './rotate-actions.ts';
import { hintOf, isPunchUnsupported, isReplaced } from './rotate-errors.ts';
import type { RotateLog } from './rotate-status.ts';
import type { RotateAction, RotateGroup } from './rotate-types.ts';

export interface ActionOutcomesOptions {
  readonly telemetry: Telemetry;
  readonly scheduler: Scheduler;
  readonly log: RotateLog;
  /** The files of a group are not what they were. */
  readonly forget: (group: string) => void;
  readonly warnOnce: (key: string, text: string) => void;
}

export class ActionOutcomes {
  readonly #options: ActionOutcomesOptions;
  readonly #postponed = new Postponed();
  readonly #unpunchable = new Set<string>();
  /** Bytes that were given up, and of which no checkpoint on disk tells yet, by file id. */
  readonly #dropped = new Map<string, { readonly endOffset: number; readonly bytes: number }>();

  constructor(options: ActionOutcomesOptions) {
    this.#options = options;
  }

  /** Whether an action was not put off beyond `nowMs`, which is monotonic. */
  isDue(action: RotateAction, nowMs: number): boolean {
    return this.#postponed.isDue(action, nowMs);
  }

  canPunch(group: RotateGroup): boolean {
    const [device = ''] = (group.files[0]?.inode ?? '').split(':');
    return !this.#unpunchable.has(device);
  }

  /** Adds to `taken`, by inode, what was given up of a file and is on no disk yet. */
  settleDropped(file: RotateGroup['files'][number], taken: Map<string, number>): void {
    const pending = file.fileId === undefined ? undefined : this.#dropped.get(file.fileId);
    if (pending === undefined || file.fileId === undefined) return;
    const isWritten = file.given.some(({ endOffset }) => endOffset >= pending.endOffset);
    if (isWritten || file.freeOffset >= pending.endOffset) this.#dropped.delete(file.fileId);
    else taken.set(file.inode, (taken.get(file.inode) ?? 0) + pending.bytes);
  }

  /** Notes what an action came to at `nowMs`, which is monotonic. */
  note(action: RotateAction, outcome: ActionOutcome, nowMs: number): void {
    if (outcome.kind === 'later') {
      this.#noteLater(action, outcome.text, nowMs);
      return;
    }
    if (outcome.kind !== 'done') return;
    this.#noteDone(action, outcome);
    // It takes its time, and more reminders would not make it faster.
    if (action.kind === 'remind') this.#postponed.note(action, 'failed', nowMs);
  }

  /** Notes that an action failed; throws what is no error of the environment. */
  noteFailure(action: RotateAction, error: unknown, nowMs: number): void {
    if (systemCodeOf(error) === undefined && !(error instanceof AppError)) throw error;
    const { telemetry, log, forget, warnOnce } = this.#options;
    const { kind, file } = action;
    forget(action.group);
    // A file that vanished or was replaced is looked at anew.
    if (isReplaced(error)) return;
    telemetry.count('logboom_rotate_actions_total', 1, { action: kind, outcome: 'failed' });
    this.#postponed.note(action, 'failed', nowMs);
    const hint = hintOf(error);
    const text = `cannot ${kind} ${file.path} (${messageOf(error)})${hint === undefined ? '' : `. ${hint}`}`;
    log.noteWait(action.group, text);
    if (kind === 'punch' && isPunchUnsupported(error)) this.#unpunchable.add(deviceOf(action));
    warnOnce(`${kind} ${file.path} ${systemCodeOf(error) ?? ''}`, text);
  }

  /** Notes what a run of logrotate did. */
  noteLogrotate(done: readonly JobResult[]): void {
    const { scheduler, log, forget } = this.#options;
    if (done.length > 0) this.#noteMoment();
    for (const { group, path, text } of done) {
      const time = formatTimestamp(scheduler.nowNs());
      log.noteDone(group, { time, action: 'logrotate', path, text }, 0);
      forget(group);
    }
  }

  #noteDone(action: RotateAction, { freedBytes, text }: { freedBytes: number; text: string }): void {
    const { telemetry, scheduler, log, forget } = this.#options;
    const { kind, file, reason } = action;
    forget(action.group);
    telemetry.count('logboom_rotate_actions_total', 1, { action: kind, outcome: 'done' });
    if (freedBytes > 0) telemetry.count('logboom_rotate_freed_bytes_total', freedBytes, { action: kind });
    if (kind === 'drop' && file.fileId !== undefined) {
      const bytes = freedBy(action);
      this.#dropped.set(file.fileId, { endOffset: action.untilOffset, bytes });
    }
    this.#noteMoment();
    const time = formatTimestamp(scheduler.nowNs());
    log.noteDone(action.group, { time, action: kind, path: file.path, text }, freedBytes);
    const level = kind === 'drop' ? 'warn' : kind === 'punch' ? 'debug' : 'info';
    telemetry.log(level, 'rotated', `${file.path}: ${text}, because ${reason}`, { action: kind, freedBytes });
  }

  #noteLater(action: RotateAction, text: string, nowMs: number): void {
    this.#postponed.note(action, 'later', nowMs);
    this.#options.forget(action.group);
    this.#options.log.noteWait(action.group, `${action.file.path}: ${text}`);
  }

  #noteMoment(): void {
    const { telemetry, scheduler } = this.#options;
    telemetry.gauge('logboom_rotate_last_timestamp_seconds', scheduler.nowMs() / 1000);
  }
}

function deviceOf({ file }: RotateAction): string {
  return file.inode.split(':')[0] ?? '';
}
