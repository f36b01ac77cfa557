import type { Duplex } from 'node:stream';
import * as z from 'zod';
import { PetriError } from '../../errors.ts';

/** Characters of one message. QEMU's longest answers, such as its schema, have a few hundred thousand. */
const MAX_MESSAGE = 4 * 2 ** 20;
/** Milliseconds that QEMU may take to answer, unless specified otherwise. */
const ANSWER_TIMEOUT = 10_000;

const greeting = z.object({
  QMP: z.object({
    version: z.object({ qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }) }),
  }),
});
const answer = z.union([
  z.object({ return: z.unknown(), id: z.int() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.int() }),
]);
const event = z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).default({}) });

/** An event of QEMU, such as `RESET` or `SHUTDOWN` (QMP reference manual, "Run state"). */
export type QmpEvent = z.infer<typeof event>;

export interface QmpOptions {
  /** Milliseconds that each answer may take. @default 10_000 */
  readonly timeout?: number;
  readonly onEvent?: (event: QmpEvent) => void;
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PetriError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A client of the QEMU Machine Protocol (QEMU, docs/interop/qmp-spec). Commands may overlap; answers are matched by
 * their ids. A peer that sends something else, too much, or nothing at all only ends the connection.
 */
export class QmpClient {
  /** Version of QEMU, such as `7.2.22`. */
  readonly version: string;
  /** Resolves with the reason when the connection has ended. */
  readonly closed: Promise<string>;
  readonly #socket: Duplex;
  readonly #options: QmpOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closeReason: string | undefined;
  #close: (reason: string) => void = () => undefined;

  /** Waits for the greeting and leaves the negotiation mode. @throws PetriError `backend-fault` */
  static async open(socket: Duplex, options: QmpOptions = {}): Promise<QmpClient> {
    const lines = new LineReader(socket);
    const first = await lines.first(options.timeout ?? ANSWER_TIMEOUT);
    const greeted = greeting.safeParse(parseJson(first));
    if (!greeted.success) throw broken(`its greeting is ${shorten(first)}`);
    const { major, minor, micro } = greeted.data.QMP.version.qemu;
    const client = new QmpClient(socket, `${major}.${minor}.${micro}`, lines, options);
    await client.execute('qmp_capabilities');
    return client;
  }

  private constructor(socket: Duplex, version: string, lines: LineReader, options: QmpOptions) {
    this.#socket = socket;
    this.version = version;
    this.#options = options;
    this.closed = new Promise((resolve) => (this.#close = resolve));
    lines.listen({
      line: (line) => this.#take(line),
      end: (reason) => this.#end(reason),
    });
  }

  /**
   * Executes a command and returns its result.
   *
   * @throws PetriError `tool-failed` if QEMU refuses it, `backend-fault` if it does not answer or the connection has
   *   ended
   */
  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#closeReason !== undefined) throw broken(`${command} cannot be sent: ${this.#closeReason}`);
    const id = this.#nextId++;
    const limit = this.#options.timeout ?? ANSWER_TIMEOUT;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(broken(`it did not answer ${command} within ${limit / 1000} s`));
      }, limit);
      this.#pending.set(id, { command, resolve, reject, timer });
      this.#socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }), id })}\n`);
    });
  }

  /** Runs a command of the human monitor, for what QMP lacks. @throws as `execute` does */
  async human(command: string): Promise<string> {
    const text = await this.execute('human-monitor-command', { 'command-line': command });
    if (typeof text !== 'string') throw broken(`'${command}' gave ${typeof text}, expected text`);
    return text;
  }

  /** Ends the connection. Idempotent. */
  end(): void {
    this.#end('it was ended');
  }

  #take(line: string): void {
    const message = parseJson(line);
    const told = event.safeParse(message);
    if (told.success) {
      this.#options.onEvent?.(told.data);
      return;
    }
    const parsed = answer.safeParse(message);
    if (!parsed.success) {
      this.#end(`QEMU sent ${shorten(line)} over QMP`);
      return;
    }
    const pending = this.#pending.get(parsed.data.id);
    // A late answer.
    if (pending === undefined) return;
    this.#pending.delete(parsed.data.id);
    clearTimeout(pending.timer);
    if ('error' in parsed.data) pending.reject(refused(pending.command, parsed.data.error.desc));
    else pending.resolve(parsed.data.return);
  }

  #end(reason: string): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#socket.destroy();
    for (const { command, reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(broken(`${command} was not answered: ${reason}`));
    }
    this.#pending.clear();
    this.#close(reason);
  }
}

interface LineListener {
  readonly line: (line: string) => void;
  readonly end: (reason: string) => void;
}

/** Lines of a socket, buffered until there is a listener. */
class LineReader {
  readonly #waiting: string[] = [];
  #buffer = '';
  #listener: LineListener | undefined;
  #ended: string | undefined;

  constructor(socket: Duplex) {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#add(text));
    socket.on('error', (error) => this.#end(`the connection failed: ${error.message}`));
    socket.on('close', () => this.#end('QEMU closed the connection'));
    socket.resume();
  }

  /** @throws PetriError `backend-fault` if nothing arrives */
  async first(timeout: number): Promise<string> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#listener = undefined;
        reject(broken(`it said nothing within ${timeout / 1000} s`));
      }, timeout);
      this.listen({
        line: (line) => {
          clearTimeout(timer);
          this.#listener = undefined;
          resolve(line);
        },
        end: (reason) => {
          clearTimeout(timer);
          reject(broken(reason));
        },
      });
    });
  }

  listen(listener: LineListener): void {
    this.#listener = listener;
    this.#deliver();
  }

  #add(text: string): void {
    if (this.#ended !== undefined) return;
    const parts = (this.#buffer + text).split('\n');
    this.#buffer = parts.pop() ?? '';
    this.#waiting.push(...parts.map((line) => line.trimEnd()).filter((line) => line !== ''));
    const held = this.#waiting.reduce((sum, line) => sum + line.length, this.#buffer.length);
    if (this.#listener === undefined ? held > MAX_MESSAGE : this.#buffer.length > MAX_MESSAGE) {
      this.#end(`QEMU sent a message of more than ${MAX_MESSAGE} characters over QMP`);
      return;
    }
    this.#deliver();
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#deliver();
  }

  #deliver(): void {
    while (this.#listener !== undefined) {
      const line = this.#waiting.shift();
      if (line === undefined) break;
      this.#listener.line(line);
    }
    if (this.#ended !== undefined) this.#listener?.end(this.#ended);
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function shorten(line: string): string {
  return JSON.stringify(line.length > 100 ? `${line.slice(0, 100)}…` : line);
}

function broken(message: string): PetriError {
  return new PetriError(`QEMU's control socket (QMP): ${message}`, {
    code: 'backend-fault',
    step: 'run',
    remedy: 'see what QEMU wrote to petri.log of the VM; it may be overloaded or was ended from outside',
  });
}

function refused(command: string, why: string): PetriError {
  return new PetriError(`QEMU refused ${command}: ${why}`, { code: 'tool-failed', step: 'run' });
}
