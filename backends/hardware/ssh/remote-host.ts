import pRetry, { AbortError } from 'p-retry';
import type { Client, ClientChannel } from 'ssh2';

import { slowFactor } from '../../../petri/slow-factor.ts';
import { PetriError } from '../../../petri/errors.ts';
import type { HostConfig } from '../hosts/schema.ts';
import { connectSsh } from './connect.ts';
import { CommandOutput } from './command-output.ts';
import { lost, shellFailure } from './connection-failure.ts';
import { shellCommand } from './quote.ts';

export interface RunOptions {
  /** Written to standard input when the program runs; then standard input is closed. */
  readonly input?: string | Uint8Array;
  /** Milliseconds since the last input was accepted. @default 30_000, times the slow factor */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether running it twice has the same effect, so that it may be repeated on a new connection. @default false */
  readonly again?: boolean;
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether it may be started again if a connection ended and it may have been started already. @default false */
  readonly again?: boolean;
}

export interface RunResult {
  /** Absent if a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const RUN_TIMEOUT = 30_000;
/** Bytes of each stream that a command may print; a host's output may be endless. */
const OUTPUT_LIMIT = 4 * 1024 * 1024;
/** Errors for which a retry is pointless. */
const LASTING: readonly string[] = [
  'host-key-refused',
  'key-exchange-failed',
  'authentication-failed',
  'tool-missing',
  'invalid-option',
];

/** A machine that is reached over one SSH connection, which is made when needed and restored when it breaks. */
export class RemoteHost {
  readonly config: HostConfig;
  #connection: Promise<Client> | undefined;
  #client: Client | undefined;
  #closed = false;

  constructor(config: HostConfig) {
    this.config = config;
  }

  get name(): string {
    return this.config.name;
  }

