/**
 * Which node of the cluster is asked next: in turn among those that answer, and the others only when none does or
 * when their pause is over.
 *
 * Invariant: every host is among the candidates of every turn, so a request fails only when all hosts do.
 */
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 30_000;

interface Host {
  readonly url: string;
  /** Failures in a row. */
  failures: number;
  /** Before this time it is asked last. */
  pausedUntilMs: number;
}

export class HostRingState {
  readonly #hosts: readonly Host[];
  #turn = 0;

  constructor(urls: readonly string[]) {
    this.#hosts = urls.map((url) => ({ url, failures: 0, pausedUntilMs: 0 }));
  }

  /** Returns every host once, in the order in which this request should try them. */
  candidates(nowMs: number): string[] {
    const turn = this.#turn % Math.max(1, this.#hosts.length);
    this.#turn += 1;
    const rotated = [...this.#hosts.slice(turn), ...this.#hosts.slice(0, turn)];
    const isReady = ({ pausedUntilMs }: Host): boolean => pausedUntilMs <= nowMs;
    const paused = rotated.filter((host) => !isReady(host));
    paused.sort((left, right) => left.pausedUntilMs - right.pausedUntilMs);
    return [...rotated.filter(isReady), ...paused].map(({ url }) => url);
  }

  succeeded(url: string): void {
    const host = this.#find(url);
    if (host === undefined) return;
    host.failures = 0;
    host.pausedUntilMs = 0;
  }

  failed(url: string, nowMs: number): void {
    const host = this.#find(url);
    if (host === undefined) return;
    host.pausedUntilMs = nowMs + Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** host.failures);
    host.failures += 1;
  }

  #find(url: string): Host | undefined {
    return this.#hosts.find((host) => host.url === url);
  }
}
