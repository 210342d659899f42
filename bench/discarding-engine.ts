/** An engine that says it has stored whatever it is sent, and forgets it: what is left is the cost of writing to it. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const IDENTITY = { version: { number: '3.8.0', distribution: 'opensearch' } };

export class DiscardingEngine implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<DiscardingEngine> {
    const server = createServer((request, response) => {
      request.resume();
      request.on('end', () => {
        const [status, body] = answerTo(request);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new DiscardingEngine(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function answerTo({ method, url = '/' }: IncomingMessage): [status: number, body: unknown] {
  if (url === '/') return [200, IDENTITY];
  if (url.startsWith('/_bulk')) return [200, { errors: false }];
  if (method === 'PUT') return [200, { acknowledged: true }];
  // Every question for a template, an index or a document: there is none.
  return url.includes('template/') && method === 'GET' ? [404, {}] : [200, {}];
}