  /**
   * The current connection, or a new one. Attempts are repeated with growing pauses for the time of `reconnect` in the
   * hosts file.
   *
   * @throws PetriError `connection-failed`, and what connectSsh throws
   */
  connection(signal?: AbortSignal): Promise<Client> {
    if (this.#closed) return Promise.reject(lost(this.name, 'it was closed'));
    this.#connection ??= this.#connect(signal);
    return this.#connection;
  }

  async #connect(signal: AbortSignal | undefined): Promise<Client> {
    const { config } = this;
    try {
      const client = await pRetry(
        async () => {
          try {
            return await connectSsh({
              name: config.name,
              target: config,
              jump: config.jump,
              keepAlive: config.keepAlive,
            });
          } catch (error) {
            if (error instanceof PetriError && LASTING.includes(error.code)) throw new AbortError(error);
            throw error;
          }
        },
        {
          retries: 1000,
          minTimeout: 100,
          maxTimeout: 2000,
          factor: 2,
          randomize: true,
          maxRetryTime: config.reconnect * 1000,
          shouldRetry: () => !this.#closed,
          ...(signal === undefined ? {} : { signal }),
        },
      );
      client.once('close', () => {
        this.#forget(client);
      });
      this.#client = client;
      if (this.#closed) client.destroy();
      return client;
    } catch (error) {
      this.#connection = undefined;
      throw error instanceof PetriError
        ? error
        : lost(config.name, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** Forgets a connection: the next call makes a new one. */
  #forget(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#connection = undefined;
  }

  /**
   * Runs a program to its end.
   *
   * @throws PetriError `connection-failed` if the connection ends or there is no progress in time, `shell-unusable` if
   * the
   *   login shell does not start it
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    try {
      return await this.#runOnce(argv, options);
    } catch (error) {
      const mayHelp = error instanceof PetriError && error.code === 'connection-failed' && options.again === true;
      if (!mayHelp || this.#closed || options.signal?.aborted === true) throw error;
      return await this.#runOnce(argv, options);
    }
  }

  async #runOnce(argv: readonly string[], options: RunOptions): Promise<RunResult> {
    const { ended } = await this.open(
      argv,
      (channel, output) => ({ ended: this.#toEnd(channel, output, argv[0] ?? '', options) }),
      options,
    );
    return await ended;
  }

  async #toEnd(
    channel: ClientChannel,
    output: CommandOutput,
    program: string,
    { input, timeout = RUN_TIMEOUT * slowFactor(), signal }: RunOptions,
  ): Promise<RunResult> {
    return await new Promise<RunResult>((resolve, reject) => {
      const streams = { stdout: new BoundedText(), stderr: new BoundedText() };
      let exit: { readonly code: number | undefined } | undefined;
      const give = (why: string): void => {
        channel.destroy();
        reject(lost(this.name, `${why} while it ran ${program}`, undefined, output.started ? BUSY : NOT_STARTED));
      };
      const timer = setTimeout(() => {
        give(`there was no progress in ${String(timeout / 1000)} s`);
      }, timeout);
      const abort = (): void => {
        give('it was aborted');
      };
      signal?.addEventListener('abort', abort, { once: true });
      channel.on(
        'data',
        output.reader((bytes) => {
          streams.stdout.push(bytes);
        }),
      );
      channel.stderr.on('data', (bytes: Buffer) => {
        streams.stderr.push(bytes);
      });
      channel.on('exit', (status: number | null) => {
        exit = { code: status ?? undefined };
      });
      channel.on('close', () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        const stderr = output.errorsIn(streams.stderr.text);
        if (exit !== undefined && output.started) resolve({ ...exit, stdout: streams.stdout.text, stderr });
        else if (exit !== undefined) {
          const how = exit.code === undefined ? 'a signal ended it' : `exit code ${String(exit.code)}`;
          reject(shellFailure(this.config, how, `${output.greeting}${stderr}`));
        } else reject(lost(this.name, `${CONNECTION_ENDED} while it ran ${program}`));
      });
      // `close` follows.
      channel.on('error', () => undefined);
      if (input === undefined) channel.end();
      else
        output.onStart(() => {
          send(channel, Buffer.from(input), () => timer.refresh());
        });
    });
  }

  /**
   * Starts a program on a channel of its own, whose `close` event reports its end, even if the connection ends.
   *
   * @param attend called with the channel before any of its events, and with a filter for the program's output; its
   * result
   *   is returned
   * @throws PetriError `connection-failed`, `shell-unusable`
   */
  async open<T>(
    argv: readonly string[],
    attend: (channel: ClientChannel, output: CommandOutput) => T,
    { signal, again = false }: OpenOptions = {},
  ): Promise<T> {
    return await pRetry(
      async () => {
        // Connecting has already been retried for long enough.
        const client = await this.connection(signal).catch((error: unknown) => {
          throw new AbortError(error instanceof Error ? error : new Error(String(error)));
        });
        try {
          return await this.#exec(client, new CommandOutput(argv), attend);
        } catch (error) {
          const ended = error instanceof PetriError && error.message.includes(CONNECTION_ENDED);
          if (error instanceof TooManyChannels || (again && ended)) throw error;
          throw new AbortError(error instanceof Error ? error : new Error(String(error)));
        }
      },
      { retries: 60, minTimeout: 50, maxTimeout: 500, ...(signal === undefined ? {} : { signal }) },
    );
  }

  async #exec<T>(
    client: Client,
    output: CommandOutput,
    attend: (channel: ClientChannel, output: CommandOutput) => T,
  ): Promise<T> {
    const command = shellCommand(output.argv);
    return await new Promise<T>((resolve, reject) => {
      const closed = (): void => {
        this.#forget(client);
        reject(lost(this.name, CONNECTION_ENDED));
      };
      client.once('close', closed);
      try {
        client.exec(command, (error, channel) => {
          client.removeListener('close', closed);
          if (error === undefined) resolve(attend(channel, output));
          // A server limits channels (MaxSessions of sshd, 10); one of ours may end soon.
          else if (/channel open failure/i.test(error.message)) reject(new TooManyChannels(this.name, error));
          else if (/unable to exec/i.test(error.message)) reject(shellFailure(this.config, 'sshd refuses', '', error));
          else reject(lost(this.name, error.message, error));
        });
      } catch (error) {
        // The connection has ended, and the event is still pending.
        if (!/not connected/i.test(String(error))) throw error;
        closed();
      }
    });
  }

  /** Ends the connection. Idempotent. */
  close(): void {
    this.#closed = true;
    const connection = this.#connection;
    // A pending connection has nothing to end; its caller receives the error.
    connection?.then((client) => client.end()).catch(() => undefined);
  }
}

const BUSY = 'look whether the machine is busy, or its disk does not answer';
const NOT_STARTED = 'look whether its login files wait for something: they are run where nobody types';
/** Bytes that are written at once. */
const CHUNK = 256 * 1024;

/** Writes all bytes as fast as they are accepted, then ends the stream. */
function send(channel: ClientChannel, bytes: Buffer, onProgress: () => void): void {
  let sent = 0;
  const more = (): void => {
    while (channel.writable && sent < bytes.length) {
      const part = bytes.subarray(sent, sent + CHUNK);
      sent += part.length;
      onProgress();
      if (!channel.write(part)) {
        channel.once('drain', more);
        return;
      }
    }
    channel.end();
  };
  more();
}

const CONNECTION_ENDED = 'the connection ended';

class TooManyChannels extends PetriError {
  constructor(name: string, cause: Error) {
    super(`${name} opens no more channels: ${cause.message}`, {
      code: 'connection-failed',
      step: 'run',
      remedy: 'set MaxSessions in its sshd_config to 4 plus 4 for each VM of its capacity',
      cause,
    });
  }
}

/** UTF-8 output of a program, up to a limit. */
class BoundedText {
  readonly #parts: Buffer[] = [];
  #size = 0;

  push(bytes: Buffer): void {
    const room = OUTPUT_LIMIT - this.#size;
    if (room <= 0) return;
    this.#parts.push(bytes.subarray(0, room));
    this.#size += Math.min(room, bytes.length);
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}
