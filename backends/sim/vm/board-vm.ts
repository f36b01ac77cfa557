import {
  type BootRequest,
  DEFAULT_MAX_INSTRUCTIONS,
  type GuestTimer,
  type HaltReason,
  type LaunchContext,
  type Registers,
  type VmBoot,
  type VmConfig,
  type VmRuntime,
} from '../../../petri/contract/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import type { SerialConsole } from '../../../petri/serial/index.ts';
import type { BoardGuest, BoardListener } from '../guests/index.ts';
import { GuestTimers } from './guest-timers.ts';
import { RunLoop } from './run-loop.ts';

/** How many times the default budget an operating system has: it boots, and its idle PEs take interrupts. */
const BUDGET_FACTOR = 200;

export interface BoardVmOptions {
  readonly config: VmConfig;
  readonly context: LaunchContext;
  /** Makes a machine in its reset state, with everything loaded. */
  readonly make: (listener: BoardListener) => BoardGuest;
}

/** One boot of the machine. */
export interface BoardBoot {
  readonly guest: BoardGuest;
  readonly loop: RunLoop;
  readonly halted: Promise<HaltReason>;
}

/** What a kind of payload adds to each boot. */
export interface BootExtras {
  /** What the guest prints on the console, before others see it. */
  printed?(bytes: Uint8Array, boot: BoardBoot): void;
  /** What the guest writes to the agent's port. */
  agent?(bytes: Uint8Array): void;
  /** Says more about a halt. */
  explain?(halt: HaltReason): HaltReason;
}

/** A simulated board. Each boot has a machine of its own: no state of one boot reaches the next. */
export class BoardVm implements VmRuntime {
  readonly planes = [];
  readonly #options: BoardVmOptions;
  readonly #timers = new GuestTimers(() => this.#worked());
  readonly #console: SerialConsole;
  readonly #maxInstructions: number;
  #boot: BoardBoot | undefined;
  #killed = false;

  constructor(options: BoardVmOptions) {
    this.#options = options;
    const { config, context } = options;
    const isDefault = config.maxInstructions === DEFAULT_MAX_INSTRUCTIONS;
    this.#maxInstructions = isDefault ? BUDGET_FACTOR * config.maxInstructions : config.maxInstructions;
    this.#console = context.openConsole('serial', (bytes) => this.#boot?.guest.input('console', bytes.slice()));
    context.onEnd((why) => {
      if (why.reason === 'timeout') this.#boot?.loop.endAt('timeout', why.message);
      else this.#boot?.loop.end(why);
    });
  }

  readonly registers = (vcpu?: number): Registers => this.booted().guest.registers(vcpu);

  async start(_request: BootRequest): Promise<VmBoot> {
    if (this.#boot !== undefined) {
      this.#boot.loop.end({ reason: 'stopped' });
      this.#boot.guest.release();
      this.#timers.restart();
    }
    const boot = this.#make();
    this.#boot = boot;
    boot.loop.start();
    return { halted: boot.halted, tmkEvents: [], instructions: () => boot.guest.retired };
  }

  guestTimer(milliseconds: number, callback: () => void): GuestTimer {
    return this.#timers.start(milliseconds, callback);
  }

  async stop(_signal: AbortSignal): Promise<void> {
    this.#boot?.loop.end({ reason: 'stopped' });
  }

  async kill(): Promise<void> {
    if (this.#killed) return;
    this.#killed = true;
    this.#boot?.loop.end({ reason: 'stopped' });
    this.#boot?.guest.release();
  }

  /** The latest boot. @throws PetriError `unsupported` before the first */
  protected booted(): BoardBoot {
    if (this.#boot !== undefined) return this.#boot;
    throw new PetriError('the VM was not booted', {
      code: 'unsupported',
      step: 'run',
      remedy: 'call vm.start() first',
    });
  }

  protected extras(_guest: BoardGuest): BootExtras {
    return {};
  }

  #make(): BoardBoot {
    const { make, context, config } = this.#options;
    const realTime = config.time === 'wall';
    let boot: BoardBoot | undefined;
    let extras: BootExtras = {};
    const guest = make({
      output: (port, bytes) => {
        if (port === 'agent') {
          extras.agent?.(bytes);
          return;
        }
        this.#console.push(bytes);
        if (boot !== undefined) extras.printed?.(bytes, boot);
      },
      log: (message) => context.log(message),
    });
    const loop = new RunLoop({ guest, maxInstructions: this.#maxInstructions, timers: this.#timers, realTime });
    guest.onInput = () => loop.wake();
    extras = this.extras(guest);
    const halted = loop.halted.then((halt) => extras.explain?.(halt) ?? halt);
    boot = { guest, loop, halted };
    return boot;
  }

  #worked(): number {
    return this.#boot === undefined ? 0 : this.#boot.guest.work + this.#boot.loop.slept;
  }
}
