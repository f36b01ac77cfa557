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
   * Without chardevs and QMP.
   *
   * @param socket the value of `-chardev` for the Unix socket that is listened on under a name, which is the chardev's
   *   id too
   */
  readonly args: (socket: (name: string) => string) => readonly string[];
  /** Names of the sockets that QEMU is to connect to. */
  readonly sockets: readonly string[];
  readonly onEvent?: (event: QmpEvent) => void;
  readonly signal?: AbortSignal;
}

const QMP = 'qmp';

/**
 * A QEMU that is controlled over QMP, with the sockets of its chardevs. It connects to us, not we to it: its sockets
 * are there before its first instruction, and nothing has to be tried again.
 */
export class QemuProcess {
  readonly qmp: QmpClient;
  /** Resolves with how it ended, as a part of a sentence. Never rejects. */
  readonly ended: Promise<string>;
  readonly #process: SupervisedProcess;
  readonly #folder: TemporaryFolder;
  readonly #sockets: ReadonlyMap<string, Socket>;
  #stopping: Promise<void> | undefined;

  /** @throws PetriError `tool-missing`, `spawn-failed`, `boot-failed` where it ends or is silent, `interrupted` */
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

  /** Ends it at once: it has nothing that could be lost. Idempotent; never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#process.stop({ graceMs: 0 });
    this.qmp.end();
    for (const socket of this.#sockets.values()) socket.destroy();
    // What cannot be removed now is removed by the supervisor at the end, or reported then.
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

/** Waits for a step of the start, but not beyond the end of QEMU, the budget, or the caller's patience. */
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
    // Whichever of the two comes later, nobody waits for it.
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
  /** Pends for ever when nobody connects; rejects when the socket fails. */
  readonly connection: Promise<Socket>;
  close(): void;
  /** Ends the connection, if there is or will be one. */
  discard(): void;
}

/** Takes one connection. @throws PetriError `spawn-failed` where there can be no such socket */
async function listenOnce(path: string): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true });
  const connection = new Promise<Socket>((resolve, reject) => {
    server.once('connection', (socket) => {
      server.close();
      // From its first moment: an error without a listener would end the process, and the end of QEMU says it better.
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
