import type { Socket } from 'node:net';
import { PetriError } from '../../petri/errors.ts';
import {
  continueRequest,
  decodeRecord,
  MONITOR_VERSION,
  RecordReader,
  type GuestListener,
  type GuestMachine,
  type MonitorMessage,
} from '../../petri/kit/monitor/index.ts';
import { budget } from './budgets.ts';
import { QemuProcess } from './qemu-process.ts';

/** Memory below the guest's RAM: QEMU's device tree, and the monitor (artifacts/monitor/monitor.c, GUEST_PA). */
const MONITOR_BYTES = 8 * 2 ** 20;
/** Blocks of 2 MiB that a guest may have touched for its machine to be reused: their memory stays allocated. */
const MAX_TOUCHED = 64;
const EVENTS = 'events';

/** SVE and SME are off, so that instructions which the simulator lacks are undefined on both. */
const CPU = 'max,sve=off,sme=off';

export interface MonitorMachineOptions {
  readonly command: string;
  /** Path of the monitor's ELF file. */
  readonly monitor: string;
  /** Bytes of the guest's RAM. */
  readonly memory: number;
  readonly signal?: AbortSignal;
}

/**
 * - `ready`: the monitor waits for a guest
 * - `running`: a guest runs
 * - `resting`: the guest has ended, and the monitor waits for a reset
 * - `dead`
 */
type Phase = 'ready' | 'running' | 'resting' | 'dead';

/** A QEMU with the monitor at EL2, which runs one guest after another. */
export class MonitorMachine implements GuestMachine {
  readonly memory: number;
  readonly qemu: QemuProcess;
  readonly #socket: Socket;
  readonly #records: RecordReader;
  #phase: Phase = 'resting';
  #listener: GuestListener | undefined;
  #touched = 0;
  #announced: ((message: MonitorMessage & { readonly kind: 'ready' }) => void) | undefined;
  /** Rejects the wait for the monitor, if there is one. */
  #giveUp: (why: string) => void = () => undefined;

  /** @throws PetriError as `QemuProcess.start` does, `boot-failed` if the monitor is silent */
  static async start(options: MonitorMachineOptions): Promise<MonitorMachine> {
    const qemu = await QemuProcess.start({
      command: options.command,
      args: (socket) => machineArguments(options, socket(EVENTS)),
      sockets: [EVENTS],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const machine = new MonitorMachine(qemu, options.memory);
    try {
      await machine.#whenReady(budget('start'), options.signal);
    } catch (error) {
      await machine.end();
      throw error;
    }
    return machine;
  }

  private constructor(qemu: QemuProcess, memory: number) {
    this.qemu = qemu;
    this.memory = memory;
    this.#records = new RecordReader((record) => this.#take(decodeRecord(record)));
    this.#socket = qemu.socket(EVENTS);
    this.#socket.on('data', (bytes: Uint8Array) => this.#push(bytes));
    this.#socket.on('error', () => undefined);
    this.#socket.resume();
    void qemu.ended.then((how) => this.#lose(how));
  }

  /** Whether it can run another guest after `reset`. */
  get reusable(): boolean {
    return (this.#phase === 'resting' || this.#phase === 'ready') && this.#touched <= MAX_TOUCHED;
  }

  /**
   * Runs a guest on a machine that was just started or reset.
   *
   * @param requests what makes the monitor load and start it
   */
  run(requests: Iterable<Uint8Array>, listener: GuestListener): void {
    if (this.#phase !== 'ready') throw new Error(`a machine that is ${this.#phase} cannot run a guest`);
    this.#phase = 'running';
    this.#listener = listener;
    this.#socket.write(Buffer.concat([...requests]));
  }

  /** Resumes a guest that waits after a store. */
  resume(): void {
    this.#socket.write(continueRequest);
  }

  /** Reports that the guest has ended: it does nothing any more, and none of its output is in transit. */
  rest(): void {
    if (this.#phase !== 'running') return;
    this.#phase = 'resting';
    this.#listener = undefined;
  }

  /** Resets a resting machine to the state of a new one. @throws PetriError */
  async reset(): Promise<void> {
    if (this.#phase === 'ready') return;
    if (this.#phase !== 'resting' || !this.#records.atBoundary) {
      throw new Error(`a machine that is ${this.#phase} cannot be reset`);
    }
    this.#records.restart();
    const ready = this.#whenReady(budget('reset'), undefined);
    // If one fails, the other one's rejection must be handled too.
    const asked = this.qemu.qmp.execute('system_reset').catch((error: unknown) => {
      this.#giveUp('it cannot be reset');
      throw error;
    });
    const [answer, announced] = await Promise.allSettled([asked, ready]);
    if (answer.status === 'rejected') throw answer.reason;
    if (announced.status === 'rejected') throw announced.reason;
  }

  /** Idempotent; never rejects. */
  async end(): Promise<void> {
    this.#phase = 'dead';
    this.#listener = undefined;
    this.#giveUp('it was ended');
    await this.qemu.stop();
  }

  async #whenReady(limit: number, signal: AbortSignal | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      const { version, touched } = await new Promise<MonitorMessage & { readonly kind: 'ready' }>((resolve, reject) => {
        this.#announced = resolve;
        this.#giveUp = (why) => reject(notReady(why));
        timer = setTimeout(this.#giveUp, limit, `it was silent for ${limit / 1000} s`);
        onAbort = (): void => this.#giveUp('the VM was ended meanwhile');
        signal?.addEventListener('abort', onAbort, { once: true });
        if (signal?.aborted === true) onAbort();
        this.#listener = { message: () => undefined, lost: this.#giveUp };
      });
      if (version !== MONITOR_VERSION) throw notReady(`it is of version ${version}, expected ${MONITOR_VERSION}`);
      this.#touched = touched;
      this.#phase = 'ready';
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      this.#announced = undefined;
      this.#listener = undefined;
      this.#giveUp = () => undefined;
    }
  }

  #push(bytes: Uint8Array): void {
    if (this.#phase === 'dead') return;
    try {
      this.#records.push(bytes);
    } catch (error) {
      this.#lose(`the monitor's records cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #take(message: MonitorMessage): void {
    if (message.kind === 'ready') {
      // Only a reset by us may restart the monitor.
      if (this.#announced === undefined) throw new Error('the monitor restarted by itself');
      this.#announced(message);
      return;
    }
    this.#listener?.message(message);
  }

  #lose(why: string): void {
    if (this.#phase === 'dead') return;
    const listener = this.#listener;
    void this.end();
    listener?.lost(why);
  }
}

function machineArguments({ monitor, memory }: MonitorMachineOptions, events: string): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-machine', 'virt,virtualization=on', '-accel', 'tcg', '-cpu', CPU, '-smp', '1'],
    ...['-m', `${(memory + MONITOR_BYTES) / 2 ** 20}M`],
    ...['-kernel', monitor],
    ...['-global', 'virtio-mmio.force-legacy=false'],
    ...['-chardev', events],
    ...['-device', 'virtio-serial-device,bus=virtio-mmio-bus.0,max_ports=2'],
    ...['-device', 'virtserialport,chardev=events,name=events'],
    // The monitor's panic messages.
    ...['-serial', 'stdio'],
  ];
}

function notReady(why: string): PetriError {
  return new PetriError(`the monitor in QEMU did not start: ${why}`, {
    code: 'boot-failed',
    step: 'launch',
    remedy: 'look at petri.log of the VM; on a slow machine set PETRI_SLOW_FACTOR',
  });
}
