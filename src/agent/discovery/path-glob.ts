/**
 * Globs over paths: `*` and `?` within one name, `**` over any number of directories, `[abc]` and `{a,b}`. The
 * pattern must fit the whole path.
 */
const PATTERN_CHARACTERS_MAX = 4096;

/** Compiles a glob; characters without a meaning stand for themselves. */
export function compileGlob(pattern: string): RegExp {
  return new RegExp(`^${translate(pattern.slice(0, PATTERN_CHARACTERS_MAX))}$`, 's');
}

/** Returns the longest directory above everything that a pattern can match. */
export function globRoot(pattern: string): string {
  const names = pattern.split('/');
  const wild = names.findIndex((name) => /[*?[{]/.test(name));
  const fixed = wild < 0 ? names.slice(0, -1) : names.slice(0, wild);
  return fixed.join('/') || '/';
}

/** Returns a test of whether a directory can hold, at any depth, something that the pattern matches. */
export function compileGlobDirectories(pattern: string): (directory: string) => boolean {
  const names = pattern.split('/');
  const deep = names.indexOf('**');
  const prefixes = names
    .slice(0, deep < 0 ? names.length : deep)
    .map((_, index) => compileGlob(names.slice(0, index + 1).join('/')));
  const below = deep < 0 ? undefined : names.slice(0, deep).join('/');
  const belowTest = below === undefined ? undefined : compileGlob(`${below}/**`);
  return (directory) => {
    const depth = directory.split('/').length - 1;
    if (belowTest?.test(`${directory}/`) === true) return true;
    return depth < names.length - 1 && prefixes[depth]?.test(directory) === true;
  };
}

function translate(pattern: string): string {
  let source = '';
  let braces = 0;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*' && pattern[at + 1] === '*') {
      const isWholeName = pattern[at + 2] === '/';
      source += isWholeName ? '(?:.*/)?' : '.*';
      at += isWholeName ? 2 : 1;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[' && pattern.indexOf(']', at + 2) > 0) {
      const end = pattern.indexOf(']', at + 2);
      const members = pattern
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\');
      source += `[${members.replaceAll('[', '\\[')}]`;
      at = end;
    } else if (character === '{' && pattern.indexOf('}', at) > 0) {
      source += '(?:';
      braces++;
    } else if (character === '}' && braces > 0) {
      source += ')';
      braces--;
    } else if (character === ',' && braces > 0) source += '|';
    else source += character.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  }
  return source + ')'.repeat(braces);
}
