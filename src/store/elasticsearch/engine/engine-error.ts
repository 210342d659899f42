/** What went wrong between Logboom and the engine, as errors with a remedy. */
import { AppError, messageOf, systemCodeOf } from '../../../base/errors.ts';
import type { AppErrorOptions, ErrorCode } from '../../../base/errors.ts';
import type { HttpAnswer } from './http-connection.ts';

/** An error as the engine words it. */
export interface EngineFault {
  /** Such as `mapper_parsing_exception`. */
  readonly type: string;
  readonly reason: string;
}

/** Longer reasons quote whole documents. */
const REASON_LENGTH_MAX = 2_000;

/** How deep `caused_by` is followed; beyond two the engine repeats itself. */
const CAUSES_MAX = 3;

/** An alias cannot be made because an index has its name. */
export const NAME_OF_ALIAS = /invalid_alias_name|exists with the same name as the alias/;

/** Returns the engine's error in an answer's body, whatever form it has. */
export function faultOf(answer: Pick<HttpAnswer, 'status' | 'text'>): EngineFault {
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    // A proxy's page, or nothing at all.
  }
  const error = isObject(body) ? (body['error'] ?? body) : undefined;
  if (typeof error === 'string') return { type: `http_${answer.status}`, reason: shorten(error) };
  if (isObject(error) && typeof error['type'] === 'string') return faultFrom(error);
  return { type: `http_${answer.status}`, reason: shorten(answer.text.trim()) };
}

/** Returns an error object of the engine (`{type, reason, caused_by}`) with its causes in one line. */
export function faultFrom(error: Readonly<Record<string, unknown>>): EngineFault {
  const reasons: string[] = [];
  let cause: unknown = error;
  for (let depth = 0; depth <= CAUSES_MAX && isObject(cause); depth += 1) {
    const reason = textOf(cause['reason']);
    if (reason !== '' && !reasons.some((known) => known.includes(reason))) reasons.push(reason);
    cause = cause['caused_by'];
  }
  return { type: textOf(error['type']), reason: shorten(reasons.join(': ')) };
}

/** Returns the error of an answer whose status says that the request was not done. */
export function answerError(purpose: string, url: string, answer: HttpAnswer): AppError {
  const fault = faultOf(answer);
  const facts = statusFacts(answer.status);
  const { code } = facts;
  const hint = facts.hint ?? REFUSALS.find(({ pattern }) => pattern.test(fault.reason))?.hint;
  return new AppError(code, `cannot ${purpose}`, {
    details: { url, status: answer.status, type: fault.type, reason: fault.reason },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What a person has done to the engine, by what it then refuses, and what to do about it. */
const REFUSALS: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  {
    pattern: /would cause data streams? \[/,
    hint: 'Set store.isDataStream to true, or choose another beginning of names in store.index, or delete the data streams.',
  },
  {
    pattern: NAME_OF_ALIAS,
    hint: 'Delete the index with the name of the alias, or choose another beginning of names in store.index.',
  },
  {
    pattern: /have the same priority/,
    hint: 'Give the other template another priority or other patterns, or choose another beginning of names in store.index.',
  },
];

function statusFacts(status: number): { code: ErrorCode; hint?: string } {
  switch (status) {
    case 401:
      return {
        code: 'unauthorized',
        hint: 'Correct store.auth.username and store.auth.password, or store.auth.apiKey: the engine refuses them.',
      };
    case 403:
      return {
        code: 'permission_denied',
        hint: 'Grant the user of the store what docs/formats/elasticsearch.md lists under “Privileges”.',
      };
    case 404:
      return { code: 'not_found' };
    case 408:
    case 504:
      return { code: 'timed_out' };
    case 429:
      return { code: 'too_busy', hint: 'The engine is overloaded; it is asked again by itself.' };
    default:
      return status >= 500 ? { code: 'unreachable' } : { code: 'bad_request' };
  }
}

/** Returns the error of a request that got no answer. */
export function networkError(purpose: string, url: string, cause: unknown): AppError {
  const system = systemCodeOf(cause) ?? '';
  const options: AppErrorOptions = {
    cause,
    details: { url, reason: wordsOf(cause) || system },
    hint: networkHint(system, messageOf(cause), url),
  };
  const isTimeout = system.startsWith('UND_ERR_') && system.endsWith('_TIMEOUT');
  return new AppError(isTimeout ? 'timed_out' : 'unreachable', `cannot ${purpose}`, options);
}

/** OpenSSL says what it means between numbers and places in its sources: `…:SSL routines:function:reason:file:line:`. */
function wordsOf(cause: unknown): string {
  const message = messageOf(cause);
  return /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message.trim();
}

function networkHint(system: string, message: string, url: string): string {
  if (system === 'ENOTFOUND' || system === 'EAI_AGAIN')
    return `Correct the host name in store.urls: ${url} has no address.`;
  if (system === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `Use a name in store.urls that the certificate of ${url} is made out to.`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(system))
    return `Give the certificate authority of ${url} in store.tls.caFile.`;
  if (/certificate required|bad certificate|unknown ca/i.test(message))
    return `Give a certificate that ${url} accepts in store.tls.certificateFile and store.tls.keyFile.`;
  if (system === 'EPROTO' || /wrong version number|packet length too long/i.test(message))
    return 'Write http:// in store.urls: the engine does not speak TLS there.';
  if (system === 'UND_ERR_SOCKET' && url.startsWith('http:'))
    return 'Look whether the engine runs, and whether it wants https:// in store.urls.';
  return `Look whether the engine runs, and whether ${url} is its address (store.urls).`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function shorten(text: string): string {
  return text.length <= REASON_LENGTH_MAX ? text : `${text.slice(0, REASON_LENGTH_MAX)}…`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
