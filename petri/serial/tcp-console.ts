import { createConnection, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { PetriError } from '../errors.ts';
import type { SerialConsole } from './console.ts';
import { escapeTelnet, TelnetFilter } from './telnet-filter.ts';

/** Milliseconds between two attempts to connect: at first, and at most. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 250;

/** Milliseconds that one attempt may take at most, and that it gets at least. */
const ATTEMPT = 10_000;
const SHORTEST_ATTEMPT = 1000;

/** Bytes of input that may wait for a peer that does not read. */
const INPUT_LIMIT = 64 * 1024 * 1024;

export interface TcpConsoleOptions {
  readonly host: string;
  readonly port: number;
  /** `raw`: bytes as they are. `telnet`: RFC 854 commands are taken out and refused, and 0xff is doubled both ways. */
  readonly mode: 'raw' | 'telnet';
  /** Takes what arrives. It is not closed when the connection ends. */
  readonly console: SerialConsole;
  /** Gives up connecting, and ends the connection. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds in which connecting is tried again when nobody listens yet.
   *
   * @default 0
   */
  readonly retryFor?: number;
}

/** A connection between a TCP port that serves a UART and a console. Whatever arrives is read at once, always. */
export interface TcpConsole {
  /** Sends what is typed. Resolves when the bytes have left this process or the connection has ended; never rejects. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves, once everything that arrived is in the console, with how the connection ended, as a clause. Never rejects. */
  readonly closed: Promise<string>;
  /** Ends the connection. Idempotent. */
  end(): void;
}

/**
 * Connects a console to a port.
 *
 * @throws PetriError `connection-failed` when nobody answers in time, or the signal aborts
 */
export async function connectConsole(options: TcpConsoleOptions): Promise<TcpConsole> {
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const left = (options.retryFor ?? 0) - elapsed();
    try {
      options.signal?.throwIfAborted();
      const socket = await attempt(options, Math.min(ATTEMPT, Math.max(left, SHORTEST_ATTEMPT)));
      return new Connection(socket, options);
    } catch (error) {
      if (options.signal?.aborted === true || left <= pause) throw connectionFailed(options, elapsed(), error);
    }
    await delay(pause, undefined, { signal: options.signal }).catch(() => {
      // The next round says that the signal aborted.
    });
  }
}

/** A socket that is connected, and paused. */
function attempt({ host, port, signal }: TcpConsoleOptions, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners('connect');
      socket.removeAllListeners('error');
    };
    const fail = (error: unknown): void => {
      settle();
      // Destroying may still report an error, which nobody has a use for.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onAbort = (): void => {
      fail(signal?.reason);
    };
    const timer = setTimeout(() => {
      fail(new Error('no answer'));
    }, timeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
  });
}

function connectionFailed(
  { host, port, console, signal }: TcpConsoleOptions,
  elapsed: number,
  cause: unknown,
): PetriError {
  const seconds = (elapsed / 1000).toFixed(1);
  const why = cause instanceof Error ? cause.message : String(cause);
  const message =
    signal?.aborted === true
      ? `connecting console '${console.name}' to ${host}:${String(port)} was given up after ${seconds} s`
      : `console '${console.name}' could not be connected to ${host}:${String(port)} within ${seconds} s: ${why}`;
  return new PetriError(message, {
    code: 'connection-failed',
    step: 'launch',
    remedy: 'see whether what serves this console is still running, and which port it says it listens on',
    cause,
  });
}

class Connection implements TcpConsole {
  readonly closed: Promise<string>;
  readonly #socket: Socket;
  readonly #mode: TcpConsoleOptions['mode'];
  #endedBy: string | undefined;

  constructor(socket: Socket, { console, mode, signal }: TcpConsoleOptions) {
    this.#socket = socket;
    this.#mode = mode;
    const onAbort = (): void => {
      this.#finish('it was given up');
    };
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(this.#endedBy ?? 'the other side closed the connection');
      });
    });
    socket.on('error', (error) => {
      this.#endedBy ??= `the connection broke: ${error.message}`;
    });
    // Nothing more will come, so there is nothing to wait for either: what is still to be sent has no reader.
    socket.once('end', () => socket.destroy());
    const filter = mode === 'raw' ? undefined : new TelnetFilter((bytes) => socket.write(bytes));
    socket.on('data', (chunk) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      console.push(filter === undefined ? bytes : filter.push(bytes));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  }

  write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable) return Promise.resolve();
    if (socket.writableLength + bytes.length > INPUT_LIMIT) {
      this.#finish(`the other side did not read ${socket.writableLength.toLocaleString('en')} bytes of input`);
      return Promise.resolve();
    }
    // A copy, because the socket may send it after the caller has changed it.
    const data = Uint8Array.from(this.#mode === 'raw' ? bytes : escapeTelnet(bytes));
    return new Promise((resolve) => {
      socket.write(data, () => {
        resolve();
      });
    });
  }

  end(): void {
    this.#finish('it was ended here');
  }

  /** At once, since a peer that reads nothing would keep the connection open. */
  #finish(reason: string): void {
    if (this.#socket.destroyed) return;
    this.#endedBy ??= reason;
    this.#socket.destroy();
  }
}
