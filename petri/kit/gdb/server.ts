import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { PetriError } from '../../errors.ts';
import { packet, PacketReader, type Received } from './packets.ts';
import { GdbSession, type GdbLink } from './session.ts';
import type { GdbTarget } from './target.ts';

/** Packets answered before the event loop has its turn. */
const PACKETS_PER_TURN = 32;

/**
 * A GDB remote stub on a TCP port of 127.0.0.1, for one debugger at a time. A client that sends nonsense, too much, or
 * does not read its answers, keeps nobody from anything: what it sends is read no faster than it reads.
 */
export class GdbServer {
  readonly port: number;
  readonly #server: Server;
  #client: Client | undefined;

  private constructor(server: Server, target: GdbTarget) {
    this.#server = server;
    // Safe: it listens on TCP.
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#accept(socket, target));
  }

  /**
   * Listens for a debugger.
   *
   * @param port 0 for any free one
   * @throws PetriError `tool-failed` if the port cannot be had
   */
  static async open(target: GdbTarget, port: number): Promise<GdbServer> {
    const server = createServer({ noDelay: true });
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch (cause) {
      throw new PetriError(`there is no listening for a debugger on port ${port}: ${String(cause)}`, {
        code: 'tool-failed',
        step: 'boot',
        remedy: 'name another port, or 0 for any that is free',
        cause,
      });
    }
    return new GdbServer(server, target);
  }

  /** Ends the connection, after what was sent to it, and listens no more. Idempotent. */
  close(): void {
    this.#server.close();
    this.#client?.close();
  }

  #accept(socket: Socket, target: GdbTarget): void {
    // A second debugger; its errors are its own.
    socket.on('error', () => undefined);
    if (this.#client !== undefined) {
      socket.destroy();
      return;
    }
    const client = new Client(socket, target);
    this.#client = client;
    socket.once('close', () => {
      this.#client = undefined;
      client.gone();
    });
  }
}

/** One connection. */
class Client implements GdbLink {
  readonly #socket: Socket;
  readonly #reader = new PacketReader();
  readonly #session: GdbSession;
  #acknowledges = true;
  #last: Buffer | undefined;
  #scheduled = false;

  constructor(socket: Socket, target: GdbTarget) {
    this.#socket = socket;
    this.#session = new GdbSession(target, this);
    socket.on('data', (bytes: Buffer) => {
      this.#reader.push(bytes);
      this.#serve();
    });
    socket.on('drain', () => this.#serve());
  }

  send(data: string | Uint8Array): void {
    this.#last = packet(data);
    if (this.#socket.writable) this.#socket.write(this.#last);
  }

  stopAcknowledging(): void {
    this.#acknowledges = false;
  }

  close(): void {
    this.#socket.end();
    // Who does not read on cannot keep the connection.
    this.#socket.setTimeout(1000, () => this.#socket.destroy());
  }

  gone(): void {
    this.#session.disconnected();
  }

  #serve(): void {
    for (let count = 0; count < PACKETS_PER_TURN; count += 1) {
      if (this.#socket.writableNeedDrain) {
        this.#socket.pause();
        return;
      }
      const received = this.#reader.next();
      if (received === undefined) {
        this.#socket.resume();
        return;
      }
      this.#take(received);
    }
    this.#socket.pause();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#serve();
    });
  }

  #take(received: Received): void {
    switch (received.kind) {
      case 'ack':
        return;
      case 'nack':
        if (this.#acknowledges && this.#last !== undefined) this.#socket.write(this.#last);
        return;
      case 'interrupt':
        this.#session.interrupt();
        return;
      case 'corrupt':
        if (this.#acknowledges) this.#socket.write('-');
        return;
      case 'overflow':
        this.#socket.destroy();
        return;
      case 'packet':
        if (this.#acknowledges) this.#socket.write('+');
        this.#session.receive(received.data);
    }
  }
}
