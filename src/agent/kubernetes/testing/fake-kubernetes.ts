/** An API server of our own over real HTTP, for the faults that a real one has only on bad days. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type PodShape, podObject } from './pod-objects.ts';

/** What is answered instead of a list or a watch; it ends the response itself. */
export type Fault = (response: http.ServerResponse) => void;

export interface SeenRequest {
  readonly kind: 'list' | 'watch';
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

export class FakeKubernetes {
  readonly requests: SeenRequest[] = [];
  /** Taken one after the other, before anything else is answered. */
  readonly faults: { readonly kind: 'list' | 'watch'; readonly fault: Fault }[] = [];
  /** What a request must present; undefined: nothing. */
  token: string | undefined;
  readonly #pods = new Map<string, PodShape>();
  readonly #watches = new Set<http.ServerResponse>();
  readonly #server: http.Server;
  #version = 1;

  constructor() {
    this.#server = http.createServer((request, response) => this.#answer(request, response));
  }

  /** Listens on a free port, or on that of before. */
  async start(port = 0): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(port, '127.0.0.1', resolve);
    await promise;
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections, and takes no more. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  /** Makes or changes a pod, and tells those who watch. */
  put(shape: PodShape): void {
    const type = this.#pods.has(shape.uid) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    this.#pods.set(shape.uid, { ...shape, version: String(this.#version) });
    this.emit({ type, object: podObject({ ...shape, version: String(this.#version) }) });
  }

  delete(uid: string): void {
    const shape = this.#pods.get(uid);
    this.#pods.delete(uid);
    this.#version += 1;
    if (shape === undefined) return;
    this.emit({ type: 'DELETED', object: podObject({ ...shape, version: String(this.#version) }) });
  }

  /** Forgets a pod without telling anybody, as happens while nobody watches. */
  deleteSilently(uid: string): void {
    this.#pods.delete(uid);
    this.#version += 1;
  }

  emit(event: unknown): void {
    this.write(`${JSON.stringify(event)}\n`);
  }

  /** Writes anything at all into the watches. */
  write(text: string): void {
    for (const response of this.#watches) response.write(text);
  }

  /** Ends the watches in order, or in the middle of whatever was written. */
  endWatches(how: 'ended' | 'cut' = 'ended'): void {
    for (const response of this.#watches) {
      if (how === 'ended') response.end();
      else response.destroy();
    }
    this.#watches.clear();
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const query = new URL(request.url ?? '/', 'http://fake').searchParams;
    const kind = query.get('watch') === '1' ? 'watch' : 'list';
    const { authorization } = request.headers;
    this.requests.push({ kind, query, authorization });
    const at = this.faults.findIndex((planned) => planned.kind === kind);
    const [planned] = at < 0 ? [] : this.faults.splice(at, 1);
    if (planned !== undefined) {
      planned.fault(response);
      return;
    }
    if (this.token !== undefined && authorization !== `Bearer ${this.token}`) {
      answerStatus(401, 'Unauthorized')(response);
      return;
    }
    if (kind === 'watch') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      this.#watches.add(response);
      response.on('close', () => this.#watches.delete(response));
      return;
    }
    const items = [...this.#pods.values()].map(podObject);
    const metadata = { resourceVersion: String(this.#version) };
    response.end(`${JSON.stringify({ kind: 'PodList', metadata, items })}\n`);
  }
}

/** Answers with a status, as the API server words it. */
export function answerStatus(code: number, message: string, headers: http.OutgoingHttpHeaders = {}): Fault {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', status: 'Failure', message, code }));
  };
}

/** Takes the request and never answers. */
export const hang: Fault = () => undefined;
