import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * A wire between a client and a server on the loopback address that a test can cut. While it is cut, what is on it
 * is gone and new connections are refused after they were taken, as behind a broken switch.
 */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #targetPort: number | undefined;
  #isCut = false;
  #isSwallowing = false;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => {
      this.#forward(client);
    });
  }

  /** Listens on a free port; connections are refused until `forwardTo`. */
  static async start(): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new TcpProxy(server);
  }

  forwardTo(port: number): void {
    this.#targetPort = port;
  }

  /** Breaks every connection, and keeps new ones from being made until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Takes connections and bytes and passes nothing on, until `mend`: the server seems to hang. */
  swallow(): void {
    this.#isSwallowing = true;
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.resume();
    }
  }

  /** Passes on what comes over new connections; those of a server that seemed to hang lack bytes, and break. */
  mend(): void {
    this.#isCut = false;
    if (!this.#isSwallowing) return;
    this.#isSwallowing = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(client: Socket): void {
    if (this.#isSwallowing && !this.#isCut) {
      this.#sockets.add(client);
      client.on('error', () => client.destroy());
      client.on('close', () => this.#sockets.delete(client));
      client.resume();
      return;
    }
    if (this.#isCut || this.#targetPort === undefined) {
      client.destroy();
      return;
    }
    const server = connect(this.#targetPort, '127.0.0.1');
    const pair = [client, server];
    for (const socket of pair) {
      this.#sockets.add(socket);
      const end = (): void => {
        for (const each of pair) each.destroy();
      };
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
