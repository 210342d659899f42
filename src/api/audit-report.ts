/**
 * Compares what agents say they delivered with what search finds (G1): the whole of `logboom audit`, without I/O.
 *
 * Of each file: `records` were acknowledged, `found` stand in the store below the same offset, `twice` of them are
 * repeats. So `found - twice` distinct ones must be `records`, and the sums of their offsets must agree; the sums
 * catch a loss and a stranger that cancel out in the counts. What stands where the agent says that something may be
 * lost counts only where the agent counted it too.
 *
 * Documents that were posted to the API have no agent and no ledger. Nothing says how many there should be: they are
 * counted by themselves, and cannot be missing.
 *
 * Files that are written all the time always have something on the way. So an audit notes the sizes of its beginning,
 * its mark, and is over when every file is acknowledged up to there (`audit-run.ts`).
 */
import type { FileAudit } from '../store/store.ts';
import { isGapFileId } from '../record/gap-document.ts';
import { isHeartbeat } from '../record/heartbeat.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import { blindnessTexts, silenceText, type AgentReport } from './agent-watch.ts';
import type { AuditLetters, LetterTally } from './audit-letters.ts';
import type {
  AgentStatus,
  AuditAnswer,
  AuditFigures,
  AuditProblem,
  AuditRow,
  AuditVerdict,
} from './api-types.ts';
import { WithoutAgent } from './without-agent.ts';

/** A last line that is longer than this is none: the bytes wait for something else. */
const UNFINISHED_BYTES_MAX = 1024 * 1024;

/** Problems that a report names; the others are counted. */
const PROBLEMS_MAX = 100;

const SUM_MODULUS = 1n << 64n;

type Figures = { -readonly [name in keyof AuditFigures]: AuditFigures[name] } & {
  droppedBytes: Record<string, number>;
  flaws: Record<string, number>;
};

interface Group {
  readonly key: Pick<AuditRow, 'namespace' | 'pod' | 'container'>;
  readonly figures: Figures;
  verdict: AuditVerdict;
}

interface Finding {
  readonly missing: number;
  readonly verdict: AuditVerdict;
  /** Empty when the file is accounted for. */
  readonly reason: string;
  readonly unfinishedBytes?: number;
  /** Bytes that nobody will deliver, because the node is gone. */
  readonly lostBytes?: number;
  readonly letters?: LetterTally | undefined;
}

/** Which ledgers tell that a file rests: its agent is there, works, and would say when anything changed. */
export interface RestingLedgers {
  readonly node: string;
  /** RFC 3339 with nine digits, UTC: a ledger that is not younger has rested for long enough. */
  readonly untilTime: string;
}

/** What an audit knows beside the files. */
export interface AuditLook {
  /** Why the figures may be old. */
  readonly unknownReason?: string | undefined;
  /** By file id, the offset up to which a file must be acknowledged; those that are not in it are. Else: its size. */
  readonly marks?: ReadonlyMap<string, number> | undefined;
  /** Called with every file that is not acknowledged to its end, and its size. */
  readonly onLag?: ((fileId: string, bytesWritten: number) => void) | undefined;
  /** Without it, bytes that are read and not acknowledged may as well be on the way. */
  readonly resting?: RestingLedgers | undefined;
  /** Node of an agent in this process, which was asked for its ledger just now; undefined where there is none. */
  readonly ownNode?: string | undefined;
  /** What is known of agents. */
  readonly agents?: AgentReport | undefined;
  /** Records that are not in the store because it refused them. */
  readonly letters?: AuditLetters | undefined;
  /**
   * Whether all that a ledger record of this sequence tells of has passed the indexers, where they come after the
   * acknowledgement: before that, a record that is not found may be on the way. Without it, nothing is.
   */
  readonly isIndexed?: ((fileId: string, sequence: number) => boolean) | undefined;
  /** Called with every file that lacks records, and the sequence of its ledger record. */
  readonly onMissing?: ((fileId: string, sequence: number) => void) | undefined;
}

