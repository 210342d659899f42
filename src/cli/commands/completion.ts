import { Argument } from 'commander';
import type { Command, Option } from 'commander';
import { flagNameOf } from '../../config/names.ts';
import { OPTIONS } from '../../config/options.ts';
import type { CommandSetup } from '../command-setup.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

type Shell = (typeof SHELLS)[number];

/** Adds `completion`. */
export function addCompletionCommand({ program, context }: CommandSetup): void {
  program
    .command('completion')
    .description('print a script that completes commands, options and their values in a shell')
    .addArgument(new Argument('<SHELL>').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  source <(logboom completion bash)
  logboom completion zsh > "\${fpath[1]}/_logboom"
  logboom completion fish > ~/.config/fish/completions/logboom.fish`,
    )
    .action((shell: Shell) => context.stdout.write(completionScript(shell, program)));
}

/** Returns the script for a shell, from what the program's commands and options are. */
export function completionScript(shell: Shell, program: Command): string {
  switch (shell) {
    case 'bash':
      return bashScript(program);
    case 'zsh':
      return zshScript(program);
    case 'fish':
      return fishScript(program);
  }
}

interface Flag {
  readonly flag: string;
  readonly description: string;
  /** The values that it knows; empty where it takes any, or none. */
  readonly values: readonly string[];
  readonly argument: 'none' | 'optional' | 'required';
}

interface Words {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** What can stand behind the command. */
  readonly operands: readonly string[];
}

function wordsOf(program: Command): Words[] {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    flags: flagsOf(command),
    operands: [
      ...command.commands.map((inner) => inner.name()),
      ...(command.registeredArguments[0]?.argChoices ?? []),
    ],
  }));
  const operands = commands.map(({ name }) => name);
  return [...commands, { name: 'help', description: 'print help of a command', flags: [], operands }];
}

function flagsOf(command: Command): Flag[] {
  const help: Flag = { flag: '--help', description: 'print help', values: [], argument: 'none' };
  const flags = command.options.flatMap((option): Flag[] => {
    const { long, description } = option;
    if (typeof long !== 'string') return [];
    const argument = option.required ? 'required' : option.optional ? 'optional' : 'none';
    return [{ flag: long, description, values: valuesOf(option), argument }];
  });
  return [...flags, help];
}

/** The choices of an option: those it checks itself, those in its help, or those of the option table. */
function valuesOf({ long, flags, argChoices }: Option): readonly string[] {
  if (argChoices !== undefined) return argChoices;
  const listed = /[<[](.*\|.*)[>\]]$/.exec(flags)?.[1];
  if (listed !== undefined) return listed.split('|');
  const shape = OPTIONS.find((option) => flagNameOf(option.path) === long)?.shape;
  return shape?.kind === 'choice' ? shape.values : [];
}

function bashScript(program: Command): string {
  const commands = wordsOf(program);
  const words = commands.map(({ name, flags, operands }) => {
    const flagWords = flags.map(({ flag }) => flag).join(' ');
    return `    ${name}) flags="${flagWords}"; operands="${operands.join(' ')}" ;;`;
  });
  const values = commands.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => flag.values.length > 0)
      .map((flag) => `    "${name} ${flag.flag}") values="${flag.values.join(' ')}" ;;`),
  );
  const names = commands.map(({ name }) => name).join(' ');
  return `# bash completion of logboom
_logboom() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" flags="" operands="" values=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} --help --version" -- "$current"))
    return
  fi
  case "$command" in
${words.join('\n')}
  esac
  case "$command $previous" in
${values.join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    values="$flags"
  elif [ "$COMP_CWORD" -eq 2 ]; then
    values="$operands"
  fi
  [ -z "$values" ] || COMPREPLY=($(compgen -W "$values" -- "$current"))
}
complete -o default -F _logboom logboom
`;
}

function zshScript(program: Command): string {
  const words = wordsOf(program);
  const commands = words.map(({ name, description }) => `    '${name}:${quote(description)}'`);
  const cases = words.map(({ name, flags, operands }) => {
    const first = operands.length === 0 ? [] : [`'1:${name}:(${operands.join(' ')})'`];
    return `    ${name}) _arguments ${[...flags.map(zshFlag), ...first, "'*:file:_files'"].join(' ')} ;;`;
  });
  return `#compdef logboom
_logboom() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _logboom ]; then _logboom "$@"; else compdef _logboom logboom; fi
`;
}

/** An option with its description, and what may follow it, in the language of zsh's `_arguments`. */
function zshFlag({ flag, description, values, argument }: Flag): string {
  const text = `${flag}[${zshText(description)}]`;
  if (argument === 'none') return `'${text}'`;
  const action = values.length > 0 ? `(${values.join(' ')})` : '_files';
  return `'${text}${argument === 'optional' ? '::' : ':'}${flag.slice(2)}:${action}'`;
}

function fishScript(program: Command): string {
  const lines = wordsOf(program).flatMap(({ name, description, flags, operands }) => {
    const isHere = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c logboom -n __fish_use_subcommand -f -a ${name} -d '${quote(description)}'`,
      ...(operands.length === 0 ? [] : [`complete -c logboom ${isHere} -f -a '${operands.join(' ')}'`]),
      ...flags.map((flag) => `complete -c logboom ${isHere} ${fishFlag(flag)}`),
    ];
  });
  return `# fish completion of logboom\n${lines.join('\n')}\n`;
}

function fishFlag({ flag, description, values, argument }: Flag): string {
  const text = `-l ${flag.slice(2)} -d '${quote(description)}'`;
  if (argument === 'none') return text;
  if (values.length === 0) return argument === 'required' ? `${text} -r` : text;
  return `${text}${argument === 'required' ? ' -x' : ''} -a '${values.join(' ')}'`;
}

function quote(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function zshText(text: string): string {
  return quote(text).replace(/[[\]:]/g, '\\$&');
}
