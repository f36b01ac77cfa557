import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PetriError } from '../../errors.ts';
import { SerialConsole } from '../console.ts';
import { connectConsole, type TcpConsole, type TcpConsoleOptions } from './tcp-console.ts';
import { utf8 } from '../testing.ts';

const TIME = 30_000;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server that records its input. */
class Uart {
  readonly sockets: Socket[] = [];
  received = Buffer.alloc(0);
  readonly #server: Server;

  constructor(onConnection: (socket: Socket) => void = () => undefined) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    ends.push(() => {
      for (const socket of this.sockets) socket.destroy();
      this.#server.close();
    });
  }

  collect(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not a port');
    return address.port;
  }

  close(): void {
    this.#server.close();
  }
}

async function connect(port: number, options: Partial<TcpConsoleOptions> = {}): Promise<[TcpConsole, SerialConsole]> {
  const console = options.console ?? new SerialConsole({ name: 'host' });
  const connection = await connectConsole({ host: '127.0.0.1', port, mode: 'raw', ...options, console });
  ends.push(() => {
    connection.end();
  });
  return [connection, console];
}

async function failureOf(promise: Promise<unknown>): Promise<PetriError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PetriError)) throw new Error(`expected a PetriError, got ${String(error)}`);
  return error;
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const uart = new Uart();
  const port = await uart.listen();
  uart.close();
  return port;
}

