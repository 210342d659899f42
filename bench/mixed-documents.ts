/** Documents of mixed lines, half of them with parsed fields, as an indexer hands them to a store. */
import type { FieldTypes } from '../src/record/field-types.ts';
import { addFieldTypes } from '../src/record/field-types.ts';
import { eventIdOf } from '../src/record/identity.ts';
import { LANE } from '../src/record/lane.ts';
import type { DocumentBatch } from '../src/record/record-batch.ts';
import { formatTimestamp } from '../src/record/timestamp.ts';
import type { MixedLine } from './mixed-logs.ts';
import { POD_COUNT, appOf, createMixedLines } from './mixed-logs.ts';

interface Pending {
  readonly line: MixedLine;
  readonly timeNs: bigint;
  readonly offset: number;
}

/** A pod whose lines wait to be taken as a batch. */
export interface MixedPod {
  readonly fileId: string;
  readonly resource: string;
  offset: number;
  pending: Pending[];
}

/** Returns a function that makes the next `count` documents, `stepNs` apart from `startNs` on, a batch per pod. */
export function createMixedBatches(startNs: bigint, stepNs: bigint): (count: number) => DocumentBatch[] {
  const pods = Array.from({ length: POD_COUNT }, (_, pod) => newMixedPod(pod));
  const next = createMixedLines(7);
  let timeNs = startNs;
  return (count) => {
    for (let index = 0; index < count; index += 1) {
      const line = next();
      const pod = pods[line.pod] as MixedPod;
      pod.pending.push({ line, timeNs, offset: pod.offset });
      pod.offset += Buffer.byteLength(line.text) + 1;
      timeNs += stepNs;
    }
    return pods.filter((pod) => pod.pending.length > 0).map((pod) => takeMixedBatch(pod, true));
  };
}

/** Makes a pod by its number. */
export function newMixedPod(pod: number): MixedPod {
  const name = `${appOf(pod)}-7d9f8b6c5-${(pod * 104_729).toString(36)}`;
  const resource = {
    kubernetes: {
      namespace: 'shop',
      pod: { name, uid: `0f4d5c1e-6f5a-4b7e-9a52-3f1d2c4b5a${String(pod).padStart(2, '0')}` },
      container: { name: appOf(pod) },
      node: { name: 'node-1' },
    },
    container: { runtime: 'containerd' },
    service: { name: appOf(pod) },
    host: { name: 'node-1' },
    agent: { type: 'logboom', version: '0.1.0' },
    ecs: { version: '8.11.0' },
  };
  const fileId = (pod * 7919 + 1).toString(16).padStart(20, 'a');
  return { fileId, resource: JSON.stringify(resource).slice(1), offset: 0, pending: [] };
}

/** Takes what waits of a pod, as it stood in the file or as a pipeline parsed it. */
export function takeMixedBatch(pod: MixedPod, isParsed: boolean): DocumentBatch {
  const records = pod.pending;
  pod.pending = [];
  const fieldTypes: FieldTypes = new Map();
  const parts = records.map((record) => {
    const { fields } = record.line;
    if (isParsed && fields !== undefined) addFieldTypes(fieldTypes, 'fields', fields);
    return Buffer.from(documentOf(pod, record, isParsed));
  });
  let end = 0;
  return {
    fileId: pod.fileId,
    body: Buffer.concat(parts),
    count: records.length,
    ends: Uint32Array.from(parts, (part) => (end += part.length)),
    offsets: Float64Array.from(records, (record) => record.offset),
    lanes: new Uint8Array(records.length).fill(LANE.stdout),
    fieldTypes,
    dropped: [],
  };
}

function documentOf({ fileId, resource }: MixedPod, record: Pending, isParsed: boolean): string {
  const { line, timeNs, offset } = record;
  const hasFields = isParsed && line.fields !== undefined;
  const fields = hasFields ? `"fields":${JSON.stringify(line.fields)},` : '';
  const message = JSON.stringify(hasFields ? line.message : line.text);
  const level = isParsed ? `"level":"${line.level}",` : '';
  const log = `${level}"offset":${offset},"file":{"path":"/var/log/pods/shop_${fileId}/app/0.log"}`;
  return `{"@timestamp":"${formatTimestamp(timeNs)}","message":${message},${fields}"stream":"stdout","log":{${log}},"event":{"id":"${eventIdOf(fileId, offset)}"},${resource}\n`;
}
