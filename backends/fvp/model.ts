import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TapConsole, type HostMachine } from '../../petri/kit/cca/host/index.ts';
import { PetriError } from '../../petri/errors.ts';
import type { ContainerRegistration, SupervisedProcess, Supervisor } from '../../petri/kit/process/index.ts';
import { connectConsole, type TcpConsole } from '../../petri/serial/index.ts';
import { scaled, stageBudgets } from './budgets.ts';
import { PortFinder, type ModelPort } from './model-ports.ts';
import type { ModelStart } from './model-start.ts';
import { CONNECTED, MODEL_CONSOLE, uartConsoles } from './stages.ts';

/** Bytes of each console that stay in memory; on disk all are kept. */
const HISTORY = 1024 * 1024;

/** Milliseconds from SIGTERM to SIGKILL. A model has nothing to save: its disk is a copy. */
const GRACE = 2000;

export interface ModelOptions {
  readonly start: ModelStart;
  readonly supervisor: Supervisor;
  /** Folder for the logs of its consoles. */
  readonly logs: string;
  /** Path that only this model's script contains, to identify what shrinkwrap leaves behind. */
  readonly rootfs: string;
  readonly log: (message: string) => void;
}

/** A running model: its process and its UARTs, each with a client of ours. */
export class Model implements HostMachine {
  readonly consoles: ReadonlyMap<string, TapConsole>;
  /** Resolves with how it ended, as a clause. Never rejects. */
  readonly ended: Promise<string>;
  readonly #options: ModelOptions;
  readonly #process: SupervisedProcess;
  readonly #container: ContainerRegistration | undefined;
  readonly #links = new Map<number, TcpConsole>();
  readonly #over = new AbortController();
  #end: (how: string) => void = () => undefined;
  #stopping: Promise<void> | undefined;

  /** @throws PetriError `spawn-failed`, `tool-missing` */
  static async launch(options: ModelOptions): Promise<Model> {
    const { start, supervisor } = options;
    const packages = start.container === undefined ? undefined : start.env['SHRINKWRAP_PACKAGE'];
    // Leftovers of earlier runs that were killed.
    if (packages !== undefined) {
      await removeRunScripts(packages, (path) => !existsSync(path)).catch((error: unknown) => {
        options.log(`what earlier runs left in ${packages} could not be removed: ${String(error)}`);
      });
    }
    const container =
      start.container === undefined ? undefined : await supervisor.container({ runtime: start.container });
    try {
      const process = await supervisor.spawn({
        name: 'FVP model',
        command: start.command,
        args: start.args,
        env: { ...start.env, ...(container === undefined ? {} : labelled(container.label)) },
        stdin: 'pipe',
        graceMs: GRACE,
      });
      return new Model(options, process, container);
    } catch (error) {
      await container?.end();
      throw error;
    }
  }

