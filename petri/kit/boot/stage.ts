import type { SerialPattern } from '../../serial/index.ts';

/** One step of a boot: it is over when its marker is on its console. */
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

/** Text with which a world says that it cannot go on. */
export interface CrashSignature {
  /** The console on which it counts; every one if absent. */
  readonly console?: string;
  /** Looked for in each line as it becomes complete, or stands still. */
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
