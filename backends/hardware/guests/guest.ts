import type { TmkEvent, HaltReason, Registers, ExecOptions, ExecResult } from '../../../petri/contract/index.ts';

/** One run of a guest: interprets its launcher's output. */
export interface Guest {
  /** Grows until the guest halts; bounded. */
  readonly events: readonly TmkEvent[];
  /** Resolves when the payload runs, unless it runs at once. Rejects with what prevented that. */
  readonly started?: Promise<void>;
  /** The halt that the guest itself reports, if it can. Never rejects. */
  readonly halted?: Promise<HaltReason>;
  /** Receives the launcher's output. */
  output(bytes: Uint8Array): void;
  /** Receive what the launcher writes to these files in its folder. */
  readonly files?: Readonly<Record<string, (bytes: Uint8Array) => void>>;
  /** Receive the output of these ports of the launcher. */
  readonly ports?: Readonly<Record<string, (bytes: Uint8Array) => void>>;
  /** Called when the launcher runs. @param type sends bytes to the launcher's input, or to one of its ports */
  attach?(type: (bytes: Uint8Array, port?: string) => void): void;
  /** The halt that follows from the launcher's end. @param code exit code as a shell reports it */
  launcherEnded(code: number): HaltReason;
  /** The registers at the end, or at the last `look`. */
  readonly registers?: Registers | undefined;
  /** Stops the guest for good and reads its registers. Undefined if that fails. Never rejects. */
  look?(): Promise<Registers | undefined>;
  /** Called at the deadline: determines where the guest is, and returns its halt. Never rejects. @param why a clause */
  expire?(why: string): Promise<HaltReason>;
  /** Runs a command in the guest, if it has a shell. @throws PetriError `wait-timeout`, `vm-halted` */
  exec?(command: string, options: ExecOptions): Promise<ExecResult>;
  /** Asks the guest to power off, which also ends its launcher. */
  powerOff?(): void;
  /** Called when its run has ended, for whatever reason. */
  over?(halt: HaltReason): void;
}

/** The first exit code with which a shell reports a signal, and those for a program that could not be run. */
const SIGNALLED = 128;
const NOT_RUN: readonly number[] = [126, 127];

/** The halt for an exit code that says nothing about the guest; undefined for other codes. */
export function launcherFailure(code: number): HaltReason | undefined {
  if (NOT_RUN.includes(code))
    return { reason: 'backend-lost', message: `the launcher could not be run (exit code ${String(code)})` };
  if (code > SIGNALLED)
    return { reason: 'backend-lost', message: `the launcher was ended by signal ${String(code - SIGNALLED)}` };
  return undefined;
}
