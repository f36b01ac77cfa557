import { Duplex } from 'node:stream';
import {
  type BootRequest,
  DEFAULT_MAX_INSTRUCTIONS,
  describeHalt,
  type ExecOptions,
  type ExecResult,
  type GuestTimer,
  type HaltReason,
  type LaunchContext,
  type LinuxPayload,
  type Registers,
  type VmBoot,
  type VmRuntime,
  type VmSpec,
} from '../../../petri/contract/index.ts';
import { AgentClient, afterReset, kernelPanic, LastWords } from '../../../petri/kit/linux/index.ts';
import type { SerialConsole } from '../../../petri/serial/index.ts';
import { type BoardGuest, linuxKind, type Port } from '../guests/index.ts';
import { GuestTimers } from './guest-timers.ts';
import { RunLoop } from './run-loop.ts';

/** How many times the default budget an operating system has: it boots, and its idle PEs take interrupts. */
const BUDGET_FACTOR = 200;
/** What the agent prints when it is ready: a constant, or no two boots would be the same. */
const READY = '70657472692d766d';

type MakeBoard = (output: (port: Port, bytes: Uint8Array) => void) => BoardGuest;

/** One boot of the machine. */
class LinuxBoot {
  readonly guest: BoardGuest;
  readonly loop: RunLoop;
  readonly agent: AgentClient;
  readonly halted: Promise<HaltReason>;
  readonly words = new LastWords();

  constructor(guest: BoardGuest, loop: RunLoop, agent: AgentClient) {
    this.guest = guest;
    this.loop = loop;
    this.agent = agent;
    this.halted = loop.halted.then((halt) => this.#explain(halt));
  }

  /** Linux that panics with `panic=-1` asks for a reset. */
  #explain(halt: HaltReason): HaltReason {
    const reason = halt.reason === 'reset' ? afterReset(this.words.text) : halt;
    this.agent.end(`the VM halted: ${describeHalt(reason)}`);
    return reason;
  }
}

/** Linux on a simulated machine. Each boot has a machine of its own: no state of one boot reaches the next. */
export class LinuxVm implements VmRuntime {
  readonly planes = [];
  readonly #timers = new GuestTimers(() => this.#boot?.guest.work ?? 0);
  readonly #console: SerialConsole;
  readonly #make: MakeBoard;
  readonly #maxInstructions: number;
  #boot: LinuxBoot | undefined;
  #killed = false;

  /** @throws PetriError `image-invalid`, `payload-too-large` */
  static async launch(spec: VmSpec<LinuxPayload>, context: LaunchContext): Promise<LinuxVm> {
    const boards = await linuxKind.load();
    const make = boards.prepare(spec.payload, spec.config, READY);
    return new LinuxVm(spec, context, (output) => make({ output, log: (message) => context.log(message) }));
  }

  private constructor(spec: VmSpec, context: LaunchContext, make: MakeBoard) {
    this.#make = make;
    const { maxInstructions } = spec.config;
    const isDefault = maxInstructions === DEFAULT_MAX_INSTRUCTIONS;
    this.#maxInstructions = isDefault ? BUDGET_FACTOR * maxInstructions : maxInstructions;
    this.#console = context.openConsole('serial', (bytes) => this.#boot?.guest.input('console', bytes.slice()));
    context.onEnd((why) => {
      if (why.reason === 'timeout') this.#boot?.loop.endAt('timeout', why.message);
      else this.#boot?.loop.end(why);
    });
  }

  readonly registers = (vcpu?: number): Registers => {
    if (this.#boot === undefined) throw new Error('the VM was not booted');
    return this.#boot.guest.registers(vcpu);
  };

  async start(_request: BootRequest): Promise<VmBoot> {
    if (this.#boot !== undefined) {
      this.#boot.loop.end({ reason: 'stopped' });
      this.#boot.guest.release();
      this.#timers.restart();
    }
    const boot = this.#prepare();
    this.#boot = boot;
    boot.loop.start();
    return { halted: boot.halted, tmkEvents: [], instructions: () => boot.guest.retired };
  }

  #prepare(): LinuxBoot {
    const port = new AgentPort((bytes) => boot.guest.input('agent', bytes));
    const guest = this.#make((name, bytes) => {
      if (name === 'agent') port.push(bytes);
      else this.#print(boot, bytes);
    });
    const loop = new RunLoop({ guest, maxInstructions: this.#maxInstructions, timers: this.#timers });
    const agent = new AgentClient(port, READY, {
      newId: counter(),
      timer: (ms, callback) => this.#timer(ms, callback),
    });
    const boot = new LinuxBoot(guest, loop, agent);
    return boot;
  }

  #print(boot: LinuxBoot, bytes: Uint8Array): void {
    boot.words.push(bytes);
    this.#console.push(bytes);
    // With `panic=0` the kernel does not reboot, and would be silent until its budget is used up.
    const { panic } = boot.words;
    if (panic !== undefined) boot.loop.end(kernelPanic(panic));
  }

  #timer(milliseconds: number, callback: () => void): () => void {
    const timer = this.#timers.start(milliseconds, callback);
    return () => timer.cancel();
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    if (this.#boot === undefined) throw new Error('the VM was not booted');
    return await this.#boot.agent.exec(command, options);
  }

  guestTimer(milliseconds: number, callback: () => void): GuestTimer {
    return this.#timers.start(milliseconds, callback);
  }

  /** Asks the agent to power off. */
  async stop(signal: AbortSignal): Promise<void> {
    const boot = this.#boot;
    if (boot === undefined || boot.loop.ended) return;
    boot.agent.powerOff();
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([boot.halted, aborted]);
  }

  async kill(): Promise<void> {
    if (this.#killed) return;
    this.#killed = true;
    this.#boot?.loop.end({ reason: 'stopped' });
    this.#boot?.guest.release();
  }
}

/** Our end of the agent's port. */
class AgentPort extends Duplex {
  readonly #send: (bytes: Uint8Array) => void;

  constructor(send: (bytes: Uint8Array) => void) {
    super();
    this.#send = send;
  }

  override _read(): void {
    return undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#send(Uint8Array.from(chunk));
    done();
  }
}

/** Numbers of requests: the port is the guest's alone, and the same commands are to be the same in every run. */
function counter(): () => string {
  let last = 0;
  return () => (last += 1).toString(16).padStart(16, '0');
}
