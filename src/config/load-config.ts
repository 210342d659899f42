/**
 * From flags, environment and file to a `Config`. Flags win over the environment, which wins over the file, which
 * wins over the defaults; an option of a higher rank replaces the whole value, lists included. Relative paths of a
 * file begin at its directory, so that it means the same wherever the program is started; all others begin at the
 * working directory, as a shell has it.
 */
import { LineCounter, isMap, parseDocument } from 'yaml';
import type { Document, YAMLMap } from 'yaml';
import { ConfigError } from '../base/errors.ts';
import type { Config } from './config.ts';
import { buildConfig } from './build-config.ts';
import { environmentNameOf } from './names.ts';
import { LATER_PATHS, OPTIONS } from './options.ts';
import type { OptionDefinition } from './shape.ts';
import { ValueReader, defaultOf, suggest } from './value-reader.ts';
import type { Problem } from './value-reader.ts';
import { describeYamlError } from './yaml-problem.ts';

export interface ConfigInput {
  /** Values of flags as they were given, in order. */
  readonly flags: readonly FlagValue[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of the configuration file, and its name for messages; undefined without one. */
  readonly file: { readonly name: string; readonly text: string } | undefined;
  readonly hostName: string;
  readonly workingDirectory: string;
  /** Which of the default roots to collect when no sources are configured. */
  readonly hasDirectory: (path: string) => boolean;
}

export interface FlagValue {
  /** The flag as it was written, such as `--listen`. */
  readonly flag: string;
  /** Path of the option that it sets. */
  readonly path: string;
  readonly text: string;
}

/** Where each option's value came from: `default`, `FILE:LINE:COLUMN`, `environment NAME`, or `flag --NAME`. */
export type Origins = ReadonlyMap<string, string>;

export interface LoadedConfig {
  readonly config: Config;
  readonly origins: Origins;
  readonly warnings: readonly string[];
}

/**
 * Returns the configuration. Throws a `ConfigError` for one mistake, and an `AggregateError` of them for several.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const loader = new Loader(input);
  return loader.load();
}

/** Groups that look as if they turned something on when they are empty; by path, what does. */
const REMEDIES_OF_EMPTY: Readonly<Record<string, string>> = {
  'transport.tls': 'Set transport.tls.isEnabled to true, or take it out.',
  'store.tls': 'An address in store.urls that begins with https uses TLS without it: take it out.',
};

class Loader {
  readonly #input: ConfigInput;
  readonly #problems: Problem[] = [];
  readonly #values = new Map<string, unknown>();
  readonly #origins = new Map<string, string>();
  /** Where in the file stands what a problem names. */
  #placeOf: (name: string) => string | undefined = () => undefined;

  constructor(input: ConfigInput) {
    this.#input = input;
  }

  load(): LoadedConfig {
    this.#readFile();
    this.#readEnvironment();
    for (const { flag, path, text } of this.#input.flags) this.#readText(path, text, flag, `flag ${flag}`);
    this.#checkConditions();
    this.#fillDefaults();
    if (this.#problems.length > 0) throw toError(this.#problems);
    const { config, problems } = buildConfig(this.#values, this.#input);
    if (problems.length > 0) throw toError(problems.map((problem) => this.#locate(problem)));
    return { config, origins: this.#origins, warnings: environmentWarnings(this.#input.environment) };
  }

  #readFile(): void {
    const { file } = this.#input;
    if (file === undefined) return;
    const lines = new LineCounter();
    const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
    for (const error of document.errors) {
      const { offset, message, hint } = describeYamlError(file.text, error);
      const { line, col } = lines.linePos(offset);
      this.#problems.push({ name: 'YAML', where: `${file.name}:${line}:${col}`, message, hint });
    }
    if (document.errors.length > 0) return;
    const reader = this.#readerFor(document, lines, file.name);
    const root = reader.resolve(document.contents);
    if (root === null || root === undefined) return;
    if (!isMap(root)) {
      reader.report(root, 'configuration', 'is no object, expected `key: value` lines');
      return;
    }
    this.#placeOf = (name) => reader.placeOf(reader.nearest(root, name));
    this.#readGroup(reader, root, '');
  }

  #readGroup(reader: ValueReader, map: YAMLMap, prefix: string): void {
    const known = [...new Set(OPTIONS.flatMap(({ path }) => nextKeyOf(path, prefix)))];
    for (const { key, keyNode, value } of reader.entries(map)) {
      const path = `${prefix}${key}`;
      const option = OPTIONS.find((candidate) => candidate.path === path);
      if (option !== undefined) {
        const parsed = reader.read(value, option.shape, path);
        if (parsed !== undefined) this.#set(path, parsed, reader.placeOf(keyNode) ?? 'file');
      } else if (known.includes(key)) {
        this.#readInner(reader, value, path);
      } else if (LATER_PATHS.includes(path)) {
        reader.report(
          keyNode,
          path,
          'comes with a later release',
          'Remove it, or use a release that has it.',
        );
      } else {
        reportUnknownKey(reader, keyNode, path, known);
      }
    }
  }

  #readInner(reader: ValueReader, value: unknown, path: string): void {
    const node = reader.resolve(value);
    if (isMap(node)) {
      this.#readGroup(reader, node, `${path}.`);
      const remedy = node.items.length === 0 ? REMEDIES_OF_EMPTY[path] : undefined;
      if (remedy !== undefined) reader.report(node, path, 'is empty, and turns nothing on', remedy);
    } else if (reader.read(node, { kind: 'any' }, path) !== undefined) {
      const keys = [...new Set(OPTIONS.flatMap((option) => nextKeyOf(option.path, `${path}.`)))];
      reader.report(node, path, `expected an object with ${keys.join(', ')}`);
    }
  }

  #readEnvironment(): void {
    for (const { path } of OPTIONS) {
      const name = environmentNameOf(path);
      const text = this.#input.environment[name];
      if (text !== undefined && text !== '') this.#readText(path, text, name, `environment ${name}`);
    }
  }

  #readText(path: string, text: string, name: string, origin: string): void {
    const option = OPTIONS.find((candidate) => candidate.path === path);
    if (option === undefined) return;
    const lines = new LineCounter();
    // One word is taken as it stands; only what has inner structure is YAML.
    const isStructured = option.shape.kind === 'list';
    const document = parseDocument(isStructured ? text : JSON.stringify(text), {
      lineCounter: lines,
      prettyErrors: false,
    });
    const [error] = document.errors;
    if (error !== undefined) {
      this.#problems.push({
        name,
        where: undefined,
        message: error.message.replace(/\n[^]*$/, ''),
        hint: undefined,
      });
      return;
    }
    const reader = this.#readerFor(document, lines, undefined);
    const value = reader.read(document.contents, option.shape, name);
    if (value !== undefined) this.#set(path, value, origin);
  }

