import { type Watchpoint, Watchpoints } from './watchpoints.ts';

/** Why the guest stands still for its debugger, before the instruction at its PC. */
export type DebugStop =
  | { readonly kind: 'step'; readonly vcpu: number }
  | { readonly kind: 'breakpoint'; readonly vcpu: number }
  | {
      readonly kind: 'watchpoint';
      readonly vcpu: number;
      readonly watchpoint: Watchpoint;
      /** The first watched byte that the instruction would access. */
      readonly address: number;
    };

/**
 * Receives what the guest executes.
 *
 * @param pc of the first of the instructions, which follow each other in memory
 * @param count number of instructions
 * @param trapped whether the instruction was not completed, but took an exception
 * @param retired instructions that the vCPU had retired before
 */
export type TraceSink = (pc: number, count: number, trapped: boolean, retired: number) => void;

/** What changes in the machine when a debugger changes its mind. */
export interface DebugHost {
  /** Has code decoded again so that these addresses stop. */
  setStops(addresses: ReadonlySet<number>): void;
  /** Has the accesses to watched pages take the slow path, and no others. */
  setWatch(watchpoints: Watchpoints | undefined): void;
}

/**
 * What a debugger asks of the vCPUs of a machine, and what they report. A transition is an instruction that completes
 * or traps, or an exception that is taken in its place. A machine without a debugger has no such object.
 *
 * A stop changes nothing that a guest can see: the vCPU returns with `RunExit.Budget` and goes on where it was.
 */
export class DebugControl {
  /** Why the guest stopped; it executes nothing until `resume`. */
  stop: DebugStop | undefined;
  /** Whether it stands before an instruction: an exit to EL2 comes before that. */
  standing = false;
  trace: TraceSink | undefined;
  readonly #host: DebugHost;
  #steps = Infinity;
  #runsOn = false;
  #only: number | undefined;
  /** Whether accesses of the next instruction are not watched: the guest was stopped before one of them. */
  #passing = false;
  #breakpoints: ReadonlySet<number> = new Set();
  /** The vCPU that runs, by its index. */
  #vcpu = 0;

  constructor(host: DebugHost) {
    this.#host = host;
  }

  /** Whether the vCPU that runs executes one instruction at a time. */
  get single(): boolean {
    return this.#steps !== Infinity && (this.#only === undefined || this.#only === this.#vcpu);
  }

  get breakpoints(): ReadonlySet<number> {
    return this.#breakpoints;
  }

  /** @param addresses virtual addresses, as signed canonical numbers, in every context */
  setBreakpoints(addresses: ReadonlySet<number>): void {
    this.#breakpoints = addresses;
    this.#host.setStops(addresses);
  }

  setWatchpoints(all: readonly Watchpoint[]): void {
    const stop = (watchpoint: Watchpoint, address: number): boolean => {
      if (this.#passing) return false;
      this.#passing = true;
      this.stop = { kind: 'watchpoint', vcpu: this.#vcpu, watchpoint, address };
      return true;
    };
    this.#host.setWatch(all.length === 0 ? undefined : new Watchpoints(all, stop));
  }

  /** Stops the guest where it is, for good measure also one that is about to run. */
  hold(): void {
    this.stop ??= { kind: 'step', vcpu: this.#vcpu };
  }

  /**
   * Lets the guest go.
   *
   * @param steps transitions to make before it stops again; undefined to run until something else stops it. The
   *   breakpoint at which it stands does not.
   * @param vcpu whose transitions those are, and whose breakpoint; of any without it. Others run in their turns.
   */
  resume(steps?: number, vcpu?: number): void {
    this.#only = vcpu;
    this.stop = undefined;
    this.standing = false;
    this.#runsOn = steps === undefined;
    this.#steps = steps ?? 1;
  }

  /** To be called by a vCPU before it runs. */
  enter(vcpu: number): void {
    this.#vcpu = vcpu;
  }

  /** To be called after each transition while `single` is set. */
  made(): void {
    this.#passing = false;
    this.#steps -= 1;
    if (this.#steps > 0) return;
    if (this.#runsOn) this.#steps = Infinity;
    else this.stop ??= { kind: 'step', vcpu: this.#vcpu };
  }

  /** To be called where the guest is about to execute a breakpoint. */
  reached(): void {
    this.stop = { kind: 'breakpoint', vcpu: this.#vcpu };
  }
}
