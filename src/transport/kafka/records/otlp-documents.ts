/**
 * Takes the logs of an OTLP request in its JSON form (`{"resourceLogs":[…]}`, opentelemetry-proto 1.x, as the Kafka
 * exporter of the OpenTelemetry Collector writes it) apart into one ECS document per log record.
 */
import { formatTimestamp } from '../../../record/timestamp.ts';

type Json = Readonly<Record<string, unknown>>;

/** Attributes of a resource that have a place in ECS; the others become labels. */
const RESOURCE_FIELDS: Readonly<Record<string, string>> = {
  'service.name': 'service.name',
  'service.version': 'service.version',
  'service.namespace': 'service.namespace',
  'service.instance.id': 'service.node.name',
  'host.name': 'host.name',
  'host.id': 'host.id',
  'container.id': 'container.id',
  'container.image.name': 'container.image.name',
  'container.name': 'container.name',
  'k8s.namespace.name': 'kubernetes.namespace',
  'k8s.pod.name': 'kubernetes.pod.name',
  'k8s.pod.uid': 'kubernetes.pod.uid',
  'k8s.node.name': 'kubernetes.node.name',
  'k8s.container.name': 'kubernetes.container.name',
  'k8s.deployment.name': 'kubernetes.deployment.name',
  'k8s.cluster.name': 'orchestrator.cluster.name',
};

/** By number of severity, in steps of four (data model of logs, SeverityNumber). */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** A time from here on cannot be kept by a store that counts nanoseconds. */
const TIME_NS_MAX = BigInt(Date.UTC(2262, 0, 1)) * 1_000_000n;

/** Attributes nested deeper than this are kept as text, so that no document exhausts the stack. */
const DEPTH_MAX = 32;

/** Tells whether a parsed document is a request of OTLP with logs. */
export function isOtlpLogs(document: Json): boolean {
  return Array.isArray(document['resourceLogs']);
}

/** Returns one document per log record, in order. A record without a time gets `timestampMs`. */
export function readOtlpLogs(request: Json, timestampMs: number): string[] {
  const documents: string[] = [];
  for (const resourceLogs of objectsOf(request['resourceLogs'])) {
    const resource = resourceMembers(attributesOf(asObject(resourceLogs['resource'])));
    for (const scopeLogs of objectsOf(resourceLogs['scopeLogs'])) {
      const logger = asObject(scopeLogs['scope'])['name'];
      for (const record of objectsOf(scopeLogs['logRecords'])) {
        documents.push(JSON.stringify(documentOf(record, { resource, logger, timestampMs })));
      }
    }
  }
  return documents;
}

interface Surroundings {
  readonly resource: Json;
  readonly logger: unknown;
  readonly timestampMs: number;
}

function documentOf(record: Json, { resource, logger, timestampMs }: Surroundings): Json {
  const level = levelOf(record);
  const attributes = attributesOf(record);
  const traceId = textOf(record['traceId']);
  const spanId = textOf(record['spanId']);
  const log = {
    ...(level === undefined ? {} : { level }),
    ...(typeof logger === 'string' && logger !== '' ? { logger } : {}),
  };
  return {
    '@timestamp': timeOf(record, timestampMs),
    message: messageOf(record['body']),
    ...(Object.keys(log).length === 0 ? {} : { log }),
    ...(Object.keys(attributes).length === 0 ? {} : { fields: attributes }),
    ...(traceId === undefined ? {} : { trace: { id: traceId } }),
    ...(spanId === undefined ? {} : { span: { id: spanId } }),
    ...resource,
  };
}

function timeOf(record: Json, timestampMs: number): string {
  for (const key of ['timeUnixNano', 'observedTimeUnixNano']) {
    const value = record[key];
    const text = typeof value === 'number' ? value.toFixed(0) : textOf(value);
    if (text !== undefined && /^[1-9]\d{15,18}$/.test(text) && BigInt(text) < TIME_NS_MAX)
      return formatTimestamp(BigInt(text));
  }
  return formatTimestamp(BigInt(timestampMs) * 1_000_000n);
}

function messageOf(body: unknown): string {
  const value = anyValue(asObject(body), 0);
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function levelOf(record: Json): string | undefined {
  const text = textOf(record['severityText']);
  if (text !== undefined) return text.toLowerCase();
  const number = Number(record['severityNumber'] ?? 0);
  return number >= 1 && number <= 24 ? LEVELS[Math.floor((number - 1) / 4)] : undefined;
}

function resourceMembers(attributes: Json): Json {
  const members: Record<string, unknown> = {};
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const path = Object.hasOwn(RESOURCE_FIELDS, name) ? RESOURCE_FIELDS[name] : undefined;
    if (path === undefined) labels[name] = text;
    else setPath(members, path.split('.'), text);
  }
  return Object.keys(labels).length === 0 ? members : { ...members, labels };
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: string): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = { ...asObject(target[first]) };
  setPath(inner, rest, value);
  target[first] = inner;
}

function attributesOf(holder: Json): Json {
  return keyValues(holder['attributes'], 0);
}

function keyValues(list: unknown, depth: number): Json {
  const entries = objectsOf(list).map((entry) => [
    String(entry['key']),
    anyValue(asObject(entry['value']), depth + 1),
  ]);
  return Object.fromEntries(entries) as Json;
}

function anyValue(value: Json, depth: number): unknown {
  if (depth > DEPTH_MAX) return JSON.stringify(value);
  if ('intValue' in value) {
    const number = Number(value['intValue']);
    return Number.isSafeInteger(number) ? number : String(value['intValue']);
  }
  if ('arrayValue' in value)
    return objectsOf(asObject(value['arrayValue'])['values']).map((each) => anyValue(each, depth + 1));
  if ('kvlistValue' in value) return keyValues(asObject(value['kvlistValue'])['values'], depth);
  return value['stringValue'] ?? value['boolValue'] ?? value['doubleValue'] ?? value['bytesValue'] ?? null;
}

function objectsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
