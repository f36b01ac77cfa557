import type { TmkEvent, HaltReason, PlaneInspector, RealmInspector, Registers } from '../../../petri/contract/index.ts';

/** One machine from reset to its end, run a bit at a time. The two kinds are the realm and the plain VM. */
export interface Guest {
  /** Chooses the test that the first run starts. Must be called once. */
  boot(testIndex: number): void;
  /**
   * Runs about `budget` instructions of the payload, fewer where others take the host longer (`Vcpu.effort`).
   *
   * @param outstayed called between exits; true when the time slice is over
   * @returns why the guest ended, or undefined while it can continue
   */
  run(budget: number, outstayed: () => boolean): HaltReason | undefined;
  /** Instructions that the guest retired since it was made. */
  readonly retired: number;
  /**
   * What it used up of a budget: `retired`, where what takes the time of many instructions counts for as many
   * (`Vcpu.work`).
   */
  readonly work: number;
  /** Registers of the payload on a vCPU, the first by default. @throws PetriError `invalid-option` */
  registers(vcpu?: number): Registers;
  /** Why the payload is at its PC, where that is a vector of an exception: a clause to put behind a message, or ''. */
  vectorNote(): string;
  readonly events: readonly TmkEvent[];
  readonly realm?: RealmInspector;
  readonly planes: readonly (PlaneInspector | undefined)[];
  /**
   * Gives the machine back. What was recorded can still be read, and the machine no more; a second call does nothing.
   */
  release(): void;
}
