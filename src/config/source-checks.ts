/** What is wrong with sources whose members are right one by one: found here, and not when the first file is read. */
import { RE2JS } from 're2js';
import { messageOf } from '../base/errors.ts';
import type { MultilineConfig, SourceConfig } from './source-config.ts';
import type { Problem } from './value-reader.ts';

type Report = (member: string, message: string, hint?: string) => void;

/** Members of documents that the agent writes for every record: a path has no say in them. */
const TAKEN_FIELDS = ['@timestamp', 'message', 'stream', 'log', 'event'];

/** Members of documents that are objects: a name from a path stands in them, not in their place. */
const OBJECT_FIELDS = [
  'agent',
  'container',
  'ecs',
  'host',
  'input',
  'kubernetes',
  'kubernetes.container',
  'kubernetes.node',
  'kubernetes.pod',
  'labels',
  'orchestrator',
  'service',
];

const FIELD_NAME = /^[a-z_][\w-]*(?:\.[a-z_][\w-]*)*$/i;

/** Adds to `problems` what is wrong with each source, by the path of the member. */
export function checkSources(sources: readonly SourceConfig[], problems: Problem[]): void {
  for (const [index, source] of sources.entries()) {
    const report: Report = (member, message, hint) =>
      problems.push({ name: `sources[${index}].${member}`, where: undefined, message, hint });
    checkMultiline(source.multiline, report);
    checkZone(source.timeZone, report);
    if (source.kind === 'files' && source.template !== undefined) checkTemplate(source.template, report);
  }
}

function checkMultiline(multiline: MultilineConfig, report: Report): void {
  const { mode, start, continue: following } = multiline;
  const hasPattern = start !== undefined || following !== undefined;
  if (mode === 'custom' && !hasPattern) report('multiline', 'mode custom needs start or continue');
  if (mode !== 'custom' && hasPattern) {
    const message = `start and continue count only with mode: custom, and the mode is ${mode}`;
    report('multiline', message, 'Add mode: custom.');
  }
  for (const [member, pattern] of Object.entries({ start, continue: following })) {
    if (pattern !== undefined) checkPattern(`multiline.${member}`, pattern, report);
  }
}

function checkPattern(member: string, pattern: string, report: Report): void {
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    report(member, `the pattern is no RE2 regular expression: ${messageOf(error)}`);
  }
}

function checkZone(zone: string | undefined, report: Report): void {
  if (zone === undefined) return;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone }).format(0);
  } catch {
    const hint = 'Use a name such as Europe/Berlin, or an offset such as +02:00.';
    report('timeZone', `'${zone}' is no time zone`, hint);
  }
}

function checkTemplate(template: string, report: Report): void {
  const names = [...template.matchAll(/\{([^{}/]*)\}/g)].map((match) => match[1] ?? '');
  const problem = templateProblem(template, names);
  const hint = 'A template is a path such as /srv/{kubernetes.namespace}/{service.name}.log.';
  if (problem !== undefined) report('template', `got ${JSON.stringify(template)}, ${problem}`, hint);
}

/** Returns what is wrong as the end of a sentence, or undefined. */
function templateProblem(template: string, names: readonly string[]): string | undefined {
  if (!template.startsWith('/')) return 'which does not begin with a / as the paths of files do';
  if (/[{}]/.test(template.replaceAll(/\{[^{}/]*\}/g, ''))) return 'in which a bracket has no counterpart';
  if (names.length === 0) return 'in which no {name} stands';
  for (const name of names) {
    const field = `{${name}}`;
    if (!FIELD_NAME.test(name) && !TAKEN_FIELDS.includes(name)) return `in which ${field} names no field`;
    if (TAKEN_FIELDS.includes(name.split('.')[0] ?? ''))
      return `in which ${field} is given by the record itself`;
    const inner = names.find((other) => other.startsWith(`${name}.`));
    if (OBJECT_FIELDS.includes(name) || inner !== undefined)
      return `in which ${field} is no field but a group of them`;
    if (names.indexOf(name) !== names.lastIndexOf(name)) return `in which ${field} stands twice`;
  }
  return undefined;
}
