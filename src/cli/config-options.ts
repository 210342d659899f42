/** The flags of the option table, on commands that take a configuration. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { ConfigError, messageOf, systemCodeOf } from '../base/errors.ts';
import { flagNameOf } from '../config/names.ts';
import { OPTIONS, SECTIONS, sectionOf } from '../config/options.ts';
import { loadConfig, resolveFrom } from '../config/load-config.ts';
import type { FlagValue, LoadedConfig } from '../config/load-config.ts';
import type { OptionDefinition } from '../config/shape.ts';
import type { CliContext } from './context.ts';

export interface ConfigOptionsChoice {
  /** Names of the sections whose flags the command has; all of them when undefined. */
  readonly sections?: readonly string[];
  /** Path of the option that `--listen` is short for; undefined leaves `--listen` out. */
  readonly listen?: string;
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  address: 'HOST:PORT',
  bytes: 'SIZE',
  duration: 'DURATION',
  integer: 'N',
  path: 'PATH',
  url: 'URL',
  list: 'YAML',
};

/** Longer choices stand in the description: they would leave no room for it. */
const CHOICES_WIDTH_MAX = 40;

/** Adds `--config`, the short spellings, and one flag per option, grouped as the table's sections are. */
export function addConfigOptions(command: Command, choice: ConfigOptionsChoice = {}): Command {
  command.addOption(new Option('-c, --config <FILE>', 'configuration file (environment: LOGBOOM_CONFIG)'));
  if (choice.listen !== undefined) {
    command.addOption(new Option('--listen <HOST:PORT>', `short for ${flagNameOf(choice.listen)}`));
  }
  for (const section of SECTIONS) {
    if (choice.sections !== undefined && section.name !== '' && !choice.sections.includes(section.name))
      continue;
    const options = OPTIONS.filter((option) => sectionOf(option.path) === section.name);
    for (const option of options) command.addOption(toFlag(option, `${section.title} options:`));
  }
  return command;
}

/** Reads the configuration that the command's flags, the environment and the file give; prints its warnings. */
export function loadCommandConfig(
  context: CliContext,
  command: Command,
  choice: ConfigOptionsChoice & { readonly extraFlags?: readonly FlagValue[] } = {},
): LoadedConfig {
  const given = command.opts<Record<string, unknown>>();
  const flags: FlagValue[] = [];
  for (const option of OPTIONS) {
    const flag = flagNameOf(option.path);
    const value = given[attributeOf(flag)];
    if (value !== undefined) flags.push({ flag, path: option.path, text: toText(value) });
  }
  if (choice.listen !== undefined && given['listen'] !== undefined) {
    flags.push({ flag: '--listen', path: choice.listen, text: toText(given['listen']) });
  }
  flags.push(...(choice.extraFlags ?? []));
  const loaded = loadConfig({
    flags,
    environment: context.environment,
    file: readConfigFile(context, given['config']),
    hostName: context.hostName,
    workingDirectory: context.workingDirectory,
    hasDirectory: (path) => isDirectory(context, path),
  });
  for (const warning of loaded.warnings) context.stderr.write(`logboom: warning: ${warning}\n`);
  return loaded;
}

function toFlag(option: OptionDefinition, group: string): Option {
  const flag = flagNameOf(option.path);
  const { shape } = option;
  if (shape.kind === 'boolean')
    return new Option(`${flag} [true|false]`, describeSwitch(option, flag)).helpGroup(group);
  const choices = shape.kind === 'choice' ? shape.values : [];
  const isListed = choices.length > 0 && choices.join('|').length > CHOICES_WIDTH_MAX;
  const placeholder =
    choices.length > 0 && !isListed ? choices.join('|') : (PLACEHOLDERS[shape.kind] ?? 'TEXT');
  const description = isListed ? `${describe(option)}: ${choices.join(', ')}` : describe(option);
  return new Option(`${flag} <${placeholder}>`, description).helpGroup(group);
}

function describe({ description, default: value, defaultText }: OptionDefinition): string {
  const text =
    defaultText ?? (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined);
  return text === undefined ? description : `${description.replace(/\.$/, '')} (default: ${text})`;
}

/** What is on by default says how to switch it off. */
function describeSwitch({ description, default: value }: OptionDefinition, flag: string): string {
  return value === true
    ? `${description.replace(/\.$/, '')} (default: true; off with ${flag} false)`
    : description;
}

function readConfigFile(context: CliContext, flag: unknown): { name: string; text: string } | undefined {
  const name = typeof flag === 'string' ? flag : context.environment['LOGBOOM_CONFIG'];
  if (name === undefined || name === '') return undefined;
  const option = typeof flag === 'string' ? '--config' : 'LOGBOOM_CONFIG';
  try {
    const bytes = context.fileSystem.readFile(resolveFrom(context.workingDirectory, name));
    return { name, text: new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes) };
  } catch (error) {
    throw new ConfigError(option, `cannot read ${name}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  switch (systemCodeOf(error)) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a directory';
    case 'EACCES':
      return 'permission denied';
    default:
      return messageOf(error);
  }
}

function isDirectory(context: CliContext, path: string): boolean {
  try {
    return context.fileSystem.stat(path)?.kind === 'directory';
  } catch {
    return false;
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : String(value === true);
}

/** The name under which commander keeps a flag's value. */
function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
