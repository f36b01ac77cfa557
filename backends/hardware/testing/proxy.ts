import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy between the runner and the machine, which a test can cut. */
export class Proxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: 'open' | 'refuse' | 'silent' = 'open';
  /** Number of connections made through it. */
  connections = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async to(port: number): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new Proxy(server, address.port);
    server.on('connection', (near) => proxy.#join(near, port));
    return proxy;
  }

  #join(near: Socket, port: number): void {
    if (this.#mode === 'refuse') {
      near.destroy();
      return;
    }
    this.connections++;
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const forward = (from: Socket, to: Socket): void => {
      from.on('data', (bytes: Buffer) => {
        if (this.#mode !== 'silent') to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    };
    forward(near, far);
    forward(far, near);
  }

  /** Ends all connections, and accepts none until `mend`. */
  cut(): void {
    this.#mode = 'refuse';
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** Blocks all traffic without ending connections, like a pulled cable. */
  silence(): void {
    this.#mode = 'silent';
  }

  /** Accepts connections again. Blocked ones are closed, since they have lost bytes. */
  mend(): void {
    if (this.#mode === 'silent') for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#mode = 'open';
  }

  async end(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
