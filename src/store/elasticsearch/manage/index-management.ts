/** Puts templates and the lifecycle policy in place, and creates indices where the engine does not do it by itself. */
import { AppError } from '../../../base/errors.ts';
import type { ElasticsearchConfig } from '../../../config/config.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { Capabilities } from '../engine/capabilities.ts';
import { countsIndexBody } from '../counts/counts-index.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import {
  countsIndex,
  droppedName,
  droppedPattern,
  indexPattern,
  ledgerIndex,
  objectPrefix,
} from '../write/index-router.ts';
import type { EngineFinding } from './engine-finding.ts';
import { managedTemplates } from './index-templates.ts';
import { inspectIndices } from './inspect-indices.ts';
import { ledgerIndexBody } from '../write/ledger-index.ts';
import {
  droppedPolicyConfig,
  ilmPolicy,
  ismPolicy,
  readIsmPolicy,
  writeIsmPolicy,
} from './lifecycle-policy.ts';
import type { PolicyConfig } from './lifecycle-policy.ts';
import type { ForeignReason, ManagedMeta } from './managed-state.ts';
import { NEWER, decideManaged, metaOf } from './managed-state.ts';

type Json = Readonly<Record<string, unknown>>;

export interface IndexManagementOptions {
  readonly client: EngineClient;
  readonly config: ElasticsearchConfig;
  readonly telemetry: Telemetry;
}

/** One object under management, and how the engine wants it read and written. */
interface Managed {
  readonly label: string;
  readonly path: string;
  readonly wanted: Json;
  readonly read: (answer: Json) => Json | undefined;
  /** The body of the request that writes `wanted` with its `_meta`. */
  readonly write: (wanted: Json, meta: Partial<ManagedMeta>) => Json;
  /** As little as the engine takes in place of `wanted`; undefined where it can be deleted instead. */
  readonly emptied?: Json;
  /** How a person keeps another one. */
  readonly option: string;
  /** What an update must name, so that it replaces nothing but what was read. */
  readonly versionOf?: (answer: Json) => Readonly<Record<string, number>>;
}

/** An object as the engine has it. */
interface Stored {
  readonly body: Json | undefined;
  readonly version: Readonly<Record<string, number>>;
}

const NO_DATA_STREAMS: EngineFinding = {
  object: 'option store.isDataStream',
  problem: 'the engine has no data streams',
  remedy: 'Set store.isDataStream to false: documents then go to daily indices.',
};

const MISSING: Stored = { body: undefined, version: {} };

export class IndexManagement {
  readonly #options: IndexManagementOptions;

  constructor(options: IndexManagementOptions) {
    this.#options = options;
  }

  /**
   * Creates or updates what is missing or outdated, and returns what it left alone. Throws an `AppError` when the
   * engine cannot be reached or forbids it.
   */
  async ensure(engine: Capabilities, signal: AbortSignal): Promise<EngineFinding[]> {
    if (this.#lacksDataStreams(engine)) {
      throw new AppError('bad_request', 'cannot create data streams, which the engine does not have', {
        hint: NO_DATA_STREAMS.remedy,
      });
    }
    const findings: EngineFinding[] = [];
    for (const managed of this.#managed(engine)) {
      const finding = await this.#ensure(managed, signal);
      if (finding !== undefined) findings.push(finding);
    }
    const { replicas, index } = this.#options.config;
    await this.createIndex(ledgerIndex(index), signal, ledgerIndexBody(replicas));
    await this.createIndex(countsIndex(index), signal, countsIndexBody(replicas));
    return findings;
  }

