import type { SerialConsole } from './console.ts';

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
export function connectConsole(options: TcpConsoleOptions): Promise<TcpConsole> {
  return Promise.reject(new Error(`not there yet: ${options.host}`));
}
