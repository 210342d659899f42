/** What a person at a terminal is told when a role starts and ends; elsewhere the same goes to the log. */
import { colorsFor, formatCount, formatPlural } from '../cli/output.ts';
import { SERVER_URL_DEFAULT } from '../cli/server-options.ts';
import type { CliContext } from '../cli/context.ts';
import type { Config } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { placeOf } from './agent-parts.ts';

export interface IntroFacts {
  readonly config: Config;
  /** Address of the page and the API, or of health and metrics. */
  readonly address: string;
  readonly telemetry: Telemetry;
  /** Whether this role follows files. */
  readonly isCollecting: boolean;
  /** What the demo writes, and where. */
  readonly demo?: string | undefined;
  /** Where records are sent to; undefined when they are stored here. */
  readonly target?: string | undefined;
}

/** Says where things are and how to stop. */
export function printIntro(context: CliContext, facts: IntroFacts): void {
  const { config, address, telemetry } = facts;
  if (!context.stdout.isTerminal) {
    telemetry.log('info', 'started', `logboom ${context.version} is ready at ${address}`, {
      data: config.data,
      sources: config.sources.map((source) => `${source.kind} ${placeOf(source)}`),
    });
    return;
  }
  const colors = colorsFor(context.stdout.hasColor);
  const row = (title: string, text: string): string => `  ${colors.dim(title.padEnd(9))} ${text}`;
  const lines = ['', `${colors.bold('Logboom')} ${context.version}`, ''];
  if (facts.target === undefined) lines.push(row('page', colors.bold(colors.cyan(address))));
  else lines.push(row('sends to', facts.target), row('health', `${address}/readyz`));
  for (const [index, source] of config.sources.entries()) {
    lines.push(row(index === 0 ? 'collects' : '', `${placeOf(source)} ${colors.dim(`(${source.kind})`)}`));
  }
  if (config.sources.length === 0 && facts.isCollecting) {
    lines.push(
      row('collects', 'nothing: none of the usual trees is there'),
      row('', 'configure sources, or try --demo'),
    );
  }
  if (facts.demo !== undefined) lines.push(row('demo', facts.demo));
  lines.push(row('data', config.data));
  if (facts.target === undefined)
    lines.push(
      row('search', `${programOf(context.environment)} search error --since 15m${serverFlag(address)}`),
    );
  lines.push(row('stop', 'Ctrl-C'), '', '');
  context.stdout.write(lines.join('\n'));
}

/** Returns where a broker is. */
export function placeOfTransport(transport: Config['transport']): string {
  if (transport.kind === 'memory') return 'memory';
  return transport.kind === 'http'
    ? transport.url
    : `Kafka at ${transport.brokers.join(', ')}, ${transport.topic}`;
}

/** Returns where a store is. */
export function placeOfStore(store: Config['store']): string {
  return store.kind === 'embedded' ? 'the data directory' : store.urls.join(', ');
}

/** Returns what to type for this program in another terminal: a clone and `npx` put nothing on the PATH. */
export function programOf(environment: CliContext['environment']): string {
  // Set by npm for what it runs; a script of another package may as well have a `logboom` on its PATH.
  const isOwn = environment['npm_package_name'] === 'logboom';
  if (isOwn && environment['npm_lifecycle_event'] === 'start') return 'npm start --';
  return environment['npm_lifecycle_event'] === 'npx' ? 'npx logboom' : 'logboom';
}

function serverFlag(address: string): string {
  return address === SERVER_URL_DEFAULT ? '' : ` --server ${address}`;
}

/** Says that the first signal was heard. */
export function sayStopping(context: CliContext, telemetry: Telemetry): void {
  if (context.stdout.isTerminal)
    context.stdout.write('\nDelivering what was read … (Ctrl-C again ends at once)\n');
  else telemetry.log('info', 'stopping', 'delivering what was read');
}

export interface StopFacts {
  readonly isDrained: boolean;
  readonly records: number;
  readonly saved: string;
  /** Bytes that an agent leaves for the next start. */
  readonly leftBytes?: number;
}

function stoppedText({ isDrained, records, saved, leftBytes = 0 }: StopFacts): string {
  if (!isDrained)
    return 'stopped before everything was delivered; it goes on from the last checkpoint at the next start';
  const delivered = `${formatPlural(records, 'record')}, ${saved}`;
  if (leftBytes === 0) return `drained: ${delivered}`;
  const stay = leftBytes === 1 ? 'byte stays in its file and is' : 'bytes stay in their files and are';
  return `stopped: ${delivered}; ${formatCount(leftBytes)} ${stay} collected at the next start`;
}

/** Says how it ended. */
export function sayStopped(context: CliContext, telemetry: Telemetry, facts: StopFacts): void {
  const text = stoppedText(facts);
  if (context.stdout.isTerminal) context.stdout.write(`${text[0]?.toUpperCase()}${text.slice(1)}.\n`);
  else telemetry.log(facts.isDrained ? 'info' : 'warn', 'stopped', text, { records: facts.records });
}
