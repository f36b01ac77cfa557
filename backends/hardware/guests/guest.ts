import type { TmkEvent, HaltReason, Registers, ExecOptions, ExecResult } from '../../../petri/contract/index.ts';

/** One run of a guest: makes sense of what its launcher prints. */
export interface Guest {
  /** Grows until it halts; bounded. */
  readonly events: readonly TmkEvent[];
  /** Resolves when the payload runs, where that is not at once. Rejects with what kept it from that. */
  readonly started?: Promise<void>;
  /** What the guest itself says of its end, where it can. Never rejects. */
  readonly halted?: Promise<HaltReason>;
  /** Takes what the launcher prints. */
  output(bytes: Uint8Array): void;
  /** Takes what the launcher writes to these files in its folder. */
  readonly files?: Readonly<Record<string, (bytes: Uint8Array) => void>>;
  /** Takes what comes out of these ports of the launcher. */
  readonly ports?: Readonly<Record<string, (bytes: Uint8Array) => void>>;
  /** Called once its launcher runs. @param type sends bytes to the launcher's input, or to one of its ports */
  attach?(type: (bytes: Uint8Array, port?: string) => void): void;
  /** What it means that the launcher ended. @param code as a shell gives it */
  launcherEnded(code: number): HaltReason;
  /** Where it stood when it ended or was looked at. */
  readonly registers?: Registers | undefined;
  /** Stops it for good and looks where it is. Undefined where that cannot be known. Never rejects. */
  look?(): Promise<Registers | undefined>;
  /** Its deadline has passed: looks where it is, and says what its halt is. Never rejects. @param why a clause */
  expire?(why: string): Promise<HaltReason>;
  /** Runs a command in it, where it has a shell. @throws PetriError `wait-timeout`, `vm-halted` */
  exec?(command: string, options: ExecOptions): Promise<ExecResult>;
  /** Asks it to end by itself, which its launcher then does too. */
  powerOff?(): void;
  /** Told that its run is over, for whatever reason. */
  over?(halt: HaltReason): void;
}

/** Codes from which on a shell reports a signal, and those with which it reports that a program could not be run. */
const SIGNALLED = 128;
const NOT_RUN: readonly number[] = [126, 127];

/** An end of a launcher that says nothing of the guest; undefined where it does. */
export function launcherFailure(code: number): HaltReason | undefined {
  if (NOT_RUN.includes(code))
    return { reason: 'backend-lost', message: `the launcher could not be run (exit code ${String(code)})` };
  if (code > SIGNALLED)
    return { reason: 'backend-lost', message: `the launcher was ended by signal ${String(code - SIGNALLED)}` };
  return undefined;
}
