/** The members of a document as a flat list: what the open record shows, and what a click turns into a filter. */
import type { Document } from './document.ts';

export interface FieldEntry {
  /** The name for people: members of `fields` go by their bare name. */
  readonly name: string;
  /** The name that a query certainly takes for a field. */
  readonly path: string;
  readonly value: string;
  /** Whether `name:value` can find it; not so for the message and for empty objects. */
  readonly canFilter: boolean;
}

/** A hostile document must not freeze the page. */
export const FIELD_ENTRIES_MAX = 500;
const DEPTH_MAX = 12;

/** Parsed fields first, because they are what an application said; then where it runs, then how it was collected. */
const GROUPS = [
  'fields',
  'error',
  'http',
  'trace',
  'log.level',
  'labels',
  'service',
  'kubernetes',
  'container',
  'host',
];

/** Names that the facets use too, so that a click there and a click here are the same filter. */
const ALIASES: Readonly<Record<string, string>> = {
  'log.level': 'level',
  'kubernetes.namespace': 'namespace',
  'kubernetes.pod.name': 'pod',
};

/** Flattens a document; arrays are one value, members of `fields` go by their bare name, the message is left out. */
export function flattenFields(document: Document): FieldEntry[] {
  const entries: FieldEntry[] = [];
  for (const [key, value] of Object.entries(document)) {
    if (key !== 'message') flattenInto(entries, key, value, 0);
  }
  const rank = (name: string): number => {
    const index = GROUPS.findIndex((group) => name === group || name.startsWith(`${group}.`));
    return index === -1 ? GROUPS.length : index;
  };
  const sorted = entries.map((entry, index) => ({ entry, index, rank: rank(entry.path) }));
  sorted.sort((a, b) => a.rank - b.rank || a.index - b.index);
  return sorted.map(({ entry }) => ({
    ...entry,
    name: bareName(entry.path),
    path: ALIASES[entry.path] ?? entry.path,
  }));
}

function flattenInto(entries: FieldEntry[], path: string, value: unknown, depth: number): void {
  if (entries.length >= FIELD_ENTRIES_MAX) return;
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < DEPTH_MAX) {
    const members = Object.entries(value);
    for (const [key, member] of members) flattenInto(entries, `${path}.${key}`, member, depth + 1);
    if (members.length > 0) return;
  }
  entries.push({ name: path, path, value: valueText(value), canFilter: canFilter(value) });
}

function bareName(name: string): string {
  return name.startsWith('fields.') ? name.slice('fields.'.length) : name;
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function canFilter(value: unknown): boolean {
  return (
    (typeof value === 'string' && value !== '') || typeof value === 'number' || typeof value === 'boolean'
  );
}
