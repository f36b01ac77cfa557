import type { Readable, Writable } from 'node:stream';

/** What to start, and how. */
export interface SpawnOptions {
  /** For messages: 'FVP model'. */
  readonly name: string;
  /** A program by path or by name, which is looked for in PATH. Never a shell string. */
  readonly command: string;
  /** Its arguments, passed unchanged: no shell splits or expands them. */
  readonly args: readonly string[];
  /** Its working directory. @default that of this process */
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * @default 'pipe', a pipe that stays open until the process ends: shrinkwrap fails with /dev/null and spins on a
   * closed pipe
   */
  readonly stdin?: 'pipe' | 'ignore';
  /** File to which standard output and error are appended, in addition to the streams. Up to 256 MiB. */
  readonly output?: string;
  /**
   * Called with each chunk of standard output and error, for the last time before `exited` resolves. Must not throw.
   */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Milliseconds from SIGTERM to SIGKILL. @default 3000 */
  readonly graceMs?: number;
}

/** How a process ended: exactly one of `code` and `signal` is set. */
export interface ProcessExit {
  /** Its exit code. */
  readonly code?: number;
  /** The signal that ended it, such as `SIGKILL`. */
  readonly signal?: string;
  /** As a part of a sentence: 'exited with code 1', 'was ended by SIGKILL'. */
  describe(): string;
}

/** What remains after a process was ended. */
export interface StopReport {
  /** PIDs that still exist after SIGKILL, such as those in an uninterruptible wait. */
  readonly survivors: readonly number[];
}

/** How a process is ended. */
export interface StopOptions {
  /** Milliseconds from SIGTERM to SIGKILL; 0 kills at once. */
  readonly graceMs?: number;
}

/** A process in a session of its own that does not outlive the process that started it. */
export interface SupervisedProcess {
  /** As `SpawnOptions.name`. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** Writing after the end of the process is not an error: `exited` reports the end. */
  readonly stdin: Writable;
  /** Need not be read. Beyond 1 MiB, unread output is dropped, with a note in its place. */
  readonly stdout: Readable;
  /** As `stdout`. */
  readonly stderr: Readable;
  /** Resolves when the process has ended and its output has arrived. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** How it ended; `undefined` while it runs. */
  readonly exit: ProcessExit | undefined;
  /**
   * Ends the process, its group, and descendants that left the group: SIGTERM, then SIGKILL. Call it even after the
   * process has ended by itself, since it may have left something behind. Idempotent; never rejects.
   */
  stop(options?: StopOptions): Promise<StopReport>;
}

/** A folder of our own below the system's temporary folder, mode 0700. */
export interface TemporaryFolder {
  /** Its absolute path. */
  readonly path: string;
  /** Removes it with its content. Idempotent. @throws PetriError `teardown-failed` */
  remove(): Promise<void>;
}

/** Containers that another program is going to start, identified by their label. */
export interface ContainerRegistration {
  /** The program that has them. */
  readonly runtime: ContainerRuntime;
  /** `key=value`, for `--label`. */
  readonly label: string;
  /** Stops and removes containers with the label. Idempotent. @throws PetriError `teardown-failed` */
  end(): Promise<void>;
}

/** Programs that run containers, by the names of their commands. */
export type ContainerRuntime = 'docker' | 'podman';

/** One of a number of places that processes of this machine share. */
export interface Slot {
  /** Name of the pool, the same for all processes that share it. */
  readonly pool: string;
  /** From 0, less than the capacity; unique among the pool's holders. */
  readonly index: number;
  /** Gives the place back. Idempotent. */
  release(): void;
}

/** How to wait for a place. */
export interface SlotWait {
  /** Stops waiting when it aborts. */
  readonly signal?: AbortSignal;
  /** Called with the reason for waiting when it begins, when the reason changes, and every minute. */
  readonly onWait?: (why: string) => void;
}
