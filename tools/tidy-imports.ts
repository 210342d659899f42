/** Checks of what imports what: the table of folders, and that every file is reached from somewhere. */
import {
  BROWSER_FOLDERS,
  isWithin,
  NODE_USERS,
  rowOf,
  TEST_PACKAGES,
  type ImportRow,
} from './import-table.ts';
import { lineAt, maskSource } from './source-mask.ts';
import type { Complaint, TidyFile } from './tidy.ts';

interface ImportEdge {
  readonly file: TidyFile;
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
}

/** Returns every import that the table does not allow. */
export function checkImports(files: readonly TidyFile[]): Complaint[] {
  return files.flatMap((file) => importsOf(file).flatMap((edge) => checkEdge(edge)));
}

/** Prose after the word "from" is no import. */
const SPECIFIER = /^(?:\.{1,2}\/|node:|@?[a-z])[\w./@:?-]*$/;

/** Finds static imports and exports with a source, `import()`, and types by `import('…')`. */
export function importsOf(file: TidyFile): ImportEdge[] {
  const { code, strings } = maskSource(file.text);
  return strings.flatMap(({ offset, text }) => {
    const before = code.slice(0, offset).trimEnd();
    const isFrom = /\bfrom$/.test(before);
    if ((!isFrom && !/\bimport\s*\(?$/.test(before)) || !SPECIFIER.test(text)) return [];
    const statement = isFrom ? before.slice(startOfStatement(before)) : '';
    const isTypeOnly = /^\s*(?:import|export)\s+type\b/.test(statement);
    return [{ file, specifier: text, line: lineAt(file.text, offset), isTypeOnly }];
  });
}

function startOfStatement(before: string): number {
  const found = Math.max(before.lastIndexOf('\nimport'), before.lastIndexOf('\nexport'));
  return found < 0 ? 0 : found + 1;
}

function checkEdge(edge: ImportEdge): Complaint[] {
  const { file, specifier } = edge;
  const isRelative = specifier.startsWith('.');
  const target = isRelative ? resolvePath(file.path, specifier) : undefined;
  if (target !== undefined && /\.test\.tsx?$/.test(target))
    return [complain(edge, 'test-import', 'imports a test')];
  if (!file.path.startsWith('src/')) return [];
  const source = file.path.slice('src/'.length);
  const row = rowOf(source);
  if (row === undefined)
    return [complain(edge, 'import-table', 'stands in a folder that has no row in the table')];
  const isTest = isTestFile(source);
  if (target === undefined) return checkOutside(edge, row, isTest);
  if (!target.startsWith('src/')) return isTest ? [] : [complain(edge, 'import-table', 'leaves src')];
  return checkInside(edge, { row, source, target: target.slice('src/'.length), isTest });
}

function checkOutside(edge: ImportEdge, row: ImportRow, isTest: boolean): Complaint[] {
  const { specifier } = edge;
  if (specifier.startsWith('node:')) {
    const isAllowed = isTest || row.builtins === 'all' || row.builtins.includes(specifier);
    return isAllowed ? [] : [complain(edge, 'import-table', `must not use Node's own ${specifier}`)];
  }
  const name = packageOf(specifier);
  const isAllowed = row.packages.includes(name) || (isTest && TEST_PACKAGES.includes(name));
  return isAllowed ? [] : [complain(edge, 'import-table', `must not use the package ${name}`)];
}

interface InsideEdge {
  readonly row: ImportRow;
  readonly source: string;
  readonly target: string;
  readonly isTest: boolean;
}

function checkInside(edge: ImportEdge, { row, source, target, isTest }: InsideEdge): Complaint[] {
  if (row.imports.includes('*')) return [];
  const isOwn = topOf(source) === topOf(target) && topOf(source) !== 'base';
  if (isOwn && areRivals(source, target)) {
    return [complain(edge, 'import-table', `must not know ${target}, which stands beside it`)];
  }
  const isNode = isWithin(target, 'base/node');
  if (isNode && !isTest) {
    if (BROWSER_FOLDERS.includes(topOf(source)) && !isWithin(source, 'base/node')) {
      return [complain(edge, 'import-table', 'must not know base/node: it runs in a browser too')];
    }
    if (!edge.isTypeOnly && !NODE_USERS.some((folder) => isWithin(source, folder))) {
      return [
        complain(edge, 'import-table', 'imports more than types of base/node: main.ts passes instances in'),
      ];
    }
    return [];
  }
  const isInTable = isWithin(target, row.folder) || row.imports.some((allowed) => isWithin(target, allowed));
  if (isOwn || isInTable || (isTest && isTestPart(target))) return [];
  return [complain(edge, 'import-table', `must not import ${target}`)];
}

/** Parts that are made for tests of other folders. */
function isTestPart(target: string): boolean {
  return (
    isWithin(target, 'base') ||
    target === 'transport/memory.ts' ||
    target === 'transport/memory-dead-letters.ts' ||
    target === 'store/memory-store.ts' ||
    target === 'telemetry/memory-telemetry.ts'
  );
}

/** Two implementations of one interface, such as `store/embedded/a.ts` and `store/elasticsearch/b.ts`. */
function areRivals(source: string, target: string): boolean {
  const interfaces = ['store', 'transport'];
  const [folder, left, leftFile] = source.split('/');
  const [, right, rightFile] = target.split('/');
  const areFolders = leftFile !== undefined && rightFile !== undefined;
  return areFolders && interfaces.includes(folder ?? '') && left !== right;
}

/** Returns the files of `src` that nothing uses: neither the program, the page, a worker, nor a test or benchmark. */
export function checkReachability(files: readonly TidyFile[]): Complaint[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const queue = files.filter(({ path }) => isEntry(path));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file.path)) continue;
    reached.add(file.path);
    for (const { text } of maskSource(file.text).strings) {
      // A worker's name may end in a substitution, because its extension differs once it is compiled.
      const name = text.replace(/\.\$$/, '.ts');
      const target = name.startsWith('.') ? byPath.get(resolvePath(file.path, name)) : undefined;
      if (target !== undefined) queue.push(target);
    }
  }
  return files
    .filter(({ path }) => path.startsWith('src/') && !path.endsWith('.d.ts') && !reached.has(path))
    .map(({ path }) => ({ path, line: 0, rule: 'unreachable', message: 'nothing imports this file' }));
}

function isEntry(path: string): boolean {
  if (!path.startsWith('src/') || /\.test\.tsx?$/.test(path)) return true;
  return /^src\/(?:main\.ts|web\/(?:main\.tsx?|public\/.*))$/.test(path);
}

function isTestFile(path: string): boolean {
  return /\.test\.tsx?$|(?:^|\/)(?:testing\/|test-[\w-]+\.ts$)/.test(path);
}

function topOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Resolves a relative specifier against the path of the file that has it. */
export function resolvePath(from: string, specifier: string): string {
  const pieces = from.split('/').slice(0, -1);
  for (const piece of specifier.split('/')) {
    if (piece === '..') pieces.pop();
    else if (piece !== '.' && piece !== '') pieces.push(piece);
  }
  return pieces.join('/');
}

function complain(edge: ImportEdge, rule: string, message: string): Complaint {
  return { path: edge.file.path, line: edge.line, rule, message: `${message} ('${edge.specifier}')` };
}
