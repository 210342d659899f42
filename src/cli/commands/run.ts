import { Option } from 'commander';
import type { Command } from 'commander';
import { ConfigError } from '../../base/errors.ts';
import type { FlagValue } from '../../config/load-config.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import type { ConfigOptionsChoice } from '../config-options.ts';
import type { CommandSetup } from '../command-setup.ts';
import { readServerUrl } from '../server-options.ts';

const AGENT_CHOICE: ConfigOptionsChoice = {
  listen: 'agent.listen',
  sections: ['sources', 'agent', 'transport', 'log'],
};
const SERVER_CHOICE: ConfigOptionsChoice = {
  listen: 'server.listen',
  sections: ['transport', 'indexer', 'store', 'server', 'log'],
};
const UP_CHOICE: ConfigOptionsChoice = { listen: 'server.listen' };

/** Adds `up`, `agent` and `server`: the commands that run until they are told to stop. */
export function addRunCommands(setup: CommandSetup): void {
  addUp(setup);
  addAgent(setup);
  addServer(setup);
}

function addUp({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('up')
    .description('collect, store and search on this machine, in one process')
    .option('--demo', 'also run a few small apps that write logs, to have something to look at');
  addConfigOptions(command, UP_CHOICE).addHelpText(
    'after',
    `
Examples:
  logboom up                                  collect the usual trees that exist
  logboom up --demo --data /tmp/logboom       with something to look at
  logboom up --config logboom.yaml --listen 127.0.0.1:7000`,
  );
  command.action(async (options: { demo?: boolean }) => {
    const loaded = loadCommandConfig(context, command, UP_CHOICE);
    if (loaded.config.transport.kind !== 'memory') {
      throw new ConfigError(
        'transport.kind',
        'up runs everything in one process, which needs transport.kind: memory',
        'Use `logboom agent` to send to a server elsewhere.',
      );
    }
    setExitCode(await context.actions.up({ loaded, isDemo: options.demo === true }));
  });
}

function addAgent({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('agent')
    .description('collect on this machine and send to a server')
    .addOption(new Option('--server <URL>', 'short for --transport-kind http --transport-url URL'))
    .addOption(new Option('--token <TEXT>', 'short for --transport-token'));
  addConfigOptions(command, AGENT_CHOICE).addHelpText(
    'after',
    `
Examples:
  logboom agent --server http://logs.example:6410 --token "$TOKEN"
  logboom agent --config logboom.yaml`,
  );
  command.action(async () => {
    const loaded = loadCommandConfig(context, command, { ...AGENT_CHOICE, extraFlags: agentFlags(command) });
    if (loaded.config.transport.kind === 'memory') {
      throw new ConfigError(
        'transport.kind',
        'an agent on its own needs a server to send to',
        'Give --server URL, or use `logboom up` to run everything in one process.',
      );
    }
    setExitCode(await context.actions.agent({ loaded, isDemo: false }));
  });
}

function agentFlags(command: Command): FlagValue[] {
  const { server, token } = command.opts<{ server?: string; token?: string }>();
  const flags: FlagValue[] = [];
  if (server !== undefined) {
    flags.push({ flag: '--server', path: 'transport.kind', text: 'http' });
    flags.push({ flag: '--server', path: 'transport.url', text: readServerUrl(server, undefined) });
  }
  if (token !== undefined) flags.push({ flag: '--token', path: 'transport.token', text: token });
  return flags;
}

function addServer({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('server')
    .description('take records from agents, store them, and answer searches');
  addConfigOptions(command, SERVER_CHOICE).addHelpText(
    'after',
    `
Examples:
  logboom server --data /var/lib/logboom
  logboom server --listen 0.0.0.0:6410 --server-token "$TOKEN"`,
  );
  command.action(async () => {
    const loaded = loadCommandConfig(context, command, SERVER_CHOICE);
    setExitCode(await context.actions.server({ loaded, isDemo: false }));
  });
}
