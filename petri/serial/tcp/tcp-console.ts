import { createConnection, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import pRetry from 'p-retry';
import { PetriError } from '../../errors.ts';
import { BusyPortFilter } from './busy-port.ts';
import type { SerialConsole } from '../console.ts';
import { escapeTelnet, TelnetFilter } from './telnet-filter.ts';

/** Milliseconds between two attempts to connect: at first, and at most. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 250;

/** Maximum and minimum duration of one attempt in milliseconds. */
const ATTEMPT = 10_000;
const SHORTEST_ATTEMPT = 1000;

/** Bytes of input that are buffered for a peer that does not read. */
const INPUT_LIMIT = 64 * 1024 * 1024;

/** The port of a UART, and the console for it. */
export interface TcpConsoleOptions {
  /** Host name or IP address. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** `raw`: unmodified bytes. `telnet`: RFC 854 commands are removed and refused, and 0xff is doubled both ways. */
  readonly mode: 'raw' | 'telnet';
  /** Receives what arrives. It is not closed when the connection ends. */
  readonly console: SerialConsole;
  /** Aborts connecting, and ends the connection. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds for which connecting is retried while nothing listens yet, or a console server reports that the port
   * is in use. While that report may still arrive, the first bytes are held back.
   *
   * @default 0
   */
  readonly retryFor?: number;
}

/** A connection between the TCP port of a UART and a console. Whatever arrives is read at once. */
export interface TcpConsole {
  /** Sends input. Resolves when the bytes have left this process or the connection has ended; never rejects. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Resolves, when everything that arrived is in the console, with how the connection ended, as a clause. Never
   * rejects.
   */
  readonly closed: Promise<string>;
  /** Ends the connection. Idempotent. */
  end(): void;
}

/**
 * Connects a console to a port.
 *
 * @throws PetriError `connection-failed` if nothing answers in time, or the signal aborts
 */
export async function connectConsole(options: TcpConsoleOptions): Promise<TcpConsole> {
  const started = performance.now();
  const left = (): number => (options.retryFor ?? 0) - (performance.now() - started);
  const connect = (): Promise<Socket> => connectWithin(options, left());
  return new Connection(await connect(), options, () => (left() > 0 ? connect() : undefined));
}

async function connectWithin(options: TcpConsoleOptions, time: number): Promise<Socket> {
  const started = performance.now();
  const left = (): number => time - (performance.now() - started);
  const { signal } = options;
  try {
    return await pRetry(() => attempt(options, Math.min(ATTEMPT, Math.max(left(), SHORTEST_ATTEMPT))), {
      retries: Infinity,
      maxRetryTime: Math.max(0, time),
      minTimeout: FIRST_PAUSE,
      maxTimeout: LONGEST_PAUSE,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw connectionFailed(options, performance.now() - started, error);
  }
}

/** A connected socket, paused. */
function attempt({ host, port, signal }: TcpConsoleOptions, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true });
    // Permanent: an unhandled error would end the process, between two owners or after it was destroyed.
    socket.on('error', () => undefined);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', succeed);
      socket.off('error', fail);
    };
    const succeed = (): void => {
      settle();
      resolve(socket);
    };
    const fail = (error: unknown): void => {
      settle();
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
    socket.once('connect', succeed);
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
      ? `connecting console '${console.name}' to ${host}:${String(port)} was aborted after ${seconds} s`
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
  readonly #options: TcpConsoleOptions;
  /** Connects again, unless the time for it is over. */
  readonly #reconnect: () => Promise<Socket> | undefined;
  #socket: Socket;
  /** Set while a port in use is retried. */
  #again: Promise<void> | undefined;
  #endedBy: string | undefined;
  #resolve: (how: string) => void = () => undefined;
  readonly #onAbort = (): void => {
    this.#finish('it was aborted');
  };

  constructor(socket: Socket, options: TcpConsoleOptions, reconnect: () => Promise<Socket> | undefined) {
    this.#options = options;
    this.#reconnect = reconnect;
    this.#socket = socket;
    this.closed = new Promise((resolve) => (this.#resolve = resolve));
    this.#attend(socket);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted === true) this.#onAbort();
  }

  #attend(socket: Socket): void {
    const { console, mode, retryFor = 0 } = this.#options;
    const busy = retryFor > 0 ? new BusyPortFilter((bytes) => console.push(bytes)) : undefined;
    const filter = mode === 'raw' ? undefined : new TelnetFilter((bytes) => socket.write(bytes));
    socket.once('close', () => {
      const again = busy?.isBusy === true && this.#endedBy === undefined ? this.#reconnect() : undefined;
      if (again === undefined) {
        busy?.release();
        this.#over('the other side closed the connection');
      } else this.#again = this.#goOn(again, () => busy?.release());
    });
    socket.on('error', (error) => {
      this.#endedBy ??= `the connection broke: ${error.message}`;
    });
    // After the peer's end, remaining output has no reader.
    socket.once('end', () => socket.destroy());
    socket.on('data', (chunk) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      const data = filter === undefined ? bytes : filter.push(bytes);
      if (busy === undefined) console.push(data);
      else busy.push(data);
    });
  }

  async #goOn(again: Promise<Socket>, release: () => void): Promise<void> {
    try {
      const socket = await again;
      if (this.#endedBy !== undefined) {
        socket.destroy();
        return;
      }
      this.#socket = socket;
      this.#attend(socket);
    } catch (error) {
      release();
      this.#over(`the port is in use by somebody else: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #over(how: string): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#resolve(this.#endedBy ?? how);
  }

  async write(bytes: Uint8Array): Promise<void> {
    // A copy, since the caller may change it before it is sent.
    const data = Uint8Array.from(this.#options.mode === 'raw' ? bytes : escapeTelnet(bytes));
    await this.#again;
    const socket = this.#socket;
    if (!socket.writable) return;
    if (socket.writableLength + data.length > INPUT_LIMIT) {
      this.#finish(`the other side did not read ${socket.writableLength.toLocaleString('en')} bytes of input`);
      return;
    }
    await new Promise<void>((resolve) => {
      socket.write(data, () => {
        resolve();
      });
    });
  }

  end(): void {
    this.#finish('it was ended here');
  }

  /** At once, since a peer that does not read would keep the connection open. */
  #finish(reason: string): void {
    this.#endedBy ??= reason;
    // Between two connections no socket can report the end.
    if (this.#socket.destroyed && this.#again !== undefined) this.#over(reason);
    this.#socket.destroy();
  }
}
