/** `--kafka` and `--elasticsearch`: short for the few options with which roles find the others of a cluster. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { FlagValue } from '../config/load-config.ts';

/** Adds `--kafka`. */
export function addKafkaFlag(command: Command): Command {
  const text = 'brokers: short for --transport-kind kafka --transport-brokers';
  return command.addOption(new Option('--kafka <HOST:PORT,…>', text));
}

/** Adds `--elasticsearch`. */
export function addElasticsearchFlag(command: Command): Command {
  const text = 'Elasticsearch or OpenSearch: short for --store-kind elasticsearch --store-urls';
  return command.addOption(new Option('--elasticsearch <URL,…>', text));
}

/** Returns what the two flags are short for. */
export function clusterFlags(command: Command): FlagValue[] {
  const { kafka, elasticsearch } = command.opts<{ kafka?: string; elasticsearch?: string }>();
  const flags: FlagValue[] = [];
  if (kafka !== undefined) {
    flags.push({ flag: '--kafka', path: 'transport.kind', text: 'kafka' });
    flags.push({ flag: '--kafka', path: 'transport.brokers', text: listText(kafka) });
  }
  if (elasticsearch !== undefined) {
    flags.push({ flag: '--elasticsearch', path: 'store.kind', text: 'elasticsearch' });
    flags.push({ flag: '--elasticsearch', path: 'store.urls', text: listText(elasticsearch) });
  }
  return flags;
}

/** Lists are given to the option table as YAML. */
function listText(flag: string): string {
  return JSON.stringify(flag.split(',').map((item) => item.trim()));
}
