/** What is wrong with the YAML of a configuration file, in words for the person who wrote it. */
import type { YAMLError } from 'yaml';

export interface YamlProblem {
  /** Where to look: offset in characters. */
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

interface Wording {
  readonly message: string;
  readonly hint: string;
}

const QUOTE_HINT = 'Put quotes around the value if that is what it should say.';

/** By the codes of the YAML library (https://eemeli.org/yaml/#errors); others share one wording. */
const WORDINGS: Readonly<Record<string, Wording>> = {
  TAB_AS_INDENT: { message: 'the line begins with a tab', hint: 'Indent with spaces: YAML takes no tabs.' },
  DUPLICATE_KEY: { message: 'this key stands here twice', hint: 'Keep one of the two.' },
  BLOCK_AS_IMPLICIT_KEY: { message: 'a second `key: value` stands in the value of a key', hint: QUOTE_HINT },
  BAD_SCALAR_START: { message: 'a value cannot begin with this character', hint: QUOTE_HINT },
  BAD_ALIAS: { message: 'this * refers to a name that nothing above has', hint: QUOTE_HINT },
  BAD_DQ_ESCAPE: {
    message: 'this escape is none that YAML knows',
    hint: 'Write \\\\ for a backslash, or use single quotes.',
  },
  MULTIPLE_DOCS: { message: 'a second document begins', hint: 'Remove the line `---` between the two.' },
  BAD_DIRECTIVE: { message: 'this is no directive that YAML knows', hint: 'Remove the line with the %.' },
  MULTILINE_IMPLICIT_KEY: {
    message: 'a key goes over several lines',
    hint: 'Is there a colon missing, or a quote?',
  },
};

const INDENT: Wording = {
  message: 'the line is not indented like the ones that it belongs to',
  hint: 'Indent every key of one object by the same number of spaces.',
};

const OTHER: Wording = {
  message: 'the text cannot be read as YAML from here on',
  hint: 'Look for a missing colon, quote or bracket, here or in the line before.',
};

/** Says in words what the library found. */
export function describeYamlError(text: string, error: YAMLError): YamlProblem {
  const [offset] = error.pos;
  const closing = /(?:end with a |Missing closing ["']|Expected .*?ending with )([\]}]|quote)/.exec(
    error.message,
  )?.[1];
  if (closing !== undefined) {
    const opening = openingOf(text, offset, closing);
    if (opening !== undefined) return opening;
  }
  const isIndent = /indent|same column|start at/i.test(error.message);
  const wording = WORDINGS[error.code] ?? (isIndent ? INDENT : OTHER);
  return { offset, ...wording };
}

/** A bracket or quote that is missing is looked for where its partner stands: the library sees the end of the file. */
function openingOf(text: string, offset: number, closing: string): YamlProblem | undefined {
  const before = text.slice(0, offset);
  if (closing === 'quote') {
    const at = Math.max(before.lastIndexOf('"'), before.lastIndexOf("'"));
    if (at < 0) return undefined;
    return {
      offset: at,
      message: `the quote ${before[at]} is not closed`,
      hint: 'Add one where the text ends.',
    };
  }
  const open = closing === ']' ? '[' : '{';
  const at = unclosed(before, open, closing);
  if (at === undefined) return undefined;
  const hint = `Add ${closing} where it ends, and indent what stands between; quote a ${open} that is text.`;
  return { offset: at, message: `the ${open} is not closed`, hint };
}

/** Returns where the last bracket without its partner stands. */
function unclosed(text: string, open: string, close: string): number | undefined {
  const found: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === open) found.push(at);
    else if (text[at] === close) found.pop();
  }
  return found.at(-1);
}
