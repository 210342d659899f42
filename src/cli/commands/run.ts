import { Option } from 'commander';
import type { Command } from 'commander';
import { ConfigError } from '../../base/errors.ts';
import type { FlagValue } from '../../config/load-config.ts';
import type { Config } from '../../config/config.ts';
import { addElasticsearchFlag, addKafkaFlag, clusterFlags } from '../cluster-flags.ts';
import { addConfigOptions, loadCommandConfig } from '../config-options.ts';
import type { ConfigOptionsChoice } from '../config-options.ts';
import type { CommandSetup } from '../command-setup.ts';
import { readServerUrl } from '../server-options.ts';

const AGENT_CHOICE: ConfigOptionsChoice = {
  listen: 'agent.listen',
  sections: ['sources', 'agent', 'kubernetes', 'transport', 'log'],
};
const SERVER_CHOICE: ConfigOptionsChoice = {
  listen: 'server.listen',
  sections: ['transport', 'indexer', 'store', 'server', 'log'],
};
const INDEXER_CHOICE: ConfigOptionsChoice = {
  listen: 'indexer.listen',
  sections: ['transport', 'indexer', 'store', 'log'],
};
const UP_CHOICE: ConfigOptionsChoice = { listen: 'server.listen' };

/** Adds `up`, `agent`, `indexer` and `server`: the commands that run until they are told to stop. */
export function addRunCommands(setup: CommandSetup): void {
  addUp(setup);
  addAgent(setup);
  addIndexer(setup);
  addServer(setup);
}

function addUp({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('up')
    .description('collect, store and search on this machine, in one process')
    .option('--demo', 'also run a few small apps that write logs, to have something to look at');
  addElasticsearchFlag(addKafkaFlag(command));
  addConfigOptions(command, UP_CHOICE).addHelpText(
    'after',
    `
Examples:
  logboom up                                  collect the usual trees that exist
  logboom up --demo --data /tmp/logboom       with something to look at
  logboom up --config logboom.yaml --listen 127.0.0.1:7000
  logboom up --kafka 127.0.0.1:9092 --elasticsearch http://127.0.0.1:9200`,
  );
  command.action(async (options: { demo?: boolean }) => {
    const loaded = loadCommandConfig(context, command, { ...UP_CHOICE, extraFlags: clusterFlags(command) });
    if (loaded.config.transport.kind === 'http') {
      throw new ConfigError(
        'transport.kind',
        'up stores what it collects, which needs transport.kind: memory or kafka',
        'Use `logboom agent` to send to a server elsewhere.',
      );
    }
    setExitCode(await context.actions.up({ loaded, isDemo: options.demo === true }));
  });
}

function addAgent({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('agent')
    .description('collect on this machine and send to a server or to Kafka')
    .addOption(new Option('--server <URL>', 'short for --transport-kind http --transport-url URL'))
    .addOption(new Option('--token <TEXT>', 'short for --transport-token'));
  addKafkaFlag(command);
  addConfigOptions(command, AGENT_CHOICE).addHelpText(
    'after',
    `
Examples:
  logboom agent --server http://logs.example:6410 --token "$TOKEN"
  logboom agent --kafka kafka-1.example:9092,kafka-2.example:9092
  logboom agent --config logboom.yaml`,
  );
  command.action(async () => {
    const loaded = loadCommandConfig(context, command, { ...AGENT_CHOICE, extraFlags: agentFlags(command) });
    if (loaded.config.transport.kind === 'memory') {
      throw new ConfigError(
        'transport.kind',
        'an agent on its own needs a server or a broker to send to',
        'Give --server URL or --kafka HOST:PORT, or use `logboom up` to run everything in one process.',
      );
    }
    setExitCode(await context.actions.agent({ loaded, isDemo: false }));
  });
}

function agentFlags(command: Command): FlagValue[] {
  const { server, token } = command.opts<{ server?: string; token?: string }>();
  const flags: FlagValue[] = clusterFlags(command);
  if (server !== undefined) {
    flags.push({ flag: '--server', path: 'transport.kind', text: 'http' });
    flags.push({ flag: '--server', path: 'transport.url', text: readServerUrl(server, undefined) });
  }
  if (token !== undefined) flags.push({ flag: '--token', path: 'transport.token', text: token });
  return flags;
}

function addIndexer({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('indexer')
    .description('take records from Kafka, run the pipelines, and write to Elasticsearch or OpenSearch');
  addElasticsearchFlag(addKafkaFlag(command));
  addConfigOptions(command, INDEXER_CHOICE).addHelpText(
    'after',
    `
Examples:
  logboom indexer --kafka kafka-1.example:9092 --elasticsearch https://search.example:9200
  logboom indexer --config logboom.yaml`,
  );
  command.action(async () => {
    const extraFlags = clusterFlags(command);
    const loaded = loadCommandConfig(context, command, { ...INDEXER_CHOICE, extraFlags });
    checkIndexer(loaded.config);
    setExitCode(await context.actions.indexer({ loaded, isDemo: false }));
  });
}

function checkIndexer({ transport, store }: Config): void {
  if (transport.kind !== 'kafka') {
    throw new ConfigError(
      'transport.kind',
      `an indexer on its own reads from a broker, and the kind is ${transport.kind}`,
      'Give --kafka HOST:PORT. `logboom up` and `logboom server` index by themselves.',
    );
  }
  if (store.kind === 'embedded') {
    throw new ConfigError(
      'store.kind',
      'an indexer on its own cannot write an embedded store: only the process that searches it can',
      'Give --elasticsearch URL, or use `logboom server`, which indexes into its embedded store by itself.',
    );
  }
}

function addServer({ program, context, setExitCode }: CommandSetup): void {
  const command = program
    .command('server')
    .description('answer searches; take records from agents and store them, unless indexers do');
  addElasticsearchFlag(addKafkaFlag(command));
  addConfigOptions(command, SERVER_CHOICE).addHelpText(
    'after',
    `
Examples:
  logboom server --data /var/lib/logboom
  logboom server --listen 0.0.0.0:6410 --server-token "$TOKEN"
  logboom server --kafka kafka-1.example:9092 --elasticsearch https://search.example:9200`,
  );
  command.action(async () => {
    const extraFlags = clusterFlags(command);
    const loaded = loadCommandConfig(context, command, { ...SERVER_CHOICE, extraFlags });
    setExitCode(await context.actions.server({ loaded, isDemo: false }));
  });
}
