/**
 * What the engine at hand can do, found out by asking it: field types and index settings by simulating a template that
 * has them, which leaves nothing behind; interfaces by a request that cannot succeed.
 */
import { AppError } from '../../../base/errors.ts';
import type { EngineClient } from './engine-client.ts';

export interface Capabilities {
  readonly engine: 'elasticsearch' | 'opensearch';
  /** For people only: nothing is decided by it. */
  readonly version: string;
  /** Which interface points in time have. */
  readonly pointInTime: '_pit' | '_search/point_in_time' | 'none';
  readonly hasPainless: boolean;
  readonly lifecycle: 'ilm' | 'ism' | 'none';
  readonly hasDataStreams: boolean;
  /** A type for objects whose members are not mapped one by one. */
  readonly flatType: 'flattened' | 'flat_object' | 'none';
  readonly hasMatchOnlyText: boolean;
  readonly hasWildcard: boolean;
  readonly hasLogsdb: boolean;
  /** Whether `_source` can be kept as it was sent where an index mode would rebuild it. */
  readonly hasSourceMode: boolean;
  /** The codec that packs stored fields best. */
  readonly codec: 'zstd' | 'best_compression';
}

const PROBE_PATTERN = 'logboom_probe-*';

/** Asks the engine. Throws an `AppError` when it cannot be reached or refuses the user. */
export async function detectCapabilities(client: EngineClient, signal: AbortSignal): Promise<Capabilities> {
  const probe = new Probe(client, signal);
  const { engine, version } = await probe.identity();
  const [flattened, flatObject, matchOnlyText, wildcard] = await Promise.all(
    ['flattened', 'flat_object', 'match_only_text', 'wildcard'].map((type) => probe.hasType(type)),
  );
  const [logsdb, sourceMode, zstd, dataStreams, hasPlugins] = await Promise.all([
    probe.hasSetting({ mode: 'logsdb' }),
    probe.hasSetting({ 'mapping.source.mode': 'stored' }),
    probe.hasSetting({ codec: 'zstd' }),
    probe.hasDataStreams(),
    probe.hasLicensedPlugins(),
  ]);
  return {
    engine,
    version,
    pointInTime: await probe.pointInTime(),
    hasPainless: await probe.hasPainless(),
    lifecycle: await probe.lifecycle(),
    hasDataStreams: dataStreams,
    flatType: flattened === true ? 'flattened' : flatObject === true ? 'flat_object' : 'none',
    hasMatchOnlyText: matchOnlyText === true,
    hasWildcard: wildcard === true,
    // Without the plugins of its distribution Elasticsearch takes the mode, but lacks the library of its codec.
    hasLogsdb: logsdb && hasPlugins,
    hasSourceMode: sourceMode,
    codec: zstd ? 'zstd' : 'best_compression',
  };
}

class Probe {
  readonly #client: EngineClient;
  readonly #signal: AbortSignal;

  constructor(client: EngineClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async identity(): Promise<{ engine: Capabilities['engine']; version: string }> {
    const root = await this.#ask('GET', '/', undefined, [400, 403, 404, 405]);
    const product = root.headers['x-elastic-product'];
    const version = root.status === 200 ? objectAt(root.json(), 'version') : undefined;
    const number = version?.['number'];
    if (typeof number === 'string')
      return {
        engine: version?.['distribution'] === 'opensearch' ? 'opensearch' : 'elasticsearch',
        version: number,
      };
    if (product === undefined && root.status !== 403 && root.status !== 405) {
      throw new AppError('unreachable', 'cannot recognise the store', {
        details: { status: root.status },
        hint: 'Give the address of Elasticsearch or OpenSearch in store.urls: something else answers there.',
      });
    }
    return {
      engine: product === undefined ? 'opensearch' : 'elasticsearch',
      version: await this.#nodeVersion(),
    };
  }

  async hasType(type: string): Promise<boolean> {
    return this.#canHave({ template: { mappings: { properties: { probe: { type } } } } });
  }

  async hasSetting(index: Readonly<Record<string, string>>): Promise<boolean> {
    return this.#canHave({ template: { settings: { index } } });
  }

  async hasDataStreams(): Promise<boolean> {
    return this.#canHave({ data_stream: {} });
  }

  async pointInTime(): Promise<Capabilities['pointInTime']> {
    const plain = await this.#ask('DELETE', '/_pit', '{"id":"none"}', [400, 403, 404, 405]);
    // An engine without this interface takes the word for the name of an index.
    if (!/no handler found|invalid_index_name|Incorrect HTTP method/.test(plain.text)) return '_pit';
    const body = '{"pit_id":["none"]}';
    // OpenSearch's security plugin takes the id apart, and fails on one that is none.
    const longer = await this.#ask('DELETE', '/_search/point_in_time', body, [400, 403, 404, 405, 500]);
    return /no handler found|Incorrect HTTP method/.test(longer.text) ? 'none' : '_search/point_in_time';
  }

  async hasPainless(): Promise<boolean> {
    const { status, text } = await this.#ask('GET', '/_script_language', undefined, [400, 403, 404, 405]);
    return status === 200 && text.includes('"painless"');
  }

  /** Whether Elasticsearch is the distribution rather than its server alone. */
  async hasLicensedPlugins(): Promise<boolean> {
    const { status } = await this.#ask('GET', '/_license', undefined, [400, 403, 404, 405]);
    return status === 200 || status === 403;
  }

  async lifecycle(): Promise<Capabilities['lifecycle']> {
    const ilm = await this.#ask('GET', '/_ilm/status', undefined, [400, 403, 404, 405]);
    // Forbidden is there, too: the policy may still be named in the template.
    if (ilm.status === 200 || ilm.status === 403) return 'ilm';
    const ism = await this.#ask('GET', '/_plugins/_ism/policies?size=1', undefined, [400, 403, 404, 405]);
    return ism.status === 200 || ism.status === 403 ? 'ism' : 'none';
  }

  async #nodeVersion(): Promise<string> {
    const path = '/_nodes/_local?filter_path=nodes.*.version';
    const answer = await this.#ask('GET', path, undefined, [400, 403, 404, 405]);
    return /"version":"([^"]+)"/.exec(answer.text)?.[1] ?? 'unknown';
  }

  async #canHave(members: object): Promise<boolean> {
    const body = JSON.stringify({ index_patterns: [PROBE_PATTERN], ...members });
    const answer = await this.#ask('POST', '/_index_template/_simulate', body, [400, 403, 404, 405, 500]);
    return answer.status === 200;
  }

  #ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body: string | undefined,
    accepts: readonly number[],
  ): ReturnType<EngineClient['request']> {
    return this.#client.request({
      method,
      path,
      ...(body === undefined ? {} : { body }),
      signal: this.#signal,
      purpose: 'ask the store what it can do',
      accepts,
    });
  }
}

function objectAt(value: unknown, key: string): Readonly<Record<string, unknown>> | undefined {
  const member = (value as Readonly<Record<string, unknown>> | null)?.[key];
  return typeof member === 'object' && member !== null
    ? (member as Readonly<Record<string, unknown>>)
    : undefined;
}
