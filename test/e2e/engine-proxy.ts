import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly text: string;
}

/** Answers a request by itself, or returns undefined to let the engine answer. */
export type Inject = (request: ProxiedRequest) => ProxiedAnswer | undefined;

/** Changes what the engine answered. */
export type Rewrite = (request: ProxiedRequest, answer: ProxiedAnswer) => ProxiedAnswer;

/** Stands in front of a real engine and answers some requests as a broken, guarded or overloaded one would. */
export class EngineProxy implements AsyncDisposable {
  readonly url: string;
  inject: Inject = () => undefined;
  rewrite: Rewrite = (_, answer) => answer;
  readonly #server: Server;
  readonly #target: string;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async start(target: string): Promise<EngineProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new EngineProxy(server, target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url: path = '/' } = request;
    const asked = { method, path, body: Buffer.concat(chunks) };
    const { status, text } = this.inject(asked) ?? this.rewrite(asked, await this.#forward(asked));
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  }

  async #forward({ method, path, body }: ProxiedRequest): Promise<ProxiedAnswer> {
    const answer = await fetch(this.#target + path, {
      method,
      headers: { 'content-type': path.startsWith('/_bulk') ? 'application/x-ndjson' : 'application/json' },
      ...(body.length > 0 ? { body } : {}),
    });
    return { status: answer.status, text: await answer.text() };
  }
}
