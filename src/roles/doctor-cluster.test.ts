import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load-config.ts';
import { examineCluster } from './doctor-cluster.ts';

function configOf(text: string): Config {
  return loadConfig({
    flags: [],
    environment: {},
    file: { name: 'logboom.yaml', text },
    hostName: 'host-1',
    workingDirectory: '/',
    hasDirectory: () => false,
  }).config;
}

test('a broker and an engine that are away are two things to mend, with what to do', async () => {
  // Port 1 is nobody's.
  const findings = await examineCluster(
    configOf(`transport: { kind: kafka, brokers: ["127.0.0.1:1"] }
store: { kind: elasticsearch, urls: ["http://127.0.0.1:1"] }`),
  );
  assert.deepEqual(
    findings.map(({ status, check }) => [status, check]),
    [
      ['fail', 'kafka'],
      ['fail', 'store'],
    ],
  );
  const [kafka, store] = findings;
  assert.match(`${kafka?.text} ${kafka?.remedy}`, /ECONNREFUSED.*transport\.brokers/);
  assert.match(store?.remedy ?? '', /http:\/\/127\.0\.0\.1:1.*store\.urls/);
});

test('one process has nobody else to ask', async () => {
  assert.deepEqual(await examineCluster(configOf('{}')), []);
});
