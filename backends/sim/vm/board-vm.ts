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
import { DebuggedGuest, type Debugging, DebugStub } from '../debug/index.ts';
import type { BoardGuest, BoardListener, GuestState } from '../guests/index.ts';
import { GuestTimers } from './guest-timers.ts';
import { RunLoop } from './run-loop.ts';

/** How many times the default budget an operating system has: it boots, and its idle PEs take interrupts. */
const BUDGET_FACTOR = 200;

export interface BoardVmOptions {
  readonly config: VmConfig;
  readonly context: LaunchContext;
  /** Makes a machine in its reset state, with everything loaded. */
  readonly make: (listener: BoardListener) => BoardGuest;
  /** Makes one that goes on from a state of such a machine. */
  readonly resume: (state: GuestState, listener: BoardListener) => BoardGuest;
  /** Asks for a debugger's stub. */
  readonly debugging?: Debugging | undefined;
}

/** One boot of the machine. */
export interface BoardBoot {
  readonly guest: BoardGuest;
  /** The guest as its debugger holds it, if one is asked for. */
  readonly held?: DebuggedGuest | undefined;
  readonly loop: RunLoop;
  readonly halted: Promise<HaltReason>;
}

/** What `BoardVm.snapshot` returns: it never changes. */
export interface BoardSnapshot {
  readonly guest: GuestState;
  /** Of `BootExtras.save`. */
  readonly extras: unknown;
}

/** What a kind of payload adds to each boot. */
export interface BootExtras {
  /** What it knows of the guest, for a boot that goes on from there: plain data. */
  save?(): unknown;
  /** Another boot takes the place of this one. */
  leave?(): void;
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
  readonly #timers = new GuestTimers(() => this.#work);
  readonly #console: SerialConsole;
  readonly #maxInstructions: number;
  #boot: BoardBoot | undefined;
  #stub: DebugStub | undefined;
  #extras: BootExtras = {};
  /** What the timers of the VM count without the work of its guest, which may have begun before the VM. */
  #worked = 0;
  #killed = false;

  constructor(options: BoardVmOptions) {
    this.#options = options;
    const { config, context } = options;
    this.#maxInstructions = boardBudget(config);
    this.#console = context.openConsole('serial', (bytes) => this.#boot?.guest.input('console', bytes.slice()));
    context.onEnd((why) => {
      if (why.reason === 'timeout') this.#boot?.loop.endAt('timeout', why.message);
      else this.#boot?.loop.end(why);
    });
  }

  readonly registers = (vcpu?: number): Registers => this.booted().guest.registers(vcpu);

  async start(_request: BootRequest): Promise<VmBoot> {
    this.#leave();
    const begun = this.#boot !== undefined;
    const from = await this.beginning();
    if (this.#killed) return { halted: Promise.resolve({ reason: 'stopped' }), tmkEvents: [] };
    const boot = await this.#run((listener) => this.#guest(listener, from), from);
    this.#worked = -boot.guest.work;
    if (begun) this.#timers.restart();
    if (from !== undefined) this.#console.push(from.console);
    return boot;
  }

  /**
   * The state at the next point at which input arrives, which is now if the guest is at one.
   *
   * @throws PetriError `vm-halted`
   */
  async snapshot(): Promise<BoardSnapshot> {
    const { guest, loop } = this.booted();
    if (!(await loop.untilListening())) {
      throw new PetriError('the VM halted before its state could be saved', { code: 'vm-halted', step: 'run' });
    }
    return { guest: guest.save(), extras: this.#extras.save?.() };
  }

  async restore(snapshot: unknown): Promise<VmBoot> {
    // Safe: the framework gives back what `snapshot` of a VM of this backend with the same payload returned.
    const { guest, extras } = snapshot as BoardSnapshot;
    const before = this.#work;
    this.#leave();
    const boot = await this.#run((listener) => this.#options.resume(guest, listener), { guest, extras });
    this.#worked = before - boot.guest.work;
    return boot;
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
    this.#end();
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

  /** @param from what `BootExtras.save` returned, of a guest that goes on from there */
  protected extras(_guest: BoardGuest, _from: unknown): BootExtras {
    return {};
  }

  /** Where `start` begins, with what the console shows then; undefined for reset. */
  protected async beginning(): Promise<(BoardSnapshot & { readonly console: Uint8Array }) | undefined> {
    return undefined;
  }

  /** Ends the boot that runs. */
  #leave(): void {
    if (this.#boot === undefined) return;
    this.#extras.leave?.();
    this.#end();
  }

  #end(): void {
    this.#boot?.loop.end({ reason: 'stopped' });
    this.#stub?.close({ reason: 'stopped' });
    this.#boot?.held?.forget();
    this.#boot?.guest.release();
  }

  #guest(listener: BoardListener, from: BoardSnapshot | undefined): BoardGuest {
    const { make, resume } = this.#options;
    return from === undefined ? make(listener) : resume(from.guest, listener);
  }

  async #run(
    make: (listener: BoardListener) => BoardGuest,
    from: BoardSnapshot | undefined,
  ): Promise<VmBoot & BoardBoot> {
    const { debugging } = this.#options;
    const boot = this.#make(make, from);
    const { held, loop } = boot;
    this.#boot = boot;
    if (held !== undefined && debugging !== undefined) this.#stub = await DebugStub.open(debugging, held, loop);
    boot.loop.start();
    return { ...boot, tmkEvents: [], instructions: () => boot.guest.retired };
  }

  #make(make: (listener: BoardListener) => BoardGuest, from: BoardSnapshot | undefined): BoardBoot {
    const { context, config, debugging } = this.#options;
    const realTime = config.time === 'wall';
    const made: { boot?: BoardBoot } = {};
    let extras: BootExtras = {};
    const guest = make({
      output: (port, bytes) => {
        if (port === 'agent') {
          extras.agent?.(bytes);
          return;
        }
        this.#console.push(bytes);
        if (made.boot !== undefined) extras.printed?.(bytes, made.boot);
      },
      log: (message) => context.log(message),
    });
    // What it says goes to its own listener, so nothing comes here.
    const silent = { print: () => undefined, log: () => undefined };
    const held = debugging && new DebuggedGuest(() => guest, silent, false);
    const maxInstructions = this.#maxInstructions;
    const loop = new RunLoop({ guest: held ?? guest, maxInstructions, timers: this.#timers, realTime });
    guest.onInput = () => loop.wake();
    extras = this.extras(guest, from?.extras);
    this.#extras = extras;
    const halted = loop.halted.then((halt) => extras.explain?.(halt) ?? halt);
    made.boot = { guest, held, loop, halted };
    return made.boot;
  }

  /** What the guest has done since the VM was started. */
  get #work(): number {
    return this.#boot === undefined ? 0 : this.#worked + this.#boot.guest.work + this.#boot.loop.slept;
  }
}

/** Instructions after which a board is stopped. */
export function boardBudget({ maxInstructions }: VmConfig): number {
  return maxInstructions === DEFAULT_MAX_INSTRUCTIONS ? BUDGET_FACTOR * maxInstructions : maxInstructions;
}
