import { createServer, type Server, type Socket } from 'node:net';

import { escapeIac, negotiation, TelnetInput } from './telnet.ts';

export interface TerminalOptions {
  readonly index: number;
  readonly mode: 'raw' | 'telnet';
  readonly startPort: number;
  /** Bytes that wait for a reader before the UART stops its world. */
  readonly buffer: number;
}

const LAST_PORT = 65_535;

/**
 * One terminal of the model: a TCP port for one client, with a buffer that holds up the model when nobody empties it.
 */
export class Terminal {
  readonly index: number;
  /** Takes what the client types. */
  onInput: (bytes: Uint8Array) => void = () => {};
  readonly #options: TerminalOptions;
  readonly #input = new TelnetInput();
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #server: Server | undefined;
  #client: Socket | undefined;
  #drained: (() => void)[] = [];

  constructor(options: TerminalOptions) {
    this.index = options.index;
    this.#options = options;
  }

  /** Takes the first free port from the start port upward. */
  async listen(): Promise<number> {
    for (let port = this.#options.startPort; port <= LAST_PORT; port++) {
      if (await this.#tryPort(port)) return port;
    }
    throw new Error(`terminal_${this.index}: no free port`);
  }

  #tryPort(port: number): Promise<boolean> {
    const server = createServer({ noDelay: true }, (socket) => this.#connect(socket));
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      });
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
        this.#server = server;
        resolve(true);
      });
    });
  }

  #connect(socket: Socket): void {
    if (this.#client !== undefined) {
      socket.destroy();
      return;
    }
    this.#client = socket;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.#client === socket) this.#client = undefined;
    });
    socket.on('drain', () => this.#flush());
    socket.on('data', (bytes) => {
      const data = this.#options.mode === 'telnet' ? this.#input.data(bytes) : bytes;
      if (data.length > 0) this.onInput(data);
    });
    if (this.#options.mode === 'telnet') socket.write(negotiation);
    this.#flush();
  }

  write(bytes: Uint8Array): void {
    this.#waiting.push(this.#options.mode === 'telnet' ? escapeIac(bytes) : bytes);
    this.#waitingBytes += bytes.length;
    this.#flush();
  }

  /** Whether the world behind this terminal has to stand still, and with it the model. */
  get blocked(): boolean {
    return this.#waitingBytes > this.#options.buffer;
  }

  async unblocked(): Promise<void> {
    while (this.blocked) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #flush(): void {
    while (this.#client?.writableNeedDrain === false) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      this.#waitingBytes -= bytes.length;
      this.#client.write(bytes);
    }
    if (this.blocked) return;
    const drained = this.#drained;
    this.#drained = [];
    for (const wake of drained) wake();
  }

  /** Loses the client in the middle of what it reads, and takes no other. */
  disconnect(): void {
    this.#server?.close();
    this.#client?.destroySoon();
  }

  /** Sends what is left to a client that reads, and closes. */
  async close(): Promise<void> {
    this.#server?.close();
    const client = this.#client;
    if (client === undefined) return;
    for (const bytes of this.#waiting.splice(0)) client.write(bytes);
    await new Promise<void>((resolve) => {
      client.once('close', () => resolve());
      client.end();
      // A client that does not close in turn keeps the model no longer than this.
      setTimeout(() => client.destroy(), 100);
    });
  }
}