/** Adds up the audit of every file. */
export async function buildAuditReport(
  files: AsyncIterable<FileAudit>,
  look: AuditLook = {},
): Promise<AuditAnswer> {
  const { unknownReason } = look;
  const groups = new Map<string, Group>();
  const total = newFigures();
  const withoutAgent = new WithoutAgent(look.letters);
  const problems: AuditProblem[] = [];
  const excused = excusedNodes(look);
  /** By node: time of its last word. */
  const toldAt = new Map<string, string>();
  let problemCount = 0;
  let verdict: AuditVerdict = 'accounted';
  for await (const file of files) {
    if (file.ledger !== undefined && isHeartbeat(file.ledger)) {
      if (file.ledger.agent.state !== 'forgotten' && !excused.has(file.ledger.node))
        noteWord(toldAt, file.ledger, look.ownNode);
      continue;
    }
    const finding = examine(file, look);
    if (file.ledger === undefined && isGapFileId(file.fileId)) {
      // What agents say of gaps is no record of any file.
      total.twice += file.twice;
    } else if (file.ledger === undefined) {
      withoutAgent.add(file);
      total.twice += file.twice;
    } else {
      withoutAgent.leave(file.fileId);
      const group = groupOf(groups, file.ledger);
      if (!excused.has(file.ledger.node)) noteWord(toldAt, file.ledger, look.ownNode);
      for (const figures of [group.figures, total]) addFigures(figures, file, finding);
      group.verdict = worse(group.verdict, finding.verdict);
    }
    verdict = worse(verdict, finding.verdict);
    if (finding.reason === '') continue;
    problemCount += 1;
    const { fileId, ledger } = file;
    if (problems.length < PROBLEMS_MAX || finding.verdict === 'discrepancy') {
      problems.push({ fileId, path: ledger?.path ?? null, verdict: finding.verdict, reason: finding.reason });
    }
  }
  const silent = (look.agents?.agents ?? []).filter(({ state }) => state === 'silent');
  const unknowns = [
    ...(unknownReason === undefined ? [] : [unknownReason]),
    ...silent.map(silenceText),
    ...blindnessTexts(look.agents?.agents ?? [], look.ownNode),
  ];
  if (unknowns.length > 0) verdict = worse(verdict, 'unknown');
  problemCount += unknowns.length;
  problems.unshift(
    ...unknowns.map((reason) => ({ fileId: '', path: null, verdict: 'unknown' as const, reason })),
  );
  const rows = [...groups.values()].map((group) => ({
    ...group.key,
    ...group.figures,
    verdict: group.verdict,
  }));
  return {
    verdict,
    ...total,
    rows: rows.toSorted(compareRows),
    withoutAgent: withoutAgent.figures(),
    toldAt: earliestWord(toldAt, silent),
    agents: agentsOf(look),
    problems: mostSerious(problems),
    problemCount,
  };
}

/**
 * Returns up to when everyone's word reaches. A silent agent's reaches as far as its last heartbeat, which is the time
 * that its silence is told with: of what came of single files after it, nothing says that it was all there was.
 */
function earliestWord(toldAt: ReadonlyMap<string, string>, silent: readonly AgentStatus[]): string | null {
  const heartbeats = new Map(silent.map(({ node, saidAt }) => [node, saidAt]));
  const words = [...toldAt].map(([node, time]) => heartbeats.get(node) ?? time);
  return words.toSorted()[0] ?? null;
}

function agentsOf({ agents: report, ownNode }: AuditLook): AuditAnswer['agents'] {
  const elsewhere = (report?.agents ?? []).filter(({ node }) => node !== ownNode);
  const listed = (state: AgentStatus['state']): AgentStatus[] =>
    elsewhere.filter((agent) => agent.state === state).slice(0, PROBLEMS_MAX);
  const running = elsewhere.filter(({ state }) => state === 'running').length;
  return { running, silent: listed('silent'), stopped: listed('stopped') };
}

/** Nodes of which no word is expected any more: who stopped in good order is told of by itself. */
function excusedNodes({ agents: report }: AuditLook): ReadonlySet<string> {
  const over = (report?.agents ?? []).filter(({ state }) => state === 'stopped' || state === 'gone');
  return new Set([...(report?.forgottenNodes ?? []), ...over.map(({ node }) => node)]);
}

function noteWord(
  toldAt: Map<string, string>,
  { node, time }: LedgerRecord,
  ownNode: string | undefined,
): void {
  if (node !== ownNode && time > (toldAt.get(node) ?? '')) toldAt.set(node, time);
}

