import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import {
  type EndReason,
  type LaunchContext,
  type VmBoot,
  type VmRuntime,
  describeHalt,
  type HaltReason,
  type Registers,
  type VmSpec,
  checkVcpu,
  type LinuxPayload,
  type ExecOptions,
  type ExecResult,
} from '../../petri/contract/index.ts';
import { PetriError } from '../../petri/errors.ts';
import { timeoutSignal } from '../../petri/timer.ts';
import { VmLife } from '../../petri/kit/boot/index.ts';
import { AgentClient, agentInitramfs, kernelPanic, LastWords } from '../../petri/kit/linux/index.ts';
import { unpackKernel } from '../../petri/payload/index.ts';
import { Supervisor, type TemporaryFolder } from '../../petri/kit/process/index.ts';
import {
  linuxHalt,
  linuxMachineArguments,
  optionValue,
  stopAndLook,
  type QmpEvent,
} from '../../petri/kit/qemu/index.ts';
import type { SerialConsole } from '../../petri/serial/index.ts';
import { budget } from './budgets.ts';
import { QemuProcess } from './qemu-process.ts';

const SERIAL = 'serial';
const AGENT = 'agent';

export interface LinuxVmOptions {
  readonly spec: VmSpec<LinuxPayload>;
  readonly context: LaunchContext;
  readonly command: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** One QEMU that boots Linux once. */
class LinuxBoot {
  /** Never rejects. */
  readonly halted: Promise<HaltReason>;
  readonly agent: AgentClient;
  readonly qemu: QemuProcess;
  readonly serial: Socket;
  started = false;
  over = false;
  registers: Registers | undefined;
  #resolve: (halt: HaltReason) => void = () => undefined;

  constructor(qemu: QemuProcess, nonce: string) {
    this.qemu = qemu;
    this.serial = qemu.socket(SERIAL);
    this.agent = new AgentClient(qemu.socket(AGENT), nonce);
    this.halted = new Promise((resolve) => (this.#resolve = resolve));
  }

  end(halt: HaltReason): void {
    if (this.over) return;
    this.over = true;
    this.agent.end(`the VM halted: ${describeHalt(halt)}`);
    this.#resolve(halt);
  }
}

/** Linux in an ordinary VM: QEMU boots kernel and initramfs; the agent has a serial port of its own. */
export class LinuxVm implements VmRuntime {
  readonly planes = [];
  readonly facts: Readonly<Record<string, string>>;
  readonly #options: LinuxVmOptions;
  readonly #folder: TemporaryFolder;
  /** Path of the kernel in a format that QEMU can boot. */
  readonly #kernel: string;
  readonly #console: SerialConsole;
  /** The latest boot, started or about to be. */
  #boot: LinuxBoot | undefined;
  readonly #life = new VmLife(() => this.#giveUp());

  /** @throws PetriError what starting QEMU throws */
  static async launch(options: LinuxVmOptions): Promise<LinuxVm> {
    const supervisor = await Supervisor.open();
    const folder = await supervisor.temporaryFolder('linux');
    try {
      const { payload } = options.spec;
      writeFileSync(join(folder.path, 'initramfs'), agentInitramfs(payload));
      const image = unpackKernel(payload.path);
      const kernel = image === undefined ? payload.path : join(folder.path, 'kernel');
      if (image !== undefined) writeFileSync(kernel, image);
      const vm = new LinuxVm(options, folder, kernel);
      vm.#boot = await vm.#prepare();
      options.context.onEnd((why) => void vm.#end(why));
      return vm;
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  private constructor(options: LinuxVmOptions, folder: TemporaryFolder, kernel: string) {
    this.#options = options;
    this.#kernel = kernel;
    this.#folder = folder;
    this.facts = options.facts;
    this.#console = options.context.openConsole(SERIAL, (bytes) => void this.#boot?.serial.write(bytes));
  }

  /** @throws PetriError `unsupported` while the guest runs */
  readonly registers = (vcpu = 0): Registers => {
    checkVcpu(vcpu, 1);
    const registers = this.#boot?.registers;
    if (registers !== undefined) return registers;
    throw new PetriError('the registers of Linux in QEMU can be read only after a deadline or vm.stop() has ended it', {
      code: 'unsupported',
      step: 'run',
    });
  };

  start(): Promise<VmBoot> {
    return this.#life.start(() => this.#start());
  }

  async #start(): Promise<VmBoot> {
    if (this.#boot?.started === true) {
      this.#boot.end({ reason: 'stopped' });
      await this.#boot.qemu.stop();
      this.#boot = undefined;
    }
    const boot = (this.#boot ??= await this.#prepare());
    this.#life.mustLive();
    boot.started = true;
    boot.serial.resume();
    await boot.qemu.qmp.execute('cont');
    return { halted: boot.halted, tmkEvents: [] };
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    const boot = this.#boot;
    if (boot === undefined) throw new Error('the VM was not booted');
    const booted = timeoutSignal(budget('linux') + (options.timeout ?? 0));
    const signal = options.signal === undefined ? booted : AbortSignal.any([booted, options.signal]);
    return await boot.agent.exec(command, { ...options, signal });
  }

  /** Asks the agent to power off. */
  async stop(signal: AbortSignal): Promise<void> {
    const boot = this.#boot;
    if (boot === undefined || boot.over) return;
    boot.agent.powerOff();
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([boot.halted, aborted]);
  }

  kill(): Promise<void> {
    return this.#life.kill();
  }

  async #giveUp(): Promise<void> {
    this.#boot?.end({ reason: 'stopped' });
    await this.#boot?.qemu.stop();
    // The supervisor removes what remains at the end, or reports it then.
    await this.#folder.remove().catch(() => undefined);
  }

  async #end(why: EndReason): Promise<void> {
    const boot = this.#boot;
    if (boot === undefined || boot.over || !boot.started) return;
    if (why.reason !== 'timeout') {
      boot.end(why);
      return;
    }
    const limit = budget('locate');
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), limit).unref());
    const look = stopAndLook(boot.qemu.qmp, performance.now() + limit / 2).catch(() => undefined);
    const registers = await Promise.race([look, late]);
    boot.registers = registers;
    const place = registers === undefined ? '' : `; it was at 0x${registers.pc.toString(16)}`;
    const message = `${why.message}${place}`;
    boot.end({ reason: 'timeout', message, ...(registers === undefined ? {} : { registers }) });
  }

