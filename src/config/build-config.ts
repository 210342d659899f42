/** From option values by path to the typed `Config`, with the checks that look at several values at once. */
import { assert } from '../base/assert.ts';
import type { Config, TransportConfig } from './config.ts';
import { elasticsearchConfig } from './elasticsearch-options.ts';
import { kafkaConfig } from './kafka-options.ts';
import { kubernetesConfig } from './kubernetes-options.ts';
import type { PipelineConfig } from './pipeline-config.ts';
import type { SourceConfig } from './source-config.ts';
import { checkSources } from './source-checks.ts';
import { DEFAULT_ROOTS, SOURCE_SHAPE } from './source-options.ts';
import type { RotatePolicyConfig } from './rotate-config.ts';
import { checkBudget, checkPolicies } from './rotate-options.ts';
import { OptionValues } from './option-values.ts';
import { defaultOf } from './value-reader.ts';
import type { Problem } from './value-reader.ts';

export interface BuildInput {
  readonly hostName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly hasDirectory: (path: string) => boolean;
}

export interface BuiltConfig {
  readonly config: Config;
  readonly problems: readonly Problem[];
}

/** Returns the configuration, and what is wrong with values that are right one by one. */
export function buildConfig(values: ReadonlyMap<string, unknown>, input: BuildInput): BuiltConfig {
  const read = new OptionValues(values);
  const problems: Problem[] = [];
  const sources = (read.at('sources') as readonly SourceConfig[] | undefined) ?? defaultSources(input);
  const pipelines = read.at('indexer.pipelines') as readonly PipelineConfig[];
  checkSources(sources, problems);
  checkPipelines(pipelines, problems);
  const nodeName = read.maybeText('node.name') ?? input.environment['NODE_NAME'] ?? input.hostName;
  const config: Config = {
    cluster: { name: read.text('cluster.name') },
    node: { name: nodeName },
    data: read.text('data'),
    sources,
    agent: agentConfig(read),
    kubernetes: kubernetesConfig(read, problems, nodeName),
    rotate: read.at('rotate') as readonly RotatePolicyConfig[],
    rotateBudget: rotateBudget(read),
    transport: transportConfig(read, problems),
    indexer: {
      pipelines,
      listen: read.text('indexer.listen'),
      batchBytesMax: read.number('indexer.batchBytesMax'),
    },
    store: storeConfig(read, problems),
    server: {
      listen: read.text('server.listen'),
      token: read.maybeText('server.token'),
      insecure: read.at('server.insecure') === true,
    },
    log: {
      level: read.text('log.level') as Config['log']['level'],
      format: read.text('log.format') as Config['log']['format'],
    },
    drainMsMax: read.number('drainMsMax'),
  };
  checkPolicies(config.rotate, problems);
  checkBudget(config.rotateBudget, problems);
  return { config, problems };
}

function agentConfig(read: OptionValues): Config['agent'] {
  return {
    listen: read.text('agent.listen'),
    lineBytesMax: read.number('agent.lineBytesMax'),
    longLines: read.text('agent.longLines') as Config['agent']['longLines'],
    rescanMs: read.number('agent.rescanMs'),
    bufferBytesMax: read.number('agent.bufferBytesMax'),
    deletedBytesMax: read.number('agent.deletedBytesMax'),
    checkpointMs: read.number('agent.checkpointMs'),
    ledgerMs: read.number('agent.ledgerMs'),
  };
}

function rotateBudget(read: OptionValues): Config['rotateBudget'] {
  const bytesAt = (name: string): number | undefined => {
    const value = read.at(`rotateBudget.${name}`);
    return typeof value === 'number' ? value : undefined;
  };
  return {
    nodeBytesMax: bytesAt('nodeBytesMax'),
    namespaceBytesMax: bytesAt('namespaceBytesMax'),
    podBytesMax: bytesAt('podBytesMax'),
  };
}

function transportConfig(read: OptionValues, problems: Problem[]): TransportConfig {
  const bufferBytesMax = read.number('transport.bufferBytesMax');
  if (read.text('transport.kind') === 'kafka') return kafkaConfig(read, problems);
  if (read.text('transport.kind') !== 'http') return { kind: 'memory', bufferBytesMax };
  const url = read.maybeText('transport.url');
  if (url === undefined) {
    problems.push({
      name: 'transport.url',
      where: undefined,
      message: 'is missing, expected the address of a Logboom server, such as http://127.0.0.1:6410',
      hint: 'With `logboom agent`, --server URL is short for it.',
    });
  }
  return { kind: 'http', bufferBytesMax, url: url ?? '', token: read.maybeText('transport.token') };
}

function storeConfig(read: OptionValues, problems: Problem[]): Config['store'] {
  if (read.text('store.kind') === 'elasticsearch') return elasticsearchConfig(read, problems);
  const age = read.at('store.retention.ageMsMax');
  return {
    kind: 'embedded',
    memoryBytesMax: read.number('store.memoryBytesMax'),
    threads: read.number('store.threads'),
    retention: {
      bytesMax: read.number('store.retention.bytesMax'),
      ageMsMax: typeof age === 'number' ? age : undefined,
    },
    journalBytesMax: read.number('store.journalBytesMax'),
    journalAgeMsMax: read.number('store.journalAgeMsMax'),
    freeBytesMin: read.number('store.freeBytesMin'),
  };
}

/** Returns a source for each of the three usual trees that is there. */
function defaultSources(input: BuildInput): SourceConfig[] {
  return Object.entries(DEFAULT_ROOTS).flatMap(([kind, root]) =>
    input.hasDirectory(root) ? [treeSource(kind)] : [],
  );
}

/** Returns a source of this kind with everything at its default. */
export function treeSource(kind: string, given: Readonly<Record<string, unknown>> = {}): SourceConfig {
  const variant = SOURCE_SHAPE.variants.find((candidate) => candidate.name === kind);
  assert(variant !== undefined, `source kind ${kind} is unknown`);
  const members = variant.members.map((member) => [member.name, defaultOf(member, (path) => path)]);
  return { kind, ...Object.fromEntries(members), ...given } as SourceConfig;
}

function checkPipelines(pipelines: readonly PipelineConfig[], problems: Problem[]): void {
  const names = new Set<string>();
  for (const [index, { name }] of pipelines.entries()) {
    if (names.has(name)) {
      problems.push({
        name: `indexer.pipelines[${index}].name`,
        where: undefined,
        message: `${JSON.stringify(name)} is the name of another pipeline too`,
        hint: undefined,
      });
    }
    names.add(name);
  }
}
