/**
 * Writes the configuration that the real logrotate is run with, see logrotate(8). logrotate renames or copies; what
 * was rotated is compressed and removed by Logboom, which knows what is acknowledged: hence `rotate -1` and
 * `nocompress`.
 */
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import { parseSu } from '../../config/rotate-options.ts';

export interface LogrotateFile {
  readonly path: string;
  /** Rotated whatever its size: its age says so. */
  readonly isDueByAge: boolean;
}

/** What sorts by age as text, and is recognised as a rotated name. */
const DATE_FORMAT = '-%Y%m%d-%H%M%S';

/** Characters that end a name in a configuration, or that no name in one can have. */
const FORBIDDEN = /[\p{Cc}{}]/u;

/** Whether logrotate can be told of this path. */
export function isLogrotatePath(path: string): boolean {
  return path.startsWith('/') && !FORBIDDEN.test(path);
}

/** Returns the text of a configuration for files of one policy, in the order given. */
export function logrotateConfig(files: readonly LogrotateFile[], policy: RotatePolicyConfig): string {
  const bySize = files.filter(({ isDueByAge }) => !isDueByAge);
  const byAge = files.filter(({ isDueByAge }) => isDueByAge);
  const head = '# Written by Logboom from `rotate`, anew whenever files come and go.\n';
  return `${head}${block(bySize, policy, policy.size)}${block(byAge, policy, 1)}`;
}

function block(files: readonly LogrotateFile[], policy: RotatePolicyConfig, sizeBytes: number): string {
  const paths = files.filter(({ path }) => isLogrotatePath(path)).map(({ path }) => quote(path));
  if (paths.length === 0) return '';
  const su = policy.su === undefined ? undefined : parseSu(policy.su);
  const lines = [
    ...(su === undefined ? [] : [`su ${su.user} ${su.group}`]),
    `size ${sizeBytes}`,
    'rotate -1',
    'nocompress',
    'dateext',
    `dateformat ${DATE_FORMAT}`,
    policy.missingok ? 'missingok' : 'nomissingok',
    policy.notifempty ? 'notifempty' : 'ifempty',
    ...(policy.copytruncate ? ['copytruncate'] : ['create']),
    ...scriptOf(policy),
  ];
  return `${paths.join('\n')} {\n${lines.map((line) => `    ${line}\n`).join('')}}\n`;
}

function scriptOf(policy: RotatePolicyConfig): string[] {
  const commands = [
    ...(policy.postrotate === undefined ? [] : policy.postrotate.trimEnd().split('\n')),
    ...(policy.signal === undefined || policy.pidFile === undefined
      ? []
      : [`kill -${policy.signal} "$(cat ${shellQuote(policy.pidFile)})"`]),
  ];
  return commands.length === 0 ? [] : ['sharedscripts', 'postrotate', ...commands, 'endscript'];
}

/** In double quotes; characters of globs stand for themselves. */
function quote(path: string): string {
  return `"${path.replace(/[\\"*?[\]]/g, '\\$&')}"`;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
