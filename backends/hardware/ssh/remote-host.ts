import pRetry, { AbortError } from 'p-retry';
import type { Client, ClientChannel, SFTPWrapper } from 'ssh2';

import { PetriError } from '../../../petri/errors.ts';
import type { HostConfig } from '../hosts/schema.ts';
import { connectSsh, lost } from './connect.ts';
import { shellCommand } from './quote.ts';

export interface RunOptions {
  /** Written to standard input, which is then closed. */
  readonly input?: string | Uint8Array;
  /** Milliseconds. @default 30_000 */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether it does the same when it is run twice, so that it may be run again on a new connection. @default false */
  readonly again?: boolean;
}

export interface RunResult {
  /** Absent where a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const RUN_TIMEOUT = 30_000;
/** Bytes of each stream that a command may print; what a host says is not trusted to end. */
const OUTPUT_LIMIT = 4 * 1024 * 1024;
/** Errors that connecting again does not change. */
const LASTING: readonly string[] = ['host-key-refused', 'authentication-failed', 'tool-missing', 'invalid-option'];

/** A machine that is reached over one SSH connection, which is made when it is needed and made again when it breaks. */
export class RemoteHost {
  readonly config: HostConfig;
  #connection: Promise<Client> | undefined;
  #sftp: Promise<SFTPWrapper> | undefined;
  #closed = false;

  constructor(config: HostConfig) {
    this.config = config;
  }

  get name(): string {
    return this.config.name;
  }

  /**
   * The connection there is, or a new one; tried again with growing pauses for as long as `reconnect` in the hosts file says.
   *
   * @throws PetriError `connection-failed`, `host-key-refused`, `authentication-failed`, `tool-missing`
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
        this.#forget();
      });
      if (this.#closed) client.destroy();
      return client;
    } catch (error) {
      this.#forget();
      throw error instanceof PetriError
        ? error
        : lost(config.name, error instanceof Error ? error.message : String(error), error);
    }
  }

  #forget(): void {
    this.#connection = undefined;
    this.#sftp = undefined;
  }

  /**
   * Runs a program to its end.
   *
   * @throws PetriError `connection-failed` when the connection ends or nothing comes of it in time
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

  async #runOnce(argv: readonly string[], { input, timeout = RUN_TIMEOUT, signal }: RunOptions): Promise<RunResult> {
    const channel = await this.open(argv, signal);
    return await new Promise<RunResult>((resolve, reject) => {
      const streams = { stdout: new BoundedText(), stderr: new BoundedText() };
      let code: number | undefined;
      let ended = false;
      const give = (why: string): void => {
        channel.destroy();
        reject(lost(this.name, `${why} while it ran ${argv[0] ?? ''}`));
      };
      const timer = setTimeout(() => {
        give(`nothing came of it in ${String(timeout / 1000)} s`);
      }, timeout);
      const abort = (): void => {
        give('it was given up');
      };
      signal?.addEventListener('abort', abort, { once: true });
      channel.on('data', (bytes: Buffer) => {
        streams.stdout.push(bytes);
      });
      channel.stderr.on('data', (bytes: Buffer) => {
        streams.stderr.push(bytes);
      });
      channel.on('exit', (status: number | null) => {
        ended = true;
        code = status ?? undefined;
      });
      channel.on('close', () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if (ended) resolve({ code, stdout: streams.stdout.text, stderr: streams.stderr.text });
        else reject(lost(this.name, `the connection ended while it ran ${argv[0] ?? ''}`));
      });
      channel.on('error', () => undefined);
      channel.end(input ?? '');
    });
  }

  /**
   * Starts a program on a channel of its own. Its end is the channel's `close`, also where the connection ends.
   *
   * @throws PetriError `connection-failed`
   */
  async open(argv: readonly string[], signal?: AbortSignal): Promise<ClientChannel> {
    const command = shellCommand(argv);
    const client = await this.connection(signal);
    return await pRetry(
      () =>
        new Promise<ClientChannel>((resolve, reject) => {
          const closed = (): void => {
            reject(new AbortError(lost(this.name, 'the connection ended')));
          };
          client.once('close', closed);
          client.exec(command, (error, channel) => {
            client.removeListener('close', closed);
            if (error === undefined) resolve(channel);
            // A server has a limit on channels (MaxSessions of sshd, 10); one of ours may end soon.
            else if (/channel open failure/i.test(error.message)) reject(tooMany(this.name, error));
            else reject(new AbortError(lost(this.name, error.message, error)));
          });
        }),
      { retries: 30, minTimeout: 50, maxTimeout: 500, ...(signal === undefined ? {} : { signal }) },
    );
  }

  /** @throws PetriError `connection-failed` */
  async sftp(): Promise<SFTPWrapper> {
    const client = await this.connection();
    this.#sftp ??= new Promise<SFTPWrapper>((resolve, reject) => {
      client.once('close', () => {
        reject(lost(this.name, 'the connection ended'));
      });
      client.sftp((error, sftp) => {
        if (error === undefined) {
          sftp.on('error', () => undefined);
          resolve(sftp);
        } else {
          this.#sftp = undefined;
          reject(lost(this.name, `it has no SFTP: ${error.message}`, error));
        }
      });
    });
    return await this.#sftp;
  }

  /** Ends the connection. Idempotent. */
  close(): void {
    this.#closed = true;
    const connection = this.#connection;
    this.#forget();
    // What does not connect any more has nothing to end; whoever asked for it was told.
    connection?.then((client) => client.end()).catch(() => undefined);
  }
}

function tooMany(name: string, cause: Error): PetriError {
  return new PetriError(`${name} opens no more channels: ${cause.message}`, {
    code: 'connection-failed',
    step: 'run',
    remedy: 'set MaxSessions in its sshd_config to 4 plus 3 for each VM of its capacity',
    cause,
  });
}

/** UTF-8 that a program prints, up to a limit. */
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
