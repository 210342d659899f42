/**
 * The templates that indices are made from, generated from the field table: a component template with the mappings, one
 * with the settings, and the index template that composes them. Pure: what to send, not the sending.
 */
import type { ElasticsearchConfig } from '../../../config/config.ts';
import type { Capabilities } from '../engine/capabilities.ts';
import type { FieldKind } from './field-table.ts';
import { FIELD_TABLE, KEYWORD_LENGTH_MAX } from './field-table.ts';
import { countsIndexBody } from '../counts/counts-index.ts';
import { droppedTemplate } from '../write/dropped-index.ts';
import {
  countsIndex,
  droppedName,
  droppedPattern,
  indexPattern,
  ledgerIndex,
  objectPrefix,
} from '../write/index-router.ts';
import { ledgerIndexBody } from '../write/ledger-index.ts';

type Json = Readonly<Record<string, unknown>>;

/** One thing that the engine keeps under a name. */
export interface ManagedObject {
  readonly name: string;
  /** Such as `/_component_template/logboom-mappings`. */
  readonly path: string;
  readonly kind: 'component_template' | 'index_template';
  /** Without `_meta`. */
  readonly body: Json;
}

type TemplateConfig = Pick<
  ElasticsearchConfig,
  'index' | 'isDataStream' | 'shards' | 'replicas' | 'lifecycle'
>;

/** Above the engines' own templates (100) and below what people usually give theirs. */
export const TEMPLATE_PRIORITY = 200;

/** Appended lines are searchable within two seconds. */
const REFRESH = '1s';

/** Fields of the table and their subfields, with room for what a person adds. */
const FIELDS_MAX = 1_000;

/** Returns the templates in the order in which they have to be created. */
export function managedTemplates(config: TemplateConfig, engine: Capabilities): ManagedObject[] {
  const prefix = objectPrefix(config.index);
  const [mappings, settings] = [`${prefix}-mappings`, `${prefix}-settings`];
  return [
    component(mappings, { mappings: mappingsOf(engine) }),
    component(settings, { settings: settingsOf(config, engine) }),
    {
      name: prefix,
      path: `/_index_template/${encodeURIComponent(prefix)}`,
      kind: 'index_template',
      body: {
        index_patterns: [indexPattern(config.index)],
        priority: TEMPLATE_PRIORITY,
        composed_of: [mappings, settings],
        // One alias cannot stand for indices and for data streams, and there may be indices of before.
        ...(config.isDataStream ? { data_stream: {} } : { template: { aliases: { [prefix]: {} } } }),
      },
    },
    droppedObject(config, engine),
    ownObject(ledgerIndex(config.index), ledgerIndexBody(config.replicas)),
    ownObject(countsIndex(config.index), countsIndexBody(config.replicas)),
  ];
}

/** The template of one index: when somebody deletes it, what is written next makes it again with its mapping. */
function ownObject(index: string, template: Json): ManagedObject {
  const name = index.slice(0, index.lastIndexOf('-'));
  return {
    name,
    path: `/_index_template/${encodeURIComponent(name)}`,
    kind: 'index_template',
    body: { index_patterns: [index], priority: TEMPLATE_PRIORITY, template },
  };
}

/** The template of the indices of what pipelines dropped. */
function droppedObject({ index, replicas, lifecycle }: TemplateConfig, engine: Capabilities): ManagedObject {
  const name = droppedName(index);
  const { settings, mappings } = droppedTemplate(replicas);
  const isIlm = lifecycle.isManaged && lifecycle.deleteAgeMs !== undefined && engine.lifecycle === 'ilm';
  const withPolicy = isIlm ? { index: { ...settings.index, lifecycle: { name } } } : settings;
  return {
    name,
    path: `/_index_template/${encodeURIComponent(name)}`,
    kind: 'index_template',
    body: {
      index_patterns: [droppedPattern(index)],
      priority: TEMPLATE_PRIORITY,
      template: { settings: withPolicy, mappings },
    },
  };
}

function component(name: string, template: Json): ManagedObject {
  return {
    name,
    path: `/_component_template/${encodeURIComponent(name)}`,
    kind: 'component_template',
    body: { template },
  };
}

/** Returns the mappings of an index for this engine. */
export function mappingsOf(engine: Capabilities): Json {
  const properties: Record<string, unknown> = {};
  for (const [path, kind] of Object.entries(FIELD_TABLE)) {
    const mapping = mappingOf(kind, engine);
    if (mapping !== undefined) place(properties, path.split('.'), mapping);
  }
  return { dynamic: 'false', properties };
}

function place(properties: Record<string, unknown>, [first = '', ...rest]: string[], mapping: Json): void {
  if (rest.length === 0) {
    properties[first] = mapping;
    return;
  }
  const object = (properties[first] ??= { properties: {} }) as { properties: Record<string, unknown> };
  place(object.properties, rest, mapping);
}

function mappingOf(kind: FieldKind, engine: Capabilities): Json | undefined {
  const keyword = { type: 'keyword', ignore_above: KEYWORD_LENGTH_MAX };
  switch (kind) {
    case 'time':
      return { type: 'date_nanos', ignore_malformed: false };
    case 'message':
    case 'prose':
      return proseType(engine);
    case 'keyword':
    case 'own_keyword':
      return keyword;
    case 'word':
      return { ...keyword, doc_values: false };
    case 'long':
      return { type: 'long' };
    case 'number_only':
      return { type: 'integer', index: false };
    case 'ip':
      return { type: 'ip' };
    default:
      return flatType(engine);
  }
}

function proseType(engine: Capabilities): Json {
  return engine.hasMatchOnlyText ? { type: 'match_only_text' } : { type: 'text', norms: false };
}

function flatType({ flatType: type }: Capabilities): Json | undefined {
  if (type === 'none') return undefined;
  return type === 'flattened' ? { type, ignore_above: 1024 } : { type };
}

function settingsOf(config: TemplateConfig, engine: Capabilities): Json {
  const policy = objectPrefix(config.index);
  const isIlm = config.lifecycle.isManaged && engine.lifecycle === 'ilm';
  // Where the source cannot be kept as it was sent, documents would come back with other digits and in another order.
  const isLogsdb = engine.hasLogsdb && engine.hasSourceMode;
  return {
    index: {
      number_of_shards: String(config.shards),
      number_of_replicas: String(config.replicas),
      refresh_interval: REFRESH,
      mapping: {
        ignore_malformed: 'true',
        total_fields: { limit: String(FIELDS_MAX) },
        ...(isLogsdb ? { source: { mode: 'stored' } } : {}),
      },
      ...(isLogsdb ? { mode: 'logsdb' } : {}),
      ...(engine.codec === 'zstd' ? { codec: 'zstd' } : {}),
      ...(isIlm ? { lifecycle: { name: policy } } : {}),
    },
  };
}