describe('connectConsole', () => {
  it('loses no byte that is sent at once or before the end', async () => {
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    const uart = new Uart((socket) => socket.end(bytes));
    const [connection, console] = await connect(await uart.listen());
    expect(await connection.closed).toBe('the other side closed the connection');
    expect(Buffer.compare(console.raw, bytes)).toBe(0);
    expect(console.closeReason).toBeUndefined();
  });

  it('reads a console without waits', async () => {
    const uart = new Uart();
    const [, console] = await connect(await uart.listen());
    const [socket] = uart.sockets;
    const chunk = Buffer.alloc(1 << 20, 'x');
    // Each write returns only after the other side has read it: socket buffers are smaller than this.
    for (let count = 0; count < 16; count += 1) {
      await new Promise((resolve) => socket?.write(chunk, resolve));
    }
    socket?.write('end of flood\n');
    await expect.poll(() => console.tail(1)).toMatch(/end of flood$/);
    expect(console.size).toBe(16 * chunk.length + 'end of flood\n'.length);
  });

  it('sends bytes unchanged', async () => {
    const uart = new Uart((socket) => {
      uart.collect(socket);
    });
    const [connection] = await connect(await uart.listen());
    await connection.write(Uint8Array.of(0x61, 0xff, 0x0d));
    connection.end();
    await once(uart.sockets[0] ?? fail(), 'end');
    expect([...uart.received]).toEqual([0x61, 0xff, 0x0d]);
  });

  it('speaks Telnet in that mode', async () => {
    const uart = new Uart((socket) => {
      uart.collect(socket);
      socket.write(Uint8Array.of(0xff, 0xfb, 0x01, 0xff, 0xfd, 0x03, ...utf8('login'), 0xff, 0xff, ...utf8(': ok\n')));
    });
    const [connection, console] = await connect(await uart.listen(), { mode: 'telnet' });
    await console.waitFor(': ok');
    await connection.write(Uint8Array.of(0x62, 0xff));
    connection.end();
    await once(uart.sockets[0] ?? fail(), 'end');
    expect([...console.raw]).toEqual([...utf8('login'), 0xff, ...utf8(': ok\n')]);
    expect([...uart.received]).toEqual([0xff, 0xfe, 0x01, 0xff, 0xfc, 0x03, 0x62, 0xff, 0xff]);
  });

  it('waits for a port that is not open yet', async () => {
    const port = await closedPort();
    const connecting = connect(port, { retryFor: TIME });
    const uart = new Uart((socket) => socket.write('there\n'));
    await uart.listen(port);
    const [, console] = await connecting;
    await console.waitFor('there');
  });

  it.each(['raw', 'telnet'] as const)('retries a port that is in use: %s', async (mode) => {
    let busy = 3;
    const uart = new Uart((socket) => {
      busy -= 1;
      if (busy >= 0) socket.end('Port already in use\r\n');
      else {
        uart.collect(socket);
        socket.write('login: ');
      }
    });
    const [connection, console] = await connect(await uart.listen(), { mode, retryFor: TIME });
    await connection.write(utf8('early\r'));
    await console.waitFor(/^login: $/);
    expect(uart.sockets.length).toBe(4);
    expect(Buffer.from(console.raw).toString()).toBe('login: ');
    await connection.write(utf8('root\r'));
    connection.end();
    await once(uart.sockets[3] ?? fail(), 'end');
    expect(uart.received.toString()).toMatch(/root\r$/);
    expect(await connection.closed).toBe('it was ended here');
  });

  it('reports a port that is still in use after the time-out, with the server’s message', async () => {
    const uart = new Uart((socket) => socket.end('Port already in use\r\n'));
    const [connection, console] = await connect(await uart.listen(), { retryFor: 300 });
    await connection.closed;
    expect(console.transcript).toBe('Port already in use\n');
  });

  it('stops retrying a port in use when it is ended', async () => {
    const uart = new Uart((socket) => socket.end('Port already in use\r\n'));
    const [connection] = await connect(await uart.listen(), { retryFor: 10 * TIME });
    await expect.poll(() => uart.sockets.length).toBeGreaterThan(1);
    connection.end();
    expect(await connection.closed).toBe('it was ended here');
  });

  it.each(['Portland\n', 'Port already in use\nby nobody: go on\n', 'P'])(
    'passes on similar text: %j',
    async (words) => {
      const uart = new Uart((socket) => socket.write(words));
      const [, console] = await connect(await uart.listen(), { retryFor: TIME });
      await console.waitFor(words);
      expect(uart.sockets.length).toBe(1);
    },
  );

  it('reports the console and the port that does not answer', async () => {
    const port = await closedPort();
    const error = await failureOf(connect(port, { retryFor: 50 }));
    expect(error.code).toBe('connection-failed');
    expect(error.message).toContain(`console 'host' could not be connected to 127.0.0.1:${String(port)}`);
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('stops connecting when the signal aborts', async () => {
    const controller = new AbortController();
    const connecting = failureOf(connect(await closedPort(), { retryFor: 10 * TIME, signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect((await connecting).message).toContain('was aborted');
    expect((await failureOf(connect(1, { signal: controller.signal }))).cause).toMatchObject({ message: 'enough' });
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const uart = new Uart();
    const [connection] = await connect(await uart.listen(), { signal: controller.signal });
    controller.abort();
    expect(await connection.closed).toBe('it was aborted');
  });

  it('reports a broken connection, and accepts writes after it', async () => {
    const uart = new Uart((socket) => {
      // Only after it has received something: a connection that is reset at once was never made.
      socket.once('data', () => socket.resetAndDestroy());
    });
    const [connection] = await connect(await uart.listen());
    await connection.write(utf8('hello'));
    expect(await connection.closed).toMatch(/the connection broke: .*ECONNRESET/);
    await connection.write(utf8('into nothing'));
    connection.end();
  });

  it('disconnects a peer that never reads its input', async () => {
    const uart = new Uart((socket) => socket.pause());
    const [connection] = await connect(await uart.listen());
    const chunk = new Uint8Array(16 << 20);
    const writes = Array.from({ length: 6 }, () => connection.write(chunk));
    expect(await connection.closed).toMatch(/did not read .* bytes of input/);
    await Promise.all(writes);
  });

  it('ends when the other side stops sending, even if it does not read either', async () => {
    const uart = new Uart((socket) => {
      socket.pause();
      socket.end('last words');
    });
    const [connection, console] = await connect(await uart.listen());
    const write = connection.write(new Uint8Array(32 << 20));
    await connection.closed;
    await write;
    expect(console.transcript).toBe('last words');
  });
});

function fail(): never {
  throw new Error('nobody connected');
}
