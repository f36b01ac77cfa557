import type { SerialPattern } from '../../serial/index.ts';

/** One stage of a boot, which ends when its marker is on its console. */
export interface BootStage {
  /** What is reached, for messages: `TF-A`, `host shell`. */
  readonly name: string;
  /** The console that prints the marker, by its name in the map of consoles. */
  readonly console: string;
  /** What the console prints when the stage is reached. */
  readonly marker: SerialPattern;
  /** Milliseconds for this stage alone, before the slow factor. */
  readonly deadline: number;
}

/** Text that a world prints when it cannot continue. */
export interface CrashSignature {
  /** The console on which to search; all of them if absent. */
  readonly console?: string;
  /** Searched in each line when it is complete, or when no more of it arrives. */
  readonly pattern: RegExp;
  /** What it means, as a clause: `the host kernel panicked`. */
  readonly meaning: string;
}

/** A stage that was reached, and how long it took since the one before. */
export interface StageTime {
  /** Of the stage. */
  readonly name: string;
  /** Since the stage before it was reached, or since the boot began. */
  readonly milliseconds: number;
}

/** A boot that got to its last stage. */
export interface BootReport {
  /** In the order in which they were reached. */
  readonly stages: readonly StageTime[];
}
