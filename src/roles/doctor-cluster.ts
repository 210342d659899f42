/** What `logboom doctor` asks a broker and a search cluster, without changing anything there. */
import { AppError, messageOf } from '../base/errors.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Finding } from '../cli/context.ts';
import { formatPlural } from '../cli/output.ts';
import type { Config, ElasticsearchConfig, KafkaConfig } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** Somebody who does not answer in this time is away. */
const ANSWER_MS_MAX = 15_000;

const SILENT: Telemetry = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
  log: () => undefined,
};

/** Examines the broker and the store that the configuration names; nothing where both are of this process. */
export async function examineCluster({ transport, store }: Config): Promise<readonly Finding[]> {
  const findings = await Promise.all([
    transport.kind === 'kafka' ? answered('kafka', () => examineKafka(transport)) : [],
    store.kind === 'elasticsearch' ? answered('store', (signal) => examineEngine(store, signal)) : [],
  ]);
  return findings.flat();
}

/** Makes a finding of an error, and of no answer. */
async function answered(
  check: string,
  ask: (signal: AbortSignal) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const limit = new AbortController();
  const timer = nodeScheduler.schedule(ANSWER_MS_MAX, () => limit.abort());
  const late = new Promise<readonly Finding[]>((resolve) => {
    const remedy = 'Check the address, and what stands between this machine and it.';
    limit.signal.addEventListener('abort', () => {
      resolve([{ status: 'fail', check, text: 'does not answer', remedy }]);
    });
  });
  const findings = ask(limit.signal).catch((error: unknown): Finding[] => [failed(check, error)]);
  const result = await Promise.race([findings, late]);
  timer.cancel();
  return result;
}

function failed(check: string, error: unknown): Finding {
  const hint = error instanceof AppError ? error.hint : undefined;
  return { status: 'fail', check, text: messageOf(error), remedy: hint ?? 'See the log of the other side.' };
}

async function examineKafka(config: KafkaConfig): Promise<readonly Finding[]> {
  const { KafkaTransport } = await import('../transport/kafka/kafka-transport.ts');
  const readFile = (file: string): Uint8Array => nodeFileSystem.readFile(file);
  const transport = new KafkaTransport({ config, scheduler: nodeScheduler, telemetry: SILENT, readFile });
  try {
    const topics = await transport.topics();
    const there = topics.filter(({ error }) => error === undefined);
    const names = there.map(({ name, leaders }) => `${name} (${formatPlural(leaders.length, 'partition')})`);
    const findings: Finding[] = [kafkaFinding(config, names)];
    const leaderless = there.filter(({ leaders }) => leaders.includes(-1)).map(({ name }) => name);
    if (leaderless.length > 0) {
      const text = `partitions of ${leaderless.join(', ')} have no leader`;
      findings.push({ status: 'fail', check: 'kafka', text, remedy: 'Start the brokers that are missing.' });
    }
    if (there.length > 0) findings.push(await lagFinding(transport));
    return findings;
  } finally {
    await transport.close();
  }
}

function kafkaFinding({ brokers, topic, create }: KafkaConfig, names: readonly string[]): Finding {
  const check = 'kafka';
  if (names.length > 0) return { status: 'ok', check, text: names.join(', '), remedy: undefined };
  const text = `${brokers.join(', ')} can be reached, and has no topic ${topic} yet`;
  if (create.isAllowed) return { status: 'ok', check, text, remedy: undefined };
  return { status: 'warn', check, text, remedy: 'Create it, or allow that with transport.create.isAllowed.' };
}

interface Progress {
  progress(): Promise<readonly { committed: bigint; end: bigint }[]>;
}

async function lagFinding(transport: Progress): Promise<Finding> {
  const places = await transport.progress();
  const lag = places.reduce((sum, { committed, end }) => sum + Math.max(0, Number(end - committed)), 0);
  const text =
    lag === 0 ? 'indexers have everything' : `indexers are behind by ${formatPlural(lag, 'record')}`;
  return { status: 'ok', check: 'kafka lag', text, remedy: undefined };
}

async function examineEngine(config: ElasticsearchConfig, signal: AbortSignal): Promise<readonly Finding[]> {
  const { openEngineClient } = await import('../store/elasticsearch/engine/open-engine-client.ts');
  const { IndexManagement } = await import('../store/elasticsearch/manage/index-management.ts');
  const { detectCapabilities } = await import('../store/elasticsearch/engine/capabilities.ts');
  const client = openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
  try {
    const engine = await detectCapabilities(client, signal);
    const text = `${engine.engine} ${engine.version} at ${config.urls.join(', ')}`;
    const found = await new IndexManagement({ client, config, telemetry: SILENT }).inspect(engine, signal);
    const findings = found.map(({ object, problem, remedy }): Finding => ({
      status: 'warn',
      check: 'store',
      text: `${object}: ${problem}`,
      remedy,
    }));
    return [{ status: 'ok', check: 'store', text, remedy: undefined }, ...findings];
  } finally {
    await client.close();
  }
}
