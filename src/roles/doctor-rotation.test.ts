import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { probeHoles } from '../base/node/hole-probe.ts';
import { loadConfig } from '../config/load-config.ts';
import { examineRotation } from './doctor-rotation.ts';

function configOf(text: string) {
  return loadConfig({
    flags: [],
    environment: {},
    file: { name: 'logboom.yaml', text },
    hostName: 'host-1',
    workingDirectory: '/',
    hasDirectory: () => false,
  }).config;
}

void test('a tree is tried by punching a file of its own, which is gone afterwards', (context) => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-doctor-'));
  context.after(() => rmSync(root, { recursive: true }));
  const [finding, ...others] = examineRotation(configOf(`sources: [ { kind: apps, root: ${root} } ]`));
  assert.deepEqual(others, []);
  const { canPunch } = probeHoles(root);
  assert.equal(finding?.status, canPunch ? 'ok' : 'warn');
  assert.match(finding.text, canPunch ? /bytes inside a file are given back/ : /not given back/);
  assert.deepEqual(readdirSync(root), []);
});

void test('a tree that cannot be written, and a user who does not exist, are named with the remedy', () => {
  const config = configOf(
    'sources: [ { kind: apps, root: /proc } ]\nrotate: [ { method: rename, postrotate: "true", su: "no-such no-group" } ]',
  );
  const [tree, user] = examineRotation(config);
  assert.match(tree?.text ?? '', /^\/proc: cannot write there/);
  assert.match(tree?.remedy ?? '', /collected and not rotated/);
  assert.equal(user?.text, 'rotate[0].su: user no-such does not exist');
});

void test('old directories of pods are named where nothing removes them', (context) => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-doctor-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const pod of ['cart-0', 'cart-1']) mkdirSync(path.join(root, 'shop/cart', pod), { recursive: true });
  const old = path.join(root, 'shop/cart/cart-0');
  utimesSync(old, 1, 1);
  const findings = examineRotation(configOf(`sources: [ { kind: apps, root: ${root} } ]`));
  assert.equal(findings.length, 2);
  assert.match(findings[1]?.text ?? '', new RegExp(`in the directories of 1 pod, 0 B: ${old}$`));
  assert.match(findings[1]?.remedy ?? '', /removeAfter, such as 7d/);
  const told = configOf(`sources: [ { kind: apps, root: ${root}, removeAfter: 7d } ]`);
  assert.equal(examineRotation(told).length, 1);
});

void test('policies that ask for what is known of pods are named where nobody watches pods', () => {
  const sources = '[ { kind: apps, root: /no/such/tree, fields: { team: shop } } ]';
  const findings = (match: string) =>
    examineRotation(
      configOf(`sources: ${sources}\nrotate: [ { match: ${match} } ]\nkubernetes: { enabled: false }`),
    );
  for (const match of [
    '{ annotations: { example.com/logs: short } }',
    '{ labels: { team: shop, tier: gold } }',
  ]) {
    const [finding, ...others] = findings(match);
    assert.deepEqual(others, [], match);
    assert.equal(finding?.status, 'warn', match);
    assert.match(finding.text, /^rotate\[0\] asks for (?:annotation example\.com\/logs|label tier) of pods/);
    assert.match(finding.remedy ?? '', /kubernetes\.enabled/);
  }
  assert.deepEqual(findings('{ labels: { team: shop } }'), [], "the source's own fields are labels");
});
