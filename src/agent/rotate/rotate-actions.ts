/**
 * Does what was decided, one action at a time, after looking once more: between the decision and the deed a file may
 * have been replaced, have grown, or been opened by somebody.
 */
import { AppError } from '../../base/errors.ts';
import type { LogDirectory, LogEntry, RotateMachine } from '../../base/log-directory.ts';
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import { parseSu } from '../../config/rotate-options.ts';
import { isSameFile } from '../file-identity.ts';
import type { FollowedView } from '../followed-files.ts';
import { foreignOwnerOf } from './choose-policy.ts';
import { datedName } from './dated-name.ts';
import type { RotateAction, RotateFile } from './rotate-types.ts';

/** Where nobody can say whether a file is open, one that was quiet for so long counts as closed. */
const QUIET_MS = 60_000;

const POSTROTATE_MS_MAX = 60_000;

export interface ActionContext {
  readonly machine: RotateMachine;
  readonly followed: FollowedView;
  readonly policy: RotatePolicyConfig;
  /** Everything must stay below it. */
  readonly root: string;
  readonly directory: string;
  readonly style: 'rotated' | 's6';
  /** The name that the writer opens. */
  readonly activeName: string;
  /** Wall clock. */
  readonly nowMs: number;
}

/** What came of an action; `later`: not now, and why. */
export type ActionOutcome =
  | { readonly kind: 'done'; readonly freedBytes: number; readonly text: string }
  | { readonly kind: 'later'; readonly text: string };

/** Performs an action other than logrotate's. Throws the system's errors, and `AppError` for what a policy lacks. */
export async function performAction(action: RotateAction, context: ActionContext): Promise<ActionOutcome> {
  const directory = context.machine.openDirectory(context.directory, context.root);
  try {
    const owner = foreignOwnerOf(directory.realPath);
    if (owner !== undefined) return later(`it stands in a tree that ${owner} rotates`);
    const entry = directory.stat(action.file.name);
    if (entry?.kind !== 'file' || !isSameFile(entry, action.file)) return later('it is another file now');
    return await perform(action, { ...context, entry, directory: context.directory, opened: directory });
  } finally {
    directory.close();
  }
}

/** Returns whether an action runs a command of the policy, which may take long. */
export function runsCommand(action: RotateAction, { postrotate }: RotatePolicyConfig): boolean {
  if (postrotate === undefined) return false;
  return action.kind === 'remind' || (action.kind === 'rename' && !action.isReset);
}

interface Deed extends ActionContext {
  readonly entry: LogEntry;
  readonly opened: LogDirectory;
}

async function perform(action: RotateAction, deed: Deed): Promise<ActionOutcome> {
  const { file } = action;
  switch (action.kind) {
    case 'punch': {
      const freedBytes = deed.opened.punch(file, action.ranges);
      return done(freedBytes, `freed ${freedBytes} bytes inside it`);
    }
    case 'rename':
      return renameActive(file, action.isReset, deed);
    case 'remind':
      return remind(file, deed);
    case 'remove': {
      const obstacle = obstacleOf(file, deed);
      if (obstacle !== undefined) return later(obstacle);
      deed.opened.unlink(file);
      return done(deed.entry.diskBytes, 'removed it');
    }
    case 'finish': {
      const obstacle = obstacleOf(file, deed);
      if (obstacle !== undefined) return later(obstacle);
      deed.followed.finish(file.fileId ?? '');
      return done(0, 'gave out its last line, which has no end');
    }
    case 'compress':
      return compress(file, action.compression, deed);
    case 'drop': {
      const range = deed.followed.giveUp(file.fileId ?? '', action.untilOffset, dropText(action.reason));
      if (range === undefined) return later('there is nothing that can be given up');
      return done(0, `gave up bytes ${range.startOffset} to ${range.endOffset}`);
    }
    case 'logrotate':
      return later('logrotate does it');
  }
}

function dropText(reason: string): string {
  return `given up before they were read, because ${reason}`;
}

