import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PetriError } from '../../petri/errors.ts';
import { Supervisor, type SupervisedProcess, type TemporaryFolder } from '../../petri/kit/process/index.ts';
import { optionValue, QmpClient, type QmpEvent } from '../../petri/kit/qemu/index.ts';
import { budget } from './budgets.ts';
import { TextTail } from './text-tail.ts';

export { optionValue };

export interface QemuOptions {
  /** Path of `qemu-system-aarch64`, or its name. */
  readonly command: string;
  /**
   * Arguments except those for chardevs and QMP.
   *
   * @param socket returns the value of `-chardev` for the named Unix socket; the name is also the chardev's id
   */
  readonly args: (socket: (name: string) => string) => readonly string[];
  /** Names of the sockets to which QEMU connects. */
  readonly sockets: readonly string[];
  readonly onEvent?: (event: QmpEvent) => void;
  readonly signal?: AbortSignal;
}

const QMP = 'qmp';

/**
 * A QEMU that is controlled over QMP, with the sockets of its chardevs. QEMU connects to us, not the other way round:
 * all sockets exist before its first instruction, and no attempt has to be repeated.
 */
export class QemuProcess {
  readonly qmp: QmpClient;
  /** Resolves with how it ended, as a part of a sentence. Never rejects. */
  readonly ended: Promise<string>;
  readonly #process: SupervisedProcess;
  readonly #folder: TemporaryFolder;
  readonly #sockets: ReadonlyMap<string, Socket>;
  #stopping: Promise<void> | undefined;

  /** @throws PetriError `tool-missing`, `spawn-failed`, `boot-failed` if it ends or is silent, `interrupted` */
  static async start(options: QemuOptions): Promise<QemuProcess> {
    const supervisor = await Supervisor.open();
    const folder = await supervisor.temporaryFolder('qemu');
    const names = [...options.sockets, QMP];
    const listeners = await Promise.all(names.map((name) => listenOnce(join(folder.path, name))));
    let process: SupervisedProcess | undefined;
    try {
      const chardev = (name: string): string => `socket,id=${name},path=${optionValue(join(folder.path, name))}`;
      process = await supervisor.spawn({
        name: 'QEMU',
        command: options.command,
        args: [...options.args(chardev), '-chardev', chardev(QMP), '-mon', `chardev=${QMP},mode=control`],
        cwd: folder.path,
      });
      const said = new TextTail();
      said.follow(process.stderr);
      said.follow(process.stdout);
      const connected = Promise.all(listeners.map(({ connection }) => connection));
      const sockets = await startWithin(connected, { process, said, signal: options.signal });
      const control = sockets.at(-1);
      if (control === undefined) throw new Error('there is a socket for each listener');
      const opening = QmpClient.open(control, {
        timeout: budget('answer'),
        ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
      });
      const qmp = await startWithin(opening, { process, said, signal: options.signal });
      const byName = new Map(names.map((name, index) => [name, sockets[index]] as const));
      return new QemuProcess({ process, folder, said, qmp, sockets: byName });
    } catch (error) {
      await process?.stop({ graceMs: 0 });
      for (const listener of listeners) listener.discard();
      await folder.remove();
      throw error;
    } finally {
      for (const listener of listeners) listener.close();
    }
  }

  private constructor(parts: {
    readonly process: SupervisedProcess;
    readonly folder: TemporaryFolder;
    readonly said: TextTail;
    readonly qmp: QmpClient;
    readonly sockets: ReadonlyMap<string, Socket | undefined>;
  }) {
    this.#process = parts.process;
    this.#folder = parts.folder;
    this.qmp = parts.qmp;
    this.#sockets = new Map(
      [...parts.sockets].flatMap(([name, socket]) => (socket === undefined ? [] : [[name, socket]])),
    );
    this.ended = parts.process.exited.then((exit) => describeEnd(exit.describe(), parts.said));
  }

  get pid(): number {
    return this.#process.pid;
  }

  socket(name: string): Socket {
    const socket = this.#sockets.get(name);
    if (socket === undefined) throw new Error(`QEMU was started without a socket '${name}'`);
    return socket;
  }

  /** Ends it at once: there is no state to lose. Idempotent; never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#process.stop({ graceMs: 0 });
    this.qmp.end();
    for (const socket of this.#sockets.values()) socket.destroy();
    // The supervisor removes what remains at the end, or reports it then.
    await this.#folder.remove().catch(() => undefined);
  }
}

function describeEnd(how: string, said: TextTail): string {
  return said.text === '' ? `QEMU ${how}` : `QEMU ${how}; it said: ${said.text}`;
}

interface Startup {
  readonly process: SupervisedProcess;
  readonly said: TextTail;
  readonly signal: AbortSignal | undefined;
}

/** Waits for a step of the start until QEMU ends, the budget is used up, or the signal aborts. */
async function startWithin<T>(step: Promise<T>, { process, said, signal }: Startup): Promise<T> {
  const limit = budget('start');
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(startFailed(`it was silent for ${limit / 1000} s`, said)), limit);
    void process.exited.then((exit) => reject(startFailed(`it ${exit.describe()}`, said)));
    onAbort = (): void => reject(interrupted());
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
  try {
    return await Promise.race([step, failure]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    // The promise that settles later is not awaited.
    failure.catch(() => undefined);
    step.catch(() => undefined);
  }
}

function startFailed(why: string, said: TextTail): PetriError {
  return new PetriError(`QEMU did not start: ${why}`, {
    code: 'boot-failed',
    step: 'launch',
    remedy:
      "correct what QEMU complains about; 'petri doctor' shows which QEMU is used, and PETRI_QEMU names another one",
    ...(said.text === '' ? {} : { transcriptTail: said.text }),
  });
}

function interrupted(): PetriError {
  return new PetriError('the VM was ended while QEMU started', { code: 'interrupted', step: 'launch' });
}

interface Listener {
  /** Never settles if nobody connects; rejects if the socket fails. */
  readonly connection: Promise<Socket>;
  close(): void;
  /** Ends the connection, if there is or will be one. */
  discard(): void;
}

/** Accepts one connection. @throws PetriError `spawn-failed` if the socket cannot be made */
async function listenOnce(path: string): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true });
  const connection = new Promise<Socket>((resolve, reject) => {
    server.once('connection', (socket) => {
      server.close();
      // Added at once: an unhandled error would end this process, and QEMU's end is reported anyway.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    server.on('error', reject);
  });
  connection.catch(() => undefined);
  server.listen(path);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new PetriError(`the socket ${path} cannot be made: ${String(error)}`, {
      code: 'spawn-failed',
      step: 'launch',
      remedy: 'let TMPDIR name a folder with a short path: those of Unix sockets have at most 107 characters',
      cause: error,
    });
  }
  return {
    connection,
    close: () => server.close(),
    discard: () => {
      connection.then((socket) => socket.destroy()).catch(() => undefined);
    },
  };
}
