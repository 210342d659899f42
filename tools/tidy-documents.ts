/** Checks of everything that is text: documents, links, and traces of the machine that a file was written on. */
import { resolvePath } from './tidy-imports.ts';
import { lineAt } from './source-mask.ts';
import type { Complaint, TidyFile } from './tidy.ts';

interface Trace {
  readonly pattern: RegExp;
  readonly message: string;
}

// Written in pieces, because this file is checked as well.
const TRACES: readonly Trace[] = [
  {
    pattern: new RegExp(`/${'work'}/|/${'root'}/|/${'home'}/(?!user\\b|app\\b|<)\\w`, 'g'),
    message: 'a path of one machine',
  },
  {
    pattern:
      /\bregistry\.(?!k8s\.io)[\w-]+\.[a-z]{2,}|\b(?:npm|artifactory|nexus)[\w-]*\.[\w-]+\.(?:com|io|net|org|internal)\b/g,
    message: 'the host of a package registry',
  },
];

/** Returns what is wrong with the documents and the texts of the repository. */
export function checkDocuments(files: readonly TidyFile[]): Complaint[] {
  const paths = new Set(files.flatMap(({ path }) => [path, ...parentsOf(path)]));
  const documents = files.filter(({ path }) => path.endsWith('.md') && !path.includes('/testdata/'));
  return [
    ...files.flatMap(checkTraces),
    ...files.filter(({ path }) => path.endsWith('package-lock.json')).flatMap(checkLockfile),
    ...documents.flatMap(checkHeadings),
    ...documents.flatMap((file) => checkLinks(file, paths)),
  ];
}

function checkTraces(file: TidyFile): Complaint[] {
  if (file.path.endsWith('package-lock.json')) return [];
  return TRACES.flatMap(({ pattern, message }) =>
    [...file.text.matchAll(pattern)].map(({ 0: found, index }) => ({
      path: file.path,
      line: lineAt(file.text, index),
      rule: 'machine-trace',
      message: `${found} is ${message}`,
    })),
  );
}

/** With addresses in it, the lockfile would work only where its writer's registry can be reached. */
function checkLockfile(file: TidyFile): Complaint[] {
  const found = /"resolved":\s*"[a-z+]+:/.exec(file.text);
  if (found === null) return [];
  const message = 'the lockfile names addresses: npm needs omit-lockfile-registry-resolved=true';
  return [{ path: file.path, line: lineAt(file.text, found.index), rule: 'lockfile', message }];
}

function checkHeadings(file: TidyFile): Complaint[] {
  const count = [...blankCode(file.text).matchAll(/^# \S/gm)].length;
  if (count === 1) return [];
  return [
    { path: file.path, line: 0, rule: 'one-title', message: `${count} titles: a document has exactly one` },
  ];
}

function checkLinks(file: TidyFile, paths: ReadonlySet<string>): Complaint[] {
  return [...blankCode(file.text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(({ 1: link = '', index }) => {
    if (/^(?:[a-z]+:|#)/i.test(link)) return [];
    const target = resolvePath(file.path, decodeURI(link.replace(/[#?].*$/, '')));
    if (paths.has(target) || target === '') return [];
    return [
      {
        path: file.path,
        line: lineAt(file.text, index),
        rule: 'dead-link',
        message: `${link} leads nowhere`,
      },
    ];
  });
}

/** Blanks code blocks and inline code, where neither a `#` is a title nor brackets are a link. */
function blankCode(text: string): string {
  const blank = (code: string): string => code.replaceAll(/[^\n]/g, ' ');
  return text.replaceAll(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1`*\s*$/gm, blank).replaceAll(/`[^`\n]+`/g, blank);
}

function parentsOf(path: string): string[] {
  const pieces = path.split('/');
  return pieces.slice(1).map((_, index) => pieces.slice(0, index + 1).join('/'));
}