  #readerFor(document: Document, lines: LineCounter, fileName: string | undefined): ValueReader {
    const { workingDirectory } = this.#input;
    const file = fileName === undefined ? undefined : resolveFrom(workingDirectory, fileName);
    const base = file === undefined ? workingDirectory : file.slice(0, file.lastIndexOf('/'));
    const resolvePath = (path: string) => resolveFrom(base, path);
    return new ValueReader({ document, lines, fileName, resolvePath, problems: this.#problems });
  }

  #set(path: string, value: unknown, origin: string): void {
    this.#values.set(path, value);
    this.#origins.set(path, origin);
  }

  #checkConditions(): void {
    for (const { path, onlyWhen } of OPTIONS) {
      const origin = this.#origins.get(path);
      if (onlyWhen === undefined || origin === undefined) continue;
      const actual = this.#values.get(onlyWhen.path) ?? defaultAt(onlyWhen.path);
      if (actual === onlyWhen.is) continue;
      this.#problems.push(
        this.#locate({
          name: path,
          where: undefined,
          message: `needs ${onlyWhen.path}: ${onlyWhen.is}`,
          hint: undefined,
        }),
      );
    }
  }

  #fillDefaults(): void {
    for (const option of OPTIONS) {
      if (this.#values.has(option.path)) continue;
      const resolvePath = (path: string) => resolveFrom(this.#input.workingDirectory, path);
      this.#set(option.path, defaultOf(option, resolvePath), 'default');
    }
  }

  /** Gives a problem that names an option's path the name and the place that the person knows it by. */
  #locate(problem: Problem): Problem {
    const path = problem.name.replace(/[[].*$/, '');
    const origin = this.#origins.get(path) ?? 'default';
    if (origin === 'default') return problem;
    const [source, name] = origin.split(' ', 2);
    if (name === undefined) {
      const isInside = path !== problem.name;
      return { ...problem, where: (isInside ? this.#placeOf(problem.name) : undefined) ?? origin };
    }
    return { ...problem, name: source === 'flag' || source === 'environment' ? name : problem.name };
  }
}

function reportUnknownKey(
  reader: ValueReader,
  keyNode: unknown,
  path: string,
  known: readonly string[],
): void {
  const key = path.split('.').at(-1) ?? path;
  // A right key in the wrong place is a likelier mistake than a wrong key.
  const elsewhere = OPTIONS.find((option) => option.path.endsWith(`.${key}`) || option.path === key);
  if (elsewhere !== undefined && suggest(key, known) === undefined) {
    reader.report(keyNode, path, 'is no option', `Did you mean ${elsewhere.path}?`);
  } else {
    reader.reportUnknown(keyNode, path, key, known);
  }
}

function nextKeyOf(path: string, prefix: string): string[] {
  return path.startsWith(prefix) ? [path.slice(prefix.length).split('.')[0] ?? ''] : [];
}

function defaultAt(path: string): unknown {
  return OPTIONS.find((option: OptionDefinition) => option.path === path)?.default;
}

function toError(problems: readonly Problem[]): Error {
  const errors = problems.map(
    ({ name, where, message, hint }) =>
      new ConfigError(where === undefined ? name : `${where}: ${name}`, message, hint),
  );
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  return new AggregateError(errors, `the configuration has ${errors.length} mistakes`);
}

/** Variables that clients read, which are no options of the roles. */
const CLIENT_NAMES = ['LOGBOOM_SERVER', 'LOGBOOM_TOKEN', 'LOGBOOM_CONFIG', 'LOGBOOM_SEED'];

/** Returns a warning for each variable that looks like a misspelt option. */
function environmentWarnings(environment: ConfigInput['environment']): string[] {
  const known = OPTIONS.map(({ path }) => environmentNameOf(path));
  return Object.keys(environment).flatMap((name) => {
    // Kubernetes sets LOGBOOM_PORT_… and LOGBOOM_SERVICE_… for a service of this name: others are left alone.
    if (!name.startsWith('LOGBOOM_') || known.includes(name) || CLIENT_NAMES.includes(name)) return [];
    const meant = suggest(name, known);
    return meant === undefined ? [] : [`${name} is no option: did you mean ${meant}?`];
  });
}

/** Returns `path` made absolute, without `.` and `..` pieces. */
export function resolveFrom(workingDirectory: string, path: string): string {
  const pieces: string[] = [];
  for (const piece of (path.startsWith('/') ? path : `${workingDirectory}/${path}`).split('/')) {
    if (piece === '..') pieces.pop();
    else if (piece !== '' && piece !== '.') pieces.push(piece);
  }
  return `/${pieces.join('/')}`;
}
