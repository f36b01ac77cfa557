import type { CpuContext, DebuggableCpu, Vcpu } from '../cpu/index.ts';
import type { TmkEvent, HaltReason, PlaneInspector, RealmInspector, Registers } from '../../../petri/contract/index.ts';

/** What debuggers, traces and coverage reach of a guest. */
export interface GuestDebug {
  readonly cpu: DebuggableCpu;
  /** What is added to addresses of the payload as linked. */
  readonly loadOffset: number;
  /**
   * The processors of the payload by number, each with the context that the payload has on it; none before the payload
   * has one.
   */
  readonly vcpus: readonly GuestVcpu[];
}

/** A processor as its payload has it. */
export interface GuestVcpu {
  readonly vcpu: Vcpu;
  readonly context: CpuContext;
}

/** One machine from reset to halt, run in pieces: a realm or a plain VM. */
export interface Guest {
  /** Selects the test to run. Must be called once, before the first run. */
  boot(testIndex: number): void;
  /**
   * Runs about `budget` instructions of the payload, fewer if some cost the host more (`Vcpu.effort`).
   *
   * @param outstayed called between exits; true when the time slice is over
   * @returns why the guest halted, or undefined while it can continue
   */
  run(budget: number, outstayed: () => boolean): HaltReason | undefined;
  /** Instructions retired since the guest was made. */
  readonly retired: number;
  /** `retired`, with operations that take the time of many instructions counted as many (`Vcpu.work`). */
  readonly work: number;
  /** Registers of the payload on a vCPU, the first by default. @throws PetriError `invalid-option` */
  registers(vcpu?: number): Registers;
  /**
   * The halt reason of a payload that is stopped where it is.
   *
   * @param why which limit was reached: the start of a sentence
   */
  expired(reason: 'budget' | 'timeout', why: string): HaltReason;
  readonly events: readonly TmkEvent[];
  /**
   * Whether the guest is at a point where input arrives: whoever reacts to what it printed has some turns of the event
   * loop to do so before it continues. Absent where there is no input.
   */
  readonly listens?: boolean;
  /**
   * Guest time in nanoseconds until something happens while no PE has anything to do: Infinity where only input leads
   * on. Undefined while there is something to do, or input to deliver.
   */
  readonly sleeps?: number | undefined;
  readonly realm?: RealmInspector | undefined;
  readonly planes: readonly (PlaneInspector | undefined)[];
  /** Before `release` only; absent for a kind of guest that cannot be debugged. */
  readonly debug?: GuestDebug;
  /** Whether it stands still for a debugger: `run` does nothing then. */
  readonly standing?: boolean;
  /**
   * Gives the machine back. What was recorded stays readable, the machine does not; a second call has no effect.
   */
  release(): void;
}
