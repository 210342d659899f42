/** The dashboard and the alert rules ask for metrics and labels that there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { METRICS } from '../src/telemetry/metrics.ts';
import type { MetricDefinition } from '../src/telemetry/metrics.ts';

const DIRECTORY = path.resolve(import.meta.dirname, '../deploy/dashboards');

/** Labels that Prometheus or its histograms add. */
const ADDED_LABELS = new Set(['instance', 'job', 'le']);

function read(name: string): string {
  return readFileSync(path.join(DIRECTORY, name), 'utf8');
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function definitionOf(name: string): MetricDefinition | undefined {
  const metrics: Readonly<Record<string, MetricDefinition>> = METRICS;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return metrics[name] ?? (metrics[base]?.kind === 'histogram' ? metrics[base] : undefined);
}

/** Returns what is wrong with an expression and the labels that are shown of it. */
function problemsOf(expression: string, shown: string): string[] {
  const problems: string[] = [];
  const labels = new Set(ADDED_LABELS);
  for (const [, name = '', selectors = ''] of expression.matchAll(/(logboom_\w+)(?:\{([^}]*)\})?/g)) {
    const definition = definitionOf(name);
    if (definition === undefined) problems.push(`${name} is no metric`);
    for (const label of definition?.labels ?? []) labels.add(label);
    for (const [, label = ''] of selectors.matchAll(/(\w+)\s*[=!]/g)) {
      if (definition?.labels.includes(label) !== true) problems.push(`${name} has no label ${label}`);
    }
    const isTotal = name.endsWith('_total');
    const isRated = new RegExp(`(rate|increase)\\(${name}`).test(expression);
    if (isTotal && !isRated) problems.push(`${name} is a counter, and only its rate says something`);
  }
  const grouped = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names = '']) =>
    names.split(/,\s*/),
  );
  const legend = [...shown.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, name = '']) => name);
  for (const label of [...grouped, ...legend]) {
    if (!labels.has(label)) problems.push(`nothing in ${expression} has a label ${label}`);
  }
  return problems;
}

test('every panel of the dashboard asks for metrics and labels that there are', () => {
  const { panels } = JSON.parse(read('logboom.json')) as { panels: readonly Panel[] };
  const targets = panels.flatMap(({ title, targets: asked = [] }) =>
    asked.map((target) => ({ title, ...target })),
  );
  assert.ok(targets.length > 20);
  for (const { title, expr, legendFormat } of targets) {
    assert.deepEqual(problemsOf(expr, legendFormat), [], title);
  }
});

test('every alert asks for metrics and labels that there are, and says what to do', () => {
  const { groups } = parse(read('alerts.yaml')) as { groups: readonly { rules: readonly Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  assert.ok(rules.length > 5);
  for (const { alert, expr, annotations } of rules) {
    const { summary = '', description = '' } = annotations;
    assert.deepEqual(problemsOf(expr, summary + description), [], alert);
    assert.ok(summary !== '' && description !== '', alert);
  }
});

test('the guide names every metric with its kind and labels', () => {
  const guide = readFileSync(path.resolve(import.meta.dirname, '../docs/guide/operate.md'), 'utf8');
  const known: readonly (readonly [string, MetricDefinition])[] = Object.entries(METRICS);
  for (const [name, { kind, labels }] of known) {
    const cell = labels.map((label) => `\`${label}\``).join(', ');
    assert.ok(
      guide.includes(`| \`${name}\` | ${kind} | ${cell} |`),
      `${name} stands in docs/guide/operate.md`,
    );
  }
});

test('a name, a label, and a counter without its rate are all found', () => {
  assert.deepEqual(problemsOf('logboom_nothing', ''), ['logboom_nothing is no metric']);
  assert.deepEqual(problemsOf('logboom_agent_files{path="x"}', ''), [
    'logboom_agent_files has no label path',
  ]);
  assert.match(problemsOf('sum by (topic) (logboom_agent_lag_bytes)', '')[0] ?? '', /has a label topic/);
  assert.match(problemsOf('logboom_agent_records_total', '')[0] ?? '', /is a counter/);
});
