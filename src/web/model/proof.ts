/** What the header says of the audit: the product's promise in one line, or what is wrong with it. */
import type { AuditAnswer } from '../../api/api-types.ts';
import { bytesText, countText, plural, shortCountText } from './number-text.ts';

export interface Proof {
  readonly text: string;
  readonly title: string;
  readonly isProblem: boolean;
}

/** Nodes of silent agents that are named. */
const NODES_MAX = 5;

export const PROOF_CHECKING: Proof = {
  text: 'checking…',
  title: 'Comparing what stood in the files with what search finds',
  isProblem: false,
};

/** Returns the sentence for an audit's figures. */
export function proofOf(
  figures: Pick<AuditAnswer, 'verdict' | 'records' | 'missing' | 'twice' | 'lagBytes' | 'agents'>,
): Proof {
  const { missing, twice, verdict } = figures;
  const accounted = `${shortCountText(figures.records)} ${figures.records === 1 ? 'line' : 'lines'} accounted`;
  const text = `${accounted} · ${countText(missing)} missing · ${countText(twice)} twice`;
  if (verdict === 'discrepancy') {
    const title = `${plural(missing, 'record')} missing, ${countText(twice)} twice: logboom audit names the files`;
    return { text, title, isProblem: true };
  }
  const { silent } = figures.agents;
  if (verdict === 'unknown' && silent.length > 0) {
    const nodes = silent.slice(0, NODES_MAX).map(({ node }) => node);
    const title = `What agents do not tell is in no figure: ${nodes.join(', ')}${silent.length > NODES_MAX ? ', …' : ''}`;
    return { text: `${text} · ${plural(silent.length, 'agent')} silent`, title, isProblem: true };
  }
  if (verdict === 'unknown' && figures.lagBytes > 0) {
    const lag = bytesText(figures.lagBytes);
    return {
      text: `${text} · ${lag} on the way`,
      title: `${lag} are on their way to the store`,
      isProblem: false,
    };
  }
  if (verdict === 'unknown') {
    const title = 'The agents have not accounted for every file yet';
    return { text: `${accounted} · the rest not yet`, title, isProblem: false };
  }
  const title = `${plural(figures.records, 'line')}: bytes written in files = records found`;
  if (figures.lagBytes === 0) return { text, title, isProblem: false };
  const lag = bytesText(figures.lagBytes);
  return { text, title: `${title}; ${lag} written since are on their way`, isProblem: false };
}
