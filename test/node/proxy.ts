// Stands between a client and its server, counts, and cuts the connection where a test wants it.
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as nodeConnect, type Server, type Socket } from 'node:net';

export class TestProxy {
  /** Connections so far. */
  connections = 0;
  /** Bytes from the server that may still pass; then everything is cut. */
  budget = Number.POSITIVE_INFINITY;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#server = createServer((client) => {
      this.connections++;
      const upstream = nodeConnect(target, '127.0.0.1');
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream);
      upstream.on('data', (bytes: Buffer) => {
        const passing = bytes.subarray(0, Math.max(0, this.budget));
        this.budget -= bytes.length;
        if (this.budget < 0) client.write(passing, () => this.cut());
        else if (!client.write(passing)) upstream.pause();
      });
      client.on('drain', () => upstream.resume());
      upstream.on('end', () => client.end());
    });
  }

  static async to(target: number): Promise<TestProxy> {
    const proxy = new TestProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Every connection, with a reset. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }
}
