import { Argument } from 'commander';
import type { Command } from 'commander';
import type { CommandSetup } from '../command-setup.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

type Shell = (typeof SHELLS)[number];

/** Adds `completion`. */
export function addCompletionCommand({ program, context }: CommandSetup): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
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

function flagsOf(command: Command): { flag: string; description: string }[] {
  return command.options.flatMap(({ long, description }) =>
    typeof long !== 'string' ? [] : [{ flag: long, description }],
  );
}

function bashScript(program: Command): string {
  const cases = program.commands.map((command) => {
    const flags = [...flagsOf(command).map(({ flag }) => flag), '--help'].join(' ');
    return `    ${command.name()}) words="${flags}" ;;`;
  });
  const names = program.commands.map((command) => command.name()).join(' ');
  return `# bash completion of logboom
_logboom() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${names} help --help --version"
  elif [[ "$current" != -* ]]; then
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _logboom logboom
`;
}

function zshScript(program: Command): string {
  const commands = program.commands.map(
    (command) => `    '${command.name()}:${quote(command.description())}'`,
  );
  const cases = program.commands.map((command) => {
    const flags = flagsOf(command).map(({ flag, description }) => `'${flag}[${zshText(description)}]'`);
    return `    ${command.name()}) _arguments ${[...flags, "'*:file:_files'"].join(' ')} ;;`;
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

function fishScript(program: Command): string {
  const lines = program.commands.flatMap((command) => {
    const name = command.name();
    return [
      `complete -c logboom -n __fish_use_subcommand -f -a ${name} -d '${quote(command.description())}'`,
      ...flagsOf(command).map(
        ({ flag, description }) =>
          `complete -c logboom -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)} -d '${quote(description)}'`,
      ),
    ];
  });
  return `# fish completion of logboom\n${lines.join('\n')}\n`;
}

function quote(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function zshText(text: string): string {
  return quote(text).replace(/[[\]:]/g, '\\$&');
}