  private constructor(options: ModelOptions, process: SupervisedProcess, container: ContainerRegistration | undefined) {
    this.#options = options;
    this.#process = process;
    this.#container = container;
    this.consoles = new Map(
      [MODEL_CONSOLE, ...uartConsoles].map((name) => [
        name,
        new TapConsole({ name, directory: options.logs, historyLimit: HISTORY }),
      ]),
    );
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    void process.exited.then((exit) => {
      this.#end(`the model ${exit.describe()}`);
    });
    const finder = new PortFinder((port) => void this.#connect(port));
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.console(MODEL_CONSOLE).push(chunk);
        finder.push(chunk);
      });
    }
  }

  /** @throws PetriError `backend-fault` for a name that is not in `consoles` */
  console(name: string): TapConsole {
    const console = this.consoles.get(name);
    if (console === undefined) throw new PetriError(`no console '${name}'`, { code: 'backend-fault', step: 'run' });
    return console;
  }

  get hasEnded(): boolean {
    return this.#process.exit !== undefined || this.#over.signal.aborted;
  }

  /** What is running, as a clause for messages. */
  describe(): string {
    const { exit, pid } = this.#process;
    if (exit !== undefined) return `the model ${exit.describe()}`;
    const missing = uartConsoles.filter((_, uart) => !this.#links.has(uart)).map((name) => `'${name}'`);
    const uarts = missing.length === 0 ? 'all UARTs connected' : `not connected: ${missing.join(', ')}`;
    return `the model (pid ${pid}, started ${this.#options.start.how}) is running; ${uarts}`;
  }

  /** Types into the host's console. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#links.get(0)?.write(bytes);
  }

  /** Ends the model, its container and its connections. Idempotent; never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #connect({ uart, port }: ModelPort): Promise<void> {
    const name = uartConsoles[uart];
    if (name === undefined) return;
    try {
      const link = await connectConsole({
        host: '127.0.0.1',
        port,
        mode: 'raw',
        console: this.console(name),
        signal: this.#over.signal,
        retryFor: scaled(stageBudgets.model),
      });
      this.#links.set(uart, link);
      void link.closed.then((how) => {
        this.#onClosed(name, how);
      });
      this.#note(`UART ${uart} ('${name}') is connected through port ${port}`);
      if (this.#links.size === uartConsoles.length) this.#note(CONNECTED);
    } catch (error) {
      if (!this.#over.signal.aborted) this.#note(`UART ${uart} ('${name}'): ${String(error)}`);
    }
  }

  /** If a console is lost, its world is lost too, as far as can be seen from outside. */
  #onClosed(name: string, how: string): void {
    if (this.#over.signal.aborted) return;
    this.#note(`console '${name}': ${how}`);
    if (name !== 'host') return;
    // The end of the process, if it is ending, gives a better reason.
    setTimeout(() => {
      this.#end(`its console 'host' was lost: ${how}`);
    }, 1000).unref();
  }

  #note(message: string): void {
    this.console(MODEL_CONSOLE).push(Buffer.from(`[petri: ${message}]\n`));
    this.#options.log(message);
  }

  async #stop(): Promise<void> {
    this.#over.abort(new DOMException('the model is stopped', 'AbortError'));
    const { log } = this.#options;
    const { survivors } = await this.#process.stop();
    if (survivors.length > 0) log(`processes of the model that survived SIGKILL: ${survivors.join(', ')}`);
    await this.#container?.end().catch((error: unknown) => {
      log(`the container of the model: ${String(error)}`);
    });
    for (const link of this.#links.values()) link.end();
    await this.#removeScript().catch((error: unknown) => {
      log(`what shrinkwrap left of this run could not be removed: ${String(error)}`);
    });
    this.#end('the model was stopped');
    for (const console of this.consoles.values()) console.dispose('the model was stopped');
  }

  async #removeScript(): Promise<void> {
    const { start, rootfs } = this.#options;
    const folder = start.env['SHRINKWRAP_PACKAGE'];
    if (folder !== undefined && start.container !== undefined)
      await removeRunScripts(folder, (path) => path === rootfs);
  }
}

/** Root file systems of our models, as they appear in the scripts of `shrinkwrap run`. */
const OUR_ROOTFS = /\.image_path=(\S*\/petri-vm-[^/\s]+\/rootfs\.ext4)/;

/** shrinkwrap makes a folder with its script for each run, and leaves it behind if a signal ends it. */
export async function removeRunScripts(folder: string, isOver: (rootfs: string) => boolean): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || !entry.name.startsWith('tmp')) continue;
    const script = await readFile(join(folder, entry.name, 'script.sh'), 'utf8').catch(() => '');
    const [, rootfs] = OUR_ROOTFS.exec(script) ?? [];
    if (rootfs !== undefined && isOver(rootfs)) await rm(join(folder, entry.name), { recursive: true, force: true });
  }
}

/** shrinkwrap starts containers through tuxmake, which reads additional options from these variables. */
function labelled(label: string): Record<string, string> {
  return Object.fromEntries(
    ['TUXMAKE_DOCKER_RUN', 'TUXMAKE_PODMAN_RUN'].map((name) => [
      name,
      [process.env[name] ?? '', `--label ${label}`].join(' ').trim(),
    ]),
  );
}
