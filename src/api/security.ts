/** Who may ask: loopback addresses, tokens, and what browsers are kept from doing on behalf of other pages. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ServerConfig } from '../config/config.ts';
import { ConfigError } from '../base/errors.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const SESSION_COOKIE = 'logboom_session';

/** Parses `host:port`, `[::1]:port` or `:port`. Throws ConfigError. */
export function parseListen(listen: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new ConfigError(
      'server.listen',
      `“${listen}” is no address and port`,
      'Write 127.0.0.1:6410 or [::1]:6410.',
    );
  }
  return { host: match[1] ?? (match[2] === undefined || match[2] === '' ? '0.0.0.0' : match[2]), port };
}

/** Throws ConfigError when everybody on the network could read the logs. */
export function checkExposure({ listen, token, insecure }: ServerConfig): void {
  const { host } = parseListen(listen);
  if (isLoopback(host) || insecure || (token !== undefined && token !== '')) return;
  throw new ConfigError(
    'server.listen',
    `${listen} can be reached from other machines, and no token is set`,
    'Set server.token (LOGBOOM_SERVER_TOKEN), listen on 127.0.0.1, or set server.insecure to true.',
  );
}

/** Whether only this machine reaches a host. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  return (
    name === 'localhost' ||
    name === '::1' ||
    name.endsWith('.localhost') ||
    /^127(?:\.\d{1,3}){3}$/.test(name)
  );
}

/**
 * Whether a request names this machine. A page elsewhere can let its own name point at 127.0.0.1, and would then
 * read the logs through its visitor's browser; its name in `Host` gives it away.
 */
export function isHostAllowed(hostHeader: string | undefined, listenHost: string): boolean {
  if (hostHeader === undefined || !isLoopback(listenHost)) return true;
  const name = hostHeader.replace(/:\d*$/, '');
  return isLoopback(name);
}

/** Whether a request that changes something comes from this server's own page, or from no page at all. */
export function isOriginAllowed(origin: string | undefined, hostHeader: string | undefined): boolean {
  return origin === undefined || origin.replace(/^https?:\/\//, '') === hostHeader;
}

/** The value of the cookie that stands for a token: the token itself never lies in a browser. */
export function sessionOf(token: string): string {
  return createHash('sha256').update(`logboom session ${token}`).digest('base64url');
}

/** Compares in a time that says nothing about where two texts differ. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

/** Whether a request carries the token, in its header or as the session's cookie. */
export function isAuthorized(
  headers: { readonly authorization?: string | undefined; readonly cookie?: string | undefined },
  token: string,
): boolean {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return isSameSecret(bearer, token);
  const session = cookieValue(headers.cookie ?? '', SESSION_COOKIE);
  return session !== undefined && isSameSecret(session, sessionOf(token));
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " +
    "form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

function cookieValue(cookies: string, name: string): string | undefined {
  for (const cookie of cookies.split(';')) {
    const [key, value] = cookie.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