/** What is to be said of one file. */
function examine(given: FileAudit, look: AuditLook): Finding {
  const { fileId, ledger, twice } = given;
  if (ledger === undefined) {
    if (twice === 0) return { missing: 0, verdict: 'accounted', reason: '' };
    return { missing: 0, verdict: 'discrepancy', reason: `${plural(twice, 'record')} found twice` };
  }
  const file = withoutForgotten(given, ledger);
  const known = look.letters?.below(fileId, ledger.acknowledgedOffset);
  // Where the store has every record, letters tell of repeats, and stand for none of them.
  const letters = isWhole(file, ledger) ? undefined : known;
  const difference = compare(file, ledger, letters, look);
  if (difference !== undefined) return { ...difference, letters };
  const open = openBytes(fileId, ledger, look);
  if (open === 0) return { missing: 0, verdict: 'accounted', reason: '', letters };
  if (look.agents?.forgottenNodes.has(ledger.node) === true) {
    return { missing: 0, verdict: 'accounted', reason: '', lostBytes: lagOf(ledger), letters };
  }
  if (isUnfinished(ledger, look)) {
    return { missing: 0, verdict: 'accounted', reason: '', unfinishedBytes: lagOf(ledger), letters };
  }
  return { missing: 0, verdict: 'unknown', reason: `${plural(open, 'byte')} not yet acknowledged`, letters };
}

/** Whether search finds each record that was delivered, once. */
function isWhole(file: FileAudit, ledger: LedgerRecord): boolean {
  return file.twice === 0 && isSame(file, ledger);
}

/**
 * Leaves out what stands in a possible loss where the agent cannot have counted it: after a power loss that took back
 * its checkpoint it does not know any more that these records were delivered. Those that it read again are counted.
 */
function withoutForgotten(file: FileAudit, ledger: LedgerRecord): FileAudit {
  const { found, twice, offsetSum, inPossibleLoss } = file;
  if (inPossibleLoss === undefined || found - twice < ledger.records || isSame(file, ledger)) return file;
  const sum = (BigInt(offsetSum) - BigInt(inPossibleLoss.offsetSum) + SUM_MODULUS) % SUM_MODULUS;
  return { ...file, found: found - inPossibleLoss.count, offsetSum: String(sum) };
}

/** Whether the distinct records found are those that were delivered. */
function isSame({ found, twice, offsetSum }: FileAudit, ledger: LedgerRecord): boolean {
  return found - twice === ledger.records && offsetSum === ledger.offsetSum;
}

/** Returns what is different between what was delivered of a file and what is found, or undefined. */
function compare(
  { fileId, found, twice, offsetSum }: FileAudit,
  ledger: LedgerRecord,
  letters: LetterTally | undefined,
  look: AuditLook,
): Finding | undefined {
  const stored = found - twice;
  const letterCount = (letters?.refused ?? 0) + (letters?.discarded ?? 0);
  const distinct = stored + letterCount;
  const sum = String((BigInt(offsetSum) + (letters?.offsetSum ?? 0n)) % SUM_MODULUS);
  const missing = Math.max(0, ledger.records - distinct);
  const reasons: string[] = [];
  if (missing > 0) reasons.push(`${plural(missing, 'record')} missing`);
  if (twice > 0) reasons.push(`${plural(twice, 'record')} found twice`);
  if (distinct > ledger.records) {
    // A replay stores a document before it takes the letter away.
    const isReplaying = twice === 0 && stored <= ledger.records;
    if (isReplaying)
      return {
        missing,
        verdict: 'unknown',
        reason: 'dead letters of records that are stored: replay them again',
      };
    reasons.push(`${plural(distinct - ledger.records, 'record')} found that no agent sent`);
  }
  if (distinct === ledger.records && sum !== ledger.offsetSum) {
    reasons.push('as many records found as sent, but not the same ones');
  }
  if (reasons.length === 0) return undefined;
  const isLost = missing > 0 || sum !== ledger.offsetSum;
  if (isLost && twice === 0 && look.isIndexed?.(fileId, ledger.sequence) === false) {
    look.onMissing?.(fileId, ledger.sequence);
    return {
      missing: 0,
      verdict: 'unknown',
      reason: `${plural(Math.max(1, missing), 'record')} not yet stored`,
    };
  }
  if (isLost) look.onMissing?.(fileId, ledger.sequence);
  return {
    missing: Math.max(missing, distinct === ledger.records && twice === 0 ? 1 : 0),
    verdict: 'discrepancy',
    reason: reasons.join(', '),
  };
}