  /** Makes a QEMU that is stopped before its first instruction. */
  async #prepare(): Promise<LinuxBoot> {
    const { context, command } = this.#options;
    const nonce = randomBytes(8).toString('hex');
    let shutdown: string | undefined;
    const onEvent = ({ event, data }: QmpEvent): void => {
      if (event === 'SHUTDOWN') shutdown = String(data['reason']);
    };
    const qemu = await QemuProcess.start({
      command,
      args: (socket) => this.#arguments(nonce, socket),
      sockets: [SERIAL, AGENT],
      onEvent,
      signal: context.signal,
    });
    context.log(`QEMU is process ${qemu.pid}`);
    const boot = new LinuxBoot(qemu, nonce);
    const words = new LastWords();
    boot.serial.on('data', (bytes: Uint8Array) => {
      words.push(bytes);
      this.#console.push(bytes);
      // With `panic=0` the kernel does not reboot, and would be silent until a time-out.
      const panic = words.panic;
      if (panic !== undefined) boot.end(kernelPanic(panic));
    });
    boot.serial.on('error', () => undefined);
    const drained = once(boot.serial, 'close').catch(() => undefined);
    void Promise.all([qemu.ended, drained]).then(([how]) => boot.end(linuxHalt(shutdown, words.text, how)));
    return boot;
  }

  #arguments(nonce: string, socket: (name: string) => string): string[] {
    const { spec, context } = this.#options;
    const initramfs = join(this.#folder.path, 'initramfs');
    return [
      ...linuxMachineArguments({
        spec,
        kernel: this.#kernel,
        initramfs,
        disk: spec.payload.disk,
        nonce,
        serial: SERIAL,
        agent: AGENT,
      }),
      // QEMU also writes to the file when the socket is no longer read.
      ...[
        '-chardev',
        `${socket(SERIAL)},logfile=${optionValue(join(context.logDirectory, 'serial.qemu.log'))},logappend=on`,
      ],
      ...['-chardev', socket(AGENT)],
    ];
  }
}
