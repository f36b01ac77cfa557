import { AgentClient, kernelPanic, LastWords } from '../../../petri/kit/linux/index.ts';
import { linuxHalt } from '../../../petri/kit/qemu/index.ts';
import {
  type ExecOptions,
  type ExecResult,
  describeHalt,
  type HaltReason,
  type Registers,
} from '../../../petri/contract/index.ts';
import { timeoutSignal } from '../../../petri/timer.ts';
import { PortStream } from '../remote/port-stream.ts';
import { launcherFailure, type Guest } from './guest.ts';
import { QemuControl, QMP_PORT } from './qemu-control.ts';

/** The port for the agent in the guest. */
export const AGENT_PORT = 'agent';
/** Milliseconds from power-on to the agent, if a test gives no other limit. */
const BOOT = 120_000;

export interface LinuxGuestOptions {
  /** Printed by the agent when it is ready. */
  readonly nonce: string;
  /** Receives the output of the guest, and of QEMU itself. */
  readonly serial: (bytes: Uint8Array) => void;
  /** Milliseconds in which a broken connection may be restored. */
  readonly reconnect: number;
}

/** Linux in an ordinary VM of QEMU: its console is the launcher's input and output; its agent and QMP have ports. */
export class LinuxGuest implements Guest {
  readonly events = [];
  readonly started: Promise<void>;
  readonly halted: Promise<HaltReason>;
  readonly ports: NonNullable<Guest['ports']>;
  registers: Registers | undefined;
  readonly #options: LinuxGuestOptions;
  readonly #port = new PortStream();
  readonly #agent: AgentClient;
  readonly #control: QemuControl;
  readonly #words = new LastWords();
  #shutdown: string | undefined;
  #begin: () => void = () => undefined;
  #halt: (halt: HaltReason) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: LinuxGuestOptions) {
    this.#options = options;
    this.#agent = new AgentClient(this.#port.stream, options.nonce);
    this.#control = new QemuControl(options.reconnect);
    this.ports = { [AGENT_PORT]: this.#port.take, [QMP_PORT]: this.#control.port.take };
    this.halted = new Promise((resolve) => (this.#halt = resolve));
    this.started = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#fail = reject;
    });
    // Waits handle the rejection, but there may be none if the VM is ended first.
    this.started.catch(() => undefined);
  }

  output(bytes: Uint8Array): void {
    this.#words.push(bytes);
    this.#options.serial(bytes);
    // With `panic=0` the kernel does not reboot, and would be silent until a time-out.
    const panic = this.#words.panic;
    if (panic !== undefined) this.#halt(kernelPanic(panic));
  }

  attach(type: (bytes: Uint8Array, port?: string) => void): void {
    this.#port.attach((bytes) => {
      type(bytes, AGENT_PORT);
    });
    this.#control.port.attach((bytes) => {
      type(bytes, QMP_PORT);
    });
    this.#run().then(this.#begin, this.#fail);
  }

  async #run(): Promise<void> {
    const qmp = await this.#control.open(({ event, data }) => {
      if (event === 'SHUTDOWN') this.#shutdown = String(data['reason']);
    });
    await qmp.execute('cont');
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    const booted = timeoutSignal(BOOT + this.#options.reconnect + (options.timeout ?? 0));
    const signal = options.signal === undefined ? booted : AbortSignal.any([booted, options.signal]);
    return await this.#agent.exec(command, { ...options, signal });
  }

  powerOff(): void {
    this.#agent.powerOff();
  }

  async look(): Promise<Registers | undefined> {
    this.registers = await this.#control.look();
    return this.registers;
  }

  async expire(why: string): Promise<HaltReason> {
    const registers = await this.look();
    if (registers === undefined) return { reason: 'timeout', message: why };
    return { reason: 'timeout', message: `${why}; it was at 0x${registers.pc.toString(16)}`, registers };
  }

  launcherEnded(code: number): HaltReason {
    const how = `QEMU ended with exit code ${String(code)}`;
    return launcherFailure(code) ?? linuxHalt(this.#shutdown, this.#words.text, how);
  }

  over(halt: HaltReason): void {
    this.#agent.end(`the VM halted: ${describeHalt(halt)}`);
    this.#control.end();
    this.#port.stream.destroy();
  }
}