/** Returns why a file may not be taken away, or undefined: somebody has it open, or has written to it. */
function obstacleOf(file: RotateFile, { opened, entry, nowMs }: Deed): string | undefined {
  const writer = opened.findWriter(file);
  if (writer === 'some') return 'a process has it open for writing';
  if (writer === 'unknown' && nowMs - entry.modifiedMs < QUIET_MS) {
    return 'whether a process has it open cannot be told, and it was written to within a minute';
  }
  // Looked at after the writer: who has closed it cannot write any more.
  const now = opened.stat(file.name);
  return now?.size === file.size ? undefined : 'it has grown';
}

async function renameActive(file: RotateFile, isReset: boolean, deed: Deed): Promise<ActionOutcome> {
  const { opened, nowMs } = deed;
  const obstacle = isReset ? obstacleOf(file, deed) : undefined;
  if (obstacle !== undefined) return later(obstacle);
  const names = opened.list().map(({ name }) => name);
  const to = datedName(file.name, nowMs, names);
  opened.rename(file, to);
  opened.createLike(file.name, to);
  if (isReset) return done(0, `began a new file; the old one is ${to} until it is removed`);
  await tellWriter(deed);
  return done(0, `renamed it to ${to}`);
}

async function remind(file: RotateFile, deed: Deed): Promise<ActionOutcome> {
  const { opened, activeName } = deed;
  if (opened.stat(activeName) === undefined) opened.createLike(activeName, file.name);
  if (opened.findWriter(file) !== 'some') return later('no process has it open for writing');
  await tellWriter(deed);
  return done(0, 'told its writer again to open the new file');
}

async function tellWriter(deed: Deed): Promise<void> {
  const { policy, machine } = deed;
  if (policy.signal !== undefined && policy.pidFile !== undefined) {
    machine.signal(policy.pidFile, policy.signal);
  }
  if (policy.postrotate !== undefined) await runPostrotate(policy.postrotate, deed);
}

async function runPostrotate(command: string, { machine, policy }: Deed): Promise<void> {
  const as = policy.su === undefined ? undefined : parseSu(policy.su);
  const problem = as === undefined ? undefined : machine.findUserProblem(as.user, as.group);
  if (problem !== undefined) {
    throw new AppError('io_failed', `cannot run postrotate: ${problem}`, { hint: 'Mend `su`.' });
  }
  const args = ['-c', command];
  const { code, output, isTimedOut } = await machine.run('/bin/sh', {
    args,
    timeoutMs: POSTROTATE_MS_MAX,
    as,
  });
  if (isTimedOut) {
    const text = `cannot run postrotate: it did not end within ${POSTROTATE_MS_MAX / 1000} s`;
    throw new AppError('timed_out', text, { hint: 'Let it start what takes long in the background' });
  }
  if (code === 0) return;
  const said = output.trim().split('\n').at(-1) ?? '';
  throw new AppError('io_failed', `cannot run postrotate: it ended with ${code ?? 'a signal'}: ${said}`);
}

async function compress(file: RotateFile, compression: 'gzip' | 'zstd', deed: Deed): Promise<ActionOutcome> {
  const obstacle = obstacleOf(file, deed);
  if (obstacle !== undefined) return later(obstacle);
  const { opened, followed, style } = deed;
  // s6-log knows its archives by their names, and finds compressed ones as normal as its processors do.
  const to = style === 's6' ? file.name : `${file.name}.${compression === 'gzip' ? 'gz' : 'zst'}`;
  if (style !== 's6' && opened.stat(to) !== undefined) return later(`${to} is there already`);
  const made = await opened.compress(file, to, compression);
  if (file.fileId !== undefined) followed.noteCopy(file.fileId, `${made.inode}@${made.birthNs}`);
  if (style !== 's6') {
    const late = obstacleOf(file, deed);
    if (late !== undefined) {
      opened.unlink(made);
      return later(late);
    }
    opened.unlink(file);
  }
  const freedBytes = Math.max(0, file.diskBytes - made.diskBytes);
  return done(freedBytes, `compressed ${file.size} bytes to ${made.size}`);
}

function done(freedBytes: number, text: string): ActionOutcome {
  return { kind: 'done', freedBytes, text };
}

function later(text: string): ActionOutcome {
  return { kind: 'later', text };
}
