import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { HOST_CONSOLE, type HostMachine, type HostStart, TapConsole } from '../../../petri/kit/cca/host/index.ts';
import { optionValue, QemuProcess } from '../qemu-process.ts';
import type { Board, BootFiles } from './board.ts';
import { HOST_MEMORY } from './identity.ts';

/** UART1, on which the firmware prints when it cannot continue. It belongs to the Secure world. */
export const SECURE_CONSOLE = 'secure';

/** The UARTs in the machine's order. */
export const uartConsoles = [HOST_CONSOLE, SECURE_CONSOLE] as const;

/** Bytes of each console that stay in memory; on disk all are kept. */
const HISTORY = 1024 * 1024;

export interface EmulatedHostOptions extends HostStart {
  readonly command: string;
  readonly board: Board;
  readonly files: BootFiles;
}

/** A QEMU whose Linux launches realms. It is stopped before its first instruction until `resume`. */
export class EmulatedHost implements HostMachine {
  readonly consoles: ReadonlyMap<string, TapConsole>;
  readonly ended: Promise<string>;
  readonly #qemu: QemuProcess;
  readonly #host: Socket;
  #stopping: Promise<void> | undefined;

  /** @throws PetriError what starting QEMU throws */
  static async start(options: EmulatedHostOptions): Promise<EmulatedHost> {
    let shutdown: string | undefined;
    const qemu = await QemuProcess.start({
      command: options.command,
      args: (socket) => machineArguments(options, socket),
      sockets: uartConsoles,
      signal: options.signal,
      onEvent: ({ event, data }) => {
        if (event === 'SHUTDOWN') shutdown = String(data['reason']);
      },
    });
    options.log(`QEMU is process ${qemu.pid}`);
    return new EmulatedHost(qemu, options.logs, () => shutdown);
  }

  private constructor(qemu: QemuProcess, logs: string, shutdown: () => string | undefined) {
    this.#qemu = qemu;
    this.#host = qemu.socket(HOST_CONSOLE);
    this.consoles = new Map(
      uartConsoles.map((name) => [name, new TapConsole({ name, directory: logs, historyLimit: HISTORY })]),
    );
    const drained = uartConsoles.map(async (name) => {
      const socket = qemu.socket(name);
      socket.on('data', (bytes: Uint8Array) => this.consoles.get(name)?.push(bytes));
      // The process reports how it ended.
      socket.on('error', () => undefined);
      await once(socket, 'close').catch(() => undefined);
    });
    this.ended = Promise.all([qemu.ended, ...drained]).then(([how]) => {
      const reason = shutdown();
      return reason === undefined ? how : `${how} (${reason})`;
    });
  }

  async resume(): Promise<void> {
    for (const name of uartConsoles) this.#qemu.socket(name).resume();
    await this.#qemu.qmp.execute('cont');
  }

  describe(): string {
    return `QEMU (process ${this.#qemu.pid}) ${this.#stopping === undefined ? 'was started' : 'is stopped'}`;
  }

  /** A failed write is ignored: `ended` reports that QEMU has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#host.write(bytes, () => resolve());
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      await this.#qemu.stop();
      for (const console of this.consoles.values()) console.dispose('QEMU was stopped');
    })();
    return this.#stopping;
  }
}

function machineArguments(options: EmulatedHostOptions, socket: (name: string) => string): string[] {
  const { board, files, rootfs, logs } = options;
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-S', '-accel', 'tcg'],
    ...['-smp', '1', '-m', `${HOST_MEMORY}M`],
    ...board.arguments(files),
    ...['-drive', `if=none,id=rootfs,format=raw,file=${optionValue(rootfs)}`],
    // Debian's QEMU lacks the option ROM, which is not needed here.
    ...['-device', 'virtio-blk-pci,drive=rootfs,romfile='],
    ...uartConsoles.flatMap((name) => [
      // QEMU also writes to the file when the socket is no longer read.
      '-chardev',
      `${socket(name)},logfile=${optionValue(join(logs, `${name}.qemu.log`))},logappend=on`,
      '-serial',
      `chardev:${name}`,
    ]),
  ];
}