/**
 * Whether what is not acknowledged can only be a last line without its end: all of it was read, and nothing has come
 * of it for longer than anything is on the way.
 */
function isUnfinished(ledger: LedgerRecord, { resting }: AuditLook): boolean {
  if (resting === undefined || ledger.node !== resting.node || ledger.state !== 'active') return false;
  if (ledger.bytesRead !== ledger.bytesWritten || lagOf(ledger) > UNFINISHED_BYTES_MAX) return false;
  return ledger.time <= resting.untilTime;
}

/** Bytes that this audit still waits for. */
function openBytes(fileId: string, ledger: LedgerRecord, { marks, onLag }: AuditLook): number {
  const lag = lagOf(ledger);
  if (lag === 0) return 0;
  onLag?.(fileId, ledger.bytesWritten);
  if (marks === undefined) return lag;
  // A file that was cut is not written up to its mark any more.
  const mark = Math.min(marks.get(fileId) ?? 0, ledger.bytesWritten);
  return Math.max(0, mark - ledger.acknowledgedOffset);
}

function addFigures(
  figures: Figures,
  { ledger, twice, droppedByPipeline, expired, expiredEarly = 0 }: FileAudit,
  { missing, unfinishedBytes = 0, lostBytes = 0, letters }: Finding,
): void {
  figures.files += 1;
  figures.missing += missing;
  figures.unfinishedBytes += unfinishedBytes;
  figures.twice += twice;
  figures.droppedByPipeline += droppedByPipeline + (letters?.discarded ?? 0);
  figures.deadLettered += letters?.refused ?? 0;
  figures.expired += expired;
  figures.expiredEarly += expiredEarly;
  if (ledger === undefined) return;
  figures.bytesWritten += ledger.bytesWritten;
  figures.records += ledger.records;
  figures.lagBytes += lagOf(ledger) - lostBytes;
  figures.possibleLoss += ledger.gaps.length + (lostBytes > 0 ? 1 : 0);
  figures.possibleLossBytes += lostBytes;
  for (const { startOffset, endOffset } of ledger.gaps) {
    if (endOffset > startOffset) figures.possibleLossBytes += endOffset - startOffset;
    else figures.possibleLossUnsized += 1;
  }
  addTo(figures.droppedBytes, ledger.dropped);
  addTo(figures.flaws, ledger.flaws ?? {});
}

function addTo(sum: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(counts)) sum[key] = (sum[key] ?? 0) + count;
}

function lagOf({ bytesWritten, acknowledgedOffset }: LedgerRecord): number {
  return Math.max(0, bytesWritten - acknowledgedOffset);
}

function groupOf(groups: Map<string, Group>, ledger: LedgerRecord | undefined): Group {
  const namespace = ledger?.namespace ?? null;
  const pod = ledger?.pod ?? null;
  const container = ledger?.container ?? null;
  const id = JSON.stringify([namespace, pod, container]);
  let group = groups.get(id);
  if (group === undefined) {
    group = { key: { namespace, pod, container }, figures: newFigures(), verdict: 'accounted' };
    groups.set(id, group);
  }
  return group;
}

function newFigures(): Figures {
  return {
    files: 0,
    bytesWritten: 0,
    records: 0,
    lagBytes: 0,
    unfinishedBytes: 0,
    missing: 0,
    twice: 0,
    droppedByPipeline: 0,
    deadLettered: 0,
    expired: 0,
    expiredEarly: 0,
    droppedBytes: {},
    flaws: {},
    possibleLoss: 0,
    possibleLossBytes: 0,
    possibleLossUnsized: 0,
  };
}

const SEVERITY: Readonly<Record<AuditVerdict, number>> = { accounted: 0, unknown: 1, discrepancy: 2 };

function worse(left: AuditVerdict, right: AuditVerdict): AuditVerdict {
  return SEVERITY[left] >= SEVERITY[right] ? left : right;
}

function mostSerious(problems: readonly AuditProblem[]): AuditProblem[] {
  return problems
    .toSorted((left, right) => SEVERITY[right.verdict] - SEVERITY[left.verdict])
    .slice(0, PROBLEMS_MAX);
}

function compareRows(left: AuditRow, right: AuditRow): number {
  const key = ({ namespace, pod, container }: AuditRow): string =>
    [namespace, pod, container].map((part) => part ?? '').join('\u0000');
  return key(left) < key(right) ? -1 : 1;
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
