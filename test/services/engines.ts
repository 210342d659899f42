/**
 * The search engines that tests run on. `LOGBOOM_ENGINES` names them, such as `opensearch-2,elasticsearch-8`, or is
 * `all`; without it the newest version of each is meant.
 */
import { startElasticsearch } from './elasticsearch.ts';
import type { JavaService } from './java-service.ts';
import type { EngineOptions } from './opensearch.ts';
import { startOpenSearch } from './opensearch.ts';

export interface EngineKind {
  /** Such as `OpenSearch 3`. */
  readonly name: string;
  readonly product: 'opensearch' | 'elasticsearch';
  /** Elasticsearch 7 alone has them in a module that is not published. */
  readonly hasDataStreams: boolean;
  readonly start: (options?: EngineOptions) => Promise<JavaService>;
}

const NEWEST = 'opensearch-3,elasticsearch-9';
const ALL = `${NEWEST},opensearch-2,elasticsearch-8,elasticsearch-7`;

const wanted = process.env['LOGBOOM_ENGINES'] ?? NEWEST;

/** The engines of this run. */
export const ENGINE_KINDS: readonly EngineKind[] = (wanted === 'all' ? ALL : wanted).split(',').map((key) => {
  if (!ALL.split(',').includes(key))
    throw new Error(`LOGBOOM_ENGINES has no engine ${key}; there are ${ALL}, and all`);
  const [product, version = ''] = key.split('-');
  return product === 'opensearch' ? openSearch(version) : elasticsearch(version);
});

function openSearch(version: string): EngineKind {
  return {
    name: `OpenSearch ${version}`,
    product: 'opensearch',
    hasDataStreams: true,
    start: (options) => startOpenSearch({ ...options, version }),
  };
}

function elasticsearch(version: string): EngineKind {
  return {
    name: `Elasticsearch ${version}`,
    product: 'elasticsearch',
    hasDataStreams: version !== '7',
    start: (options) => startElasticsearch({ ...options, version }),
  };
}
