import type { Readable, Writable } from 'node:stream';

/** What to start, and how. */
export interface SpawnOptions {
  /** For messages: 'FVP model'. */
  readonly name: string;
  /** A program by path or by name, which is looked for in PATH. Never a shell string. */
  readonly command: string;
  /** Its arguments, each as it is: no shell splits or expands them. */
  readonly args: readonly string[];
  /** Its working directory. @default that of this process */
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * @default 'pipe', a pipe that stays open until the process ends: shrinkwrap dies of /dev/null and spins on a
   * closed pipe
   */
  readonly stdin?: 'pipe' | 'ignore';
  /** File that standard output and error are appended to as they come, besides the streams. Up to 256 MiB. */
  readonly output?: string;
  /**
   * Called with each piece of standard output and error as it comes, the last one before `exited` resolves. Must not
   * throw.
   */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Milliseconds from SIGTERM to SIGKILL. @default 3000 */
  readonly graceMs?: number;
}

/** How a process ended: one of the two is there. */
export interface ProcessExit {
  /** Its exit code. */
  readonly code?: number;
  /** The signal that ended it, such as `SIGKILL`. */
  readonly signal?: string;
  /** As a part of a sentence: 'exited with code 1', 'was ended by SIGKILL'. */
  describe(): string;
}

/** What is left after a process was ended. */
export interface StopReport {
  /** Processes that are there even after SIGKILL, such as those in an uninterruptible wait. */
  readonly survivors: readonly number[];
}

/** How a process is ended. */
export interface StopOptions {
  /** Milliseconds from SIGTERM to SIGKILL; 0 kills at once. */
  readonly graceMs?: number;
}

/** A process in a session of its own that does not outlive whoever started it. */
export interface SupervisedProcess {
  /** As `SpawnOptions.name`. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** Writing after the end of the process is no error: `exited` reports the end. */
  readonly stdin: Writable;
  /** Nobody has to read it. What is not read in time is dropped beyond 1 MiB, with a note in its place. */
  readonly stdout: Readable;
  /** As `stdout`. */
  readonly stderr: Readable;
  /** Resolves when the process has ended and its output has arrived. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** How it ended; `undefined` while it runs. */
  readonly exit: ProcessExit | undefined;
  /**
   * Ends the process, all of its group, and descendants that left the group: SIGTERM, then SIGKILL. Also to be called
   * after the process ended by itself, where it may have left something behind. Idempotent; never rejects.
   */
  stop(options?: StopOptions): Promise<StopReport>;
}

/** A folder of our own below the system's temporary folder, mode 0700. */
export interface TemporaryFolder {
  /** Its absolute path. */
  readonly path: string;
  /** With everything in it. Idempotent. @throws PetriError `teardown-failed` */
  remove(): Promise<void>;
}

/** Containers that some program is going to start, known by their label. */
export interface ContainerRegistration {
  /** The program that has them. */
  readonly runtime: ContainerRuntime;
  /** `key=value`, for `--label`. */
  readonly label: string;
  /** Stops and removes what bears the label. Idempotent. @throws PetriError `teardown-failed` */
  end(): Promise<void>;
}

/** Programs that run containers, by the names of their commands. */
export type ContainerRuntime = 'docker' | 'podman';

/** One place of a number of places that processes of this machine share. */
export interface Slot {
  /** Name of what the places are of, the same for all who share them. */
  readonly pool: string;
  /** From 0, less than the capacity; no other holder of the pool has it. */
  readonly index: number;
  /** Idempotent. */
  release(): void;
}

/** How a place is waited for. */
export interface SlotWait {
  /** Stops waiting when it aborts. */
  readonly signal?: AbortSignal;
  /** Called with the reason for waiting when it begins, when the reason changes, and every minute. */
  readonly onWait?: (why: string) => void;
}
