import type { SourcesAnswer, StatsAnswer } from '../../api/api-types.ts';
import { colorsFor, formatCount, formatSeconds, formatSize, formatTable } from '../output.ts';
import type { Colors } from '../output.ts';
import type { CommandSetup } from '../command-setup.ts';
import { addServerOptions, openClient } from '../server-options.ts';

/** Adds `stats`. */
export function addStatsCommand({ program, context }: CommandSetup): void {
  const command = program
    .command('stats')
    .description('show what a server holds and collects')
    .option('--json', 'print JSON');
  addServerOptions(command).addHelpText(
    'after',
    `
Examples:
  logboom stats
  logboom stats --json | jq .records`,
  );
  command.action(async (options: { json?: boolean }) => {
    const client = openClient(context, command);
    const [stats, { sources }] = await Promise.all([
      client.getJson<StatsAnswer>('/stats'),
      client.getJson<SourcesAnswer>('/sources'),
    ]);
    const colors = colorsFor(context.stdout.hasColor);
    const text =
      options.json === true
        ? `${JSON.stringify({ ...stats, sources })}\n`
        : `${formatStats(stats, client.serverUrl)}${formatSources(sources, colors)}${formatAgents(stats, colors)}${formatNamespaces(stats, colors)}`;
    context.stdout.write(text);
  });
}

function formatStats(stats: StatsAnswer, serverUrl: string): string {
  const lines = [
    `server     ${serverUrl}, version ${stats.version}, up ${formatSeconds(stats.uptimeSeconds)}`,
    `records    ${formatCount(stats.records)} in ${formatSize(stats.bytesOnDisk)} on disk`,
    `oldest     ${stats.oldest ?? '-'}`,
    `newest     ${stats.newest ?? '-'}`,
  ];
  if (stats.quarantined.length > 0) {
    lines.push(`set aside  ${stats.quarantined.length} files of the store that cannot be read:`);
    lines.push(...stats.quarantined.map(({ path, reason }) => `           ${path}: ${reason}`));
  }
  return `${lines.join('\n')}\n`;
}

function formatSources(sources: SourcesAnswer['sources'], colors: Colors): string {
  if (sources.length === 0) return '';
  const rows = sources.map(({ kind, place, state, files, lagBytes, reason }) => [
    kind,
    place,
    state,
    formatCount(files),
    formatSize(lagBytes),
    reason ?? '',
  ]);
  const columns = [
    { title: 'SOURCE' },
    { title: 'PLACE' },
    { title: 'STATE' },
    { title: 'FILES', isNumber: true },
    { title: 'LAG', isNumber: true },
    { title: '' },
  ];
  return `\n${formatTable(columns, rows, colors)}`;
}

/** An earlier server says nothing of agents. */
function formatAgents({ agents = [] }: Partial<StatsAnswer>, colors: Colors): string {
  if (agents.length === 0) return '';
  const columns = [
    { title: 'AGENT' },
    { title: 'STATE' },
    { title: 'SAID AT' },
    { title: 'FILES', isNumber: true },
    { title: 'UNREAD', isNumber: true },
    { title: 'UNACKNOWLEDGED', isNumber: true },
    { title: 'VERSION' },
  ];
  const rows = agents.map((agent) => [
    agent.node,
    agent.state,
    `${agent.saidAt.slice(0, 19)}Z`,
    formatCount(agent.files),
    formatSize(agent.unreadBytes),
    formatSize(agent.unacknowledgedBytes),
    agent.version,
  ]);
  return `\n${formatTable(columns, rows, colors)}`;
}

function formatNamespaces({ namespaces }: StatsAnswer, colors: Colors): string {
  if (namespaces.length === 0) return '';
  const rows = namespaces.map(({ namespace, records }) => [
    namespace === '' ? '-' : namespace,
    formatCount(records),
  ]);
  return `\n${formatTable([{ title: 'NAMESPACE' }, { title: 'RECORDS', isNumber: true }], rows, colors)}`;
}