  /** Says what is not as it should be, without changing anything. */
  async inspect(engine: Capabilities, signal: AbortSignal): Promise<EngineFinding[]> {
    if (this.#lacksDataStreams(engine)) return [NO_DATA_STREAMS];
    const findings: EngineFinding[] = [];
    for (const managed of this.#managed(engine)) {
      const { body: stored } = await this.#read(managed, signal);
      const decision = decideManaged(stored, managed.wanted);
      if (decision.kind === 'foreign') findings.push(foreignFinding(managed, decision.reason));
      if (decision.kind === 'write') {
        const problem = stored === undefined ? 'it is missing' : 'it is outdated';
        const remedy = 'Start an indexer: it puts it in place.';
        findings.push({ object: managed.label, problem, remedy });
      }
    }
    findings.push(
      ...(await inspectIndices({
        client: this.#options.client,
        config: this.#options.config,
        engine,
        signal,
      })),
    );
    return findings;
  }

  /** Creates an index, or a data stream, unless it is there. */
  async createIndex(name: string, signal: AbortSignal, body?: Json): Promise<void> {
    const { index, isDataStream } = this.#options.config;
    const isStream = body === undefined && isDataStream && !name.startsWith(`${droppedName(index)}-`);
    const answer = await this.#options.client.request({
      method: 'PUT',
      path: isStream ? `/_data_stream/${encodeURIComponent(name)}` : `/${encodeURIComponent(name)}`,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
      purpose: `create the index ${name}`,
      accepts: [400],
    });
    if (answer.status !== 400 || answer.text.includes('resource_already_exists_exception')) return;
    await this.#options.client.request({
      method: 'GET',
      path: isStream ? `/_data_stream/${encodeURIComponent(name)}` : `/${encodeURIComponent(name)}`,
      signal,
      purpose: `create the index ${name}`,
    });
  }

  #lacksDataStreams({ hasDataStreams }: Capabilities): boolean {
    return this.#options.config.isDataStream && !hasDataStreams;
  }

  #managed(engine: Capabilities): Managed[] {
    const { config } = this.#options;
    const templates = managedTemplates(config, engine).map(({ name, path, kind, body }) => ({
      label: `${kind.replace('_', ' ')} ${name}`,
      path,
      wanted: body,
      read: (answer: Json): Json | undefined => firstOf(answer[`${kind}s`])?.[kind] as Json | undefined,
      write: (wanted: Json, meta: Partial<ManagedMeta>): Json => ({ ...wanted, _meta: meta }),
      emptied: emptied(body),
      option: 'To have other names than these, set store.index.',
    }));
    if (!config.lifecycle.isManaged) return templates;
    return [...this.#policies(engine), ...templates];
  }

  #policies({ lifecycle }: Capabilities): Managed[] {
    const { config } = this.#options;
    if (lifecycle === 'none') return [];
    const policyOf = lifecycle === 'ilm' ? managedIlm : managedIsm;
    const name = objectPrefix(config.index);
    const policies = [policyOf(name, config, indexPattern(config.index))];
    const dropped = droppedPolicyConfig(config);
    if (dropped !== undefined)
      policies.push(policyOf(droppedName(config.index), dropped, droppedPattern(config.index)));
    return policies;
  }

  async #ensure(managed: Managed, signal: AbortSignal): Promise<EngineFinding | undefined> {
    const before = await this.#read(managed, signal);
    const decision = decideManaged(before.body, managed.wanted);
    if (decision.kind === 'foreign') return foreignFinding(managed, decision.reason);
    if (decision.kind === 'keep') return undefined;
    if (decision.kind === 'write') await this.#write(managed, metaOf(managed.wanted), before, signal);
    const stored = await this.#read(managed, signal);
    if (stored.body !== undefined)
      await this.#write(managed, metaOf(managed.wanted, stored.body), stored, signal);
    this.#options.telemetry.log('info', 'store_prepared', `The ${managed.label} is in place.`);
    return undefined;
  }

  async #read(managed: Managed, signal: AbortSignal): Promise<Stored> {
    const { path, label, read, versionOf } = managed;
    const purpose = `read the ${label}`;
    const answer = await this.#options.client.request({
      method: 'GET',
      path,
      signal,
      purpose,
      accepts: [404],
    });
    if (answer.status === 404) return MISSING;
    const json = answer.json() as Json;
    return { body: read(json), version: versionOf?.(json) ?? {} };
  }

  async #write(managed: Managed, meta: ManagedMeta, { version }: Stored, signal: AbortSignal): Promise<void> {
    const { path, label, wanted, write } = managed;
    await this.#options.client.request({
      method: 'PUT',
      path,
      query: version,
      body: JSON.stringify(write(wanted, meta)),
      signal,
      purpose: `write the ${label}`,
    });
  }
}

function managedIlm(name: string, config: PolicyConfig): Managed {
  return {
    label: `lifecycle policy ${name}`,
    path: `/_ilm/policy/${encodeURIComponent(name)}`,
    wanted: ilmPolicy(config),
    read: (answer) => (answer[name] as { policy?: Json } | undefined)?.policy,
    write: (wanted, meta) => ({ policy: { ...wanted, _meta: meta } }),
    emptied: { phases: {} },
    option: POLICY_OPTION,
  };
}

function managedIsm(name: string, config: PolicyConfig, pattern: string): Managed {
  return {
    label: `lifecycle policy ${name}`,
    path: `/_plugins/_ism/policies/${encodeURIComponent(name)}`,
    wanted: ismPolicy(config, pattern),
    read: readIsmPolicy,
    write: writeIsmPolicy,
    option: POLICY_OPTION,
    versionOf: (answer) => ({
      if_seq_no: Number(answer['_seq_no']),
      if_primary_term: Number(answer['_primary_term']),
    }),
  };
}

const POLICY_OPTION = 'To keep policies of your own for good, set store.lifecycle.isManaged to false.';

/**
 * Engines do not delete what is in use, such as a component of a template or the template of a data stream. What says that it
 * is Logboom's, and not what it was like, is written anew.
 */
function foreignFinding(managed: Managed, reason: ForeignReason): EngineFinding {
  const { label: object, path, emptied: empty, option } = managed;
  if (reason === NEWER)
    return { object, problem: reason, remedy: 'Run that version on this machine, too, or this one on all.' };
  const body = empty && JSON.stringify(managed.write(empty, { managed_by: 'logboom' }));
  const request = body === undefined ? `DELETE ${path}` : `PUT ${path} ${body}`;
  return {
    object,
    problem: reason,
    remedy: `Logboom leaves it as it is. To get Logboom's own back, stop the indexers, send ${request}, and start them. ${option}`,
  };
}

/** Returns what a template needs at least: which indices it is for. */
function emptied({ index_patterns, priority, data_stream }: Json): Json {
  return index_patterns === undefined ? { template: {} } : { index_patterns, priority, data_stream };
}

function firstOf(list: unknown): Json | undefined {
  return Array.isArray(list) ? (list[0] as Json | undefined) : undefined;
}
