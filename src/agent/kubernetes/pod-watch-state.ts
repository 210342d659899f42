/**
 * When the pods are listed and when they are watched, pure: what the API server answers decides what comes next.
 *
 *   list ──listed──▶ watch ──ended, cut──▶ watch from the last version
 *    ▲                 │
 *    └── 410 Gone, a version that is unknown, or broken again and again
 *
 * (Kubernetes API concepts, "Efficient detection of changes".) Whatever fails is tried again after a time that doubles
 * up to `RETRY_MS_MAX`.
 */

/** What is done next, after `delayMs`. */
export type WatchStep =
  | { readonly kind: 'list'; readonly delayMs: number }
  | { readonly kind: 'watch'; readonly delayMs: number; readonly resourceVersion: string };

/** How an attempt ended. */
export type WatchOutcome =
  /** The server ended the watch in order, as it does after some minutes. */
  | { readonly kind: 'ended' }
  /** The version is older than what the server remembers. */
  | { readonly kind: 'expired' }
  /** Everything else: away, cut, refused, malformed. */
  | { readonly kind: 'failed'; readonly retryAfterMs?: number | undefined };

const RETRY_MS_MIN = 250;

/** Beyond it numbers would only grow. */
const DOUBLINGS_MAX = 16;

/** An API server that is away for an hour is asked 120 times by each node, and seen again within half a minute. */
export const RETRY_MS_MAX = 30_000;

/** A watch that fails so often in a row, with nothing learnt, may have a version that cannot be watched: a list settles it. */
const WATCHES_FAILED_MAX = 3;

/** A server that ends watches at once is not asked again at once. */
const ENDED_DELAY_MS = 1000;

export class PodWatchState {
  readonly #seed: number;
  #version: string | undefined;
  #failures = 0;
  #attempts = 0;
  #delayMs = 0;
  #hasNews = false;
  #isConnected = false;

  /** `name` spreads the attempts of nodes, so that they do not all come at the same moment. */
  constructor(name: string) {
    this.#seed = hashOf(name);
  }

  get next(): WatchStep {
    const delayMs = this.#delayMs;
    const resourceVersion = this.#version;
    return resourceVersion === undefined
      ? { kind: 'list', delayMs }
      : { kind: 'watch', delayMs, resourceVersion };
  }

  /** Whether the last attempt failed, and none has succeeded since. */
  get isAway(): boolean {
    return this.#failures > 0 && !this.#isConnected;
  }

  onListed(resourceVersion: string): void {
    this.#version = resourceVersion;
    this.#delayMs = 0;
    this.#hasNews = false;
    this.#isConnected = true;
  }

  /** The server took the version. */
  onOpened(): void {
    this.#isConnected = true;
  }

  /** An event or a bookmark brought the watch up to this version. */
  onVersion(resourceVersion: string): void {
    this.#version = resourceVersion;
    this.#hasNews = true;
    this.#failures = 0;
  }

  onOutcome(outcome: WatchOutcome): void {
    const hadNews = this.#hasNews;
    this.#hasNews = false;
    this.#attempts += 1;
    if (outcome.kind === 'ended') {
      this.#failures = 0;
      this.#delayMs = hadNews ? 0 : ENDED_DELAY_MS;
      return;
    }
    this.#isConnected = false;
    this.#failures += 1;
    // What the server forgot is asked for at once; when that goes on, something else is wrong.
    const isOrdinary = outcome.kind === 'expired' && this.#failures === 1;
    this.#delayMs = isOrdinary ? 0 : this.#waitMs();
    if (outcome.kind === 'expired' || this.#failures >= WATCHES_FAILED_MAX) this.#version = undefined;
    if (outcome.kind === 'failed') {
      this.#delayMs = Math.min(RETRY_MS_MAX, Math.max(this.#delayMs, outcome.retryAfterMs ?? 0));
    }
  }

  #waitMs(): number {
    const doubledMs = RETRY_MS_MIN * 2 ** Math.min(this.#failures - 1, DOUBLINGS_MAX);
    return Math.min(RETRY_MS_MAX, doubledMs) * (0.5 + 0.5 * this.fraction());
  }

  /** Returns a number from 0 to 1 that differs from node to node and from attempt to attempt. */
  fraction(): number {
    return hashOf(`${this.#seed} ${this.#attempts}`) / 2 ** 32;
  }
}

/** FNV-1a of 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
