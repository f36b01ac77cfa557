import type { SerialConsole } from '../serial/index.ts';
import type { ExecOptions, ExecResult } from '../vm/exec.ts';
import type { Feature } from './features.ts';
import type { HaltReason } from './halt.ts';
import type { PlaneInspector, RealmInspector } from './inspect.ts';
import type { IsolationType } from './isolation.ts';
import type { VmSpec } from './spec.ts';

/** One thing that keeps a backend from running here, and what to do about it. */
export interface Missing {
  readonly what: string;
  readonly remedy: string;
}

/** What a backend can do on this host. */
export type ProbeResult =
  | {
      readonly available: true;
      /** Features per isolation type; a type that is not a key cannot be made here. */
      readonly isolation: Readonly<Partial<Record<IsolationType, readonly Feature[]>>>;
      /** Bounds on what a `VmConfig` may ask for. */
      readonly limits: BackendLimits;
      /** What keeps it from making VMs of an isolation type that it makes elsewhere. */
      readonly lacking?: Readonly<Partial<Record<IsolationType, readonly Missing[]>>>;
      /** How long things take here, where it is much longer than in this process. Time-outs of tests are stretched by it. */
      readonly pace?: BackendPace;
      /** Versions and the like, for the run record. */
      readonly facts: Readonly<Record<string, string>>;
    }
  | { readonly available: false; readonly missing: readonly Missing[] };

/** What a backend adds to the time that a test is given. */
export interface BackendPace {
  /** Milliseconds that a VM may take until its payload runs, waiting for its turn included. */
  readonly boot: number;
  /** How many times slower than the simulated realm a guest may run. */
  readonly factor: number;
  /** How many VMs, or machines that VMs share, may be there at once. It bounds vitest's workers. */
  readonly parallel: number;
  /** For tests that say themselves how long they take, where their isolation type has another pace. */
  readonly isolation?: Readonly<Partial<Record<IsolationType, { readonly boot: number; readonly factor: number }>>>;
}

export interface BackendLimits {
  /** @default 0 */
  readonly minMemory?: number;
  readonly maxMemory: number;
  readonly maxVcpus: number;
  readonly maxPlanes: number;
}

/** Why a VM is ended from outside of its guest: how its boot halts then. */
export type EndReason =
  | { readonly reason: 'stopped' }
  | {
      readonly reason: 'timeout';
      /** Which deadline passed. */
      readonly message: string;
    };

/** What the framework owns and lends to a backend for one VM. */
export interface LaunchContext {
  /** Absolute path of the VM's own folder, which exists. */
  readonly logDirectory: string;
  /** Aborted when the VM is ended from outside of its guest, for whatever takes an `AbortSignal`. */
  readonly signal: AbortSignal;
  /**
   * Calls back when the VM is ended from outside of its guest: its test is over, a deadline passed, Ctrl-C. The running boot is to halt with
   * that reason at once; with `timeout` it may first look where the guest was. A boot that was on its way is told again when `start` has
   * resolved. Nobody is called after `kill`.
   */
  onEnd(end: (why: EndReason) => void): void;
  /**
   * Makes a console that is written to disk as bytes arrive. The first one opened is the default.
   *
   * @param input takes what the test types; absent for a console without input
   */
  openConsole(name: string, input?: (bytes: Uint8Array) => void): SerialConsole;
  /** A line into the VM's own log file, for whoever looks into a failure. */
  log(message: string): void;
}

/** What to run when a VM starts. */
export interface BootRequest {
  /** Index of the TMK test in the image's `tmk_tests` section, in link order. */
  readonly testIndex: number;
}

/** One log line, verdict or other event that the guest reported through the TMK command channel. */
export type TmkEvent =
  | { readonly kind: 'log'; readonly message: string }
  | { readonly kind: 'panic'; readonly message: string; readonly file: string; readonly line: number }
  | { readonly kind: 'complete'; readonly success: boolean }
  /** A command that could not be read or parsed. The test goes on. */
  | { readonly kind: 'rejected'; readonly message: string };

/** One VM as a backend made it. The framework wraps it into the `Vm` that tests see. */
export interface VmRuntime {
  /**
   * Boots from the start: a runtime that ran before is reset to the state `launch` left it in. It is not called after `kill`.
   * Resolves when the guest's first instruction may run; the end is told by the promise in the result.
   */
  start(boot: BootRequest): Promise<VmBoot>;
  /** Asks the guest to stop; resolves when it has, or at the signal's abort. Idempotent. */
  stop(signal: AbortSignal): Promise<void>;
  /** Ends everything at once and gives back every resource. Idempotent; never rejects. */
  kill(): Promise<void>;
  /** Realm facts; for isolation `cca` where the features say so. */
  readonly realm?: RealmInspector;
  /** By plane number; plane 0 may be missing where it is not a guest. Empty for other isolation types. */
  readonly planes: readonly (PlaneInspector | undefined)[];
  /** What this VM was made of - revisions, digests, versions - for its record. */
  readonly facts?: Readonly<Record<string, string>>;
  /**
   * Runs a command in a guest that has a shell. Needs `exec`. The answer must not come from what the guest prints on a console.
   *
   * @throws PetriError `wait-timeout`, `vm-halted`
   */
  exec?(command: string, options: ExecOptions): Promise<ExecResult>;
  /**
   * Where instructions are counted: calls back when the guest has done what it does in so many milliseconds on a machine that is not
   * fast, whatever that takes here. Time-outs of waits are made of it, so that a busy host makes none of them pass sooner. A guest that
   * has not started starts at 0; none is called back after its end.
   */
  guestTimer?(milliseconds: number, callback: () => void): GuestTimer;
  /**
   * Registers of a vCPU, the first by default, where there are no planes; `checkVcpu` refuses a number that is none. Needs
   * `inspect.registers`.
   */
  readonly registers?: (vcpu?: number) => import('./inspect.ts').Registers;
}

/** A timer that counts what a guest does. */
export interface GuestTimer {
  /** Begins again. */
  refresh(): void;
  /** Idempotent. */
  cancel(): void;
}

/** One run of a VM from reset to halt. */
export interface VmBoot {
  /** Never rejects. */
  readonly halted: Promise<HaltReason>;
  /** What the guest sent so far; grows until `halted`. Bounded: the last events of a flood are dropped with a note. */
  readonly tmkEvents: readonly TmkEvent[];
  /** Instructions retired by the guest so far, where the backend counts them. */
  instructions?(): number;
}

/** One machine of a lab, as it is now. */
export interface HostReport {
  readonly name: string;
  readonly address: string;
  readonly tags: readonly string[];
  readonly capacity: number;
  /** Per isolation type that it is meant for: its features, or what is missing. Empty where it cannot be reached. */
  readonly isolation: Readonly<Partial<Record<IsolationType, readonly Feature[] | Missing>>>;
  /** Why it cannot be reached. */
  readonly problem?: Missing;
  /** Versions and the like. */
  readonly facts: Readonly<Record<string, string>>;
  /** Who has it and who waits for it, in turn, and for how many seconds. */
  readonly holders: readonly HostUser[];
  readonly waiting: readonly HostUser[];
}

export interface HostUser {
  readonly owner: string;
  readonly since: number;
}

export type PowerAction = 'on' | 'off' | 'cycle' | 'status';

/** The machines of a backend that has several, for `petri hosts`. */
export interface HostControl {
  /** @throws PetriError where it is not known which machines there are */
  list(): Promise<readonly HostReport[]>;
  /** Takes a machine from whoever has it; what they run on it ends. Tells how many had it. @throws PetriError */
  release(host: string): Promise<number>;
  /** Tells what the machine's power switch said. @throws PetriError `power-failed` */
  power(host: string, action: PowerAction): Promise<string>;
}

/** A home for VMs. */
export interface Backend {
  readonly name: string;
  /** One line for `petri list` and error messages. */
  readonly description: string;
  /** Asks the host; never throws, never installs, changes nothing. */
  probe(): Promise<ProbeResult>;
  /**
   * Loads and warms up what the first VM of a process would otherwise wait for. Called at most once in a process, before its first
   * VM, and in no test's time; everything works without it, only later. @throws PetriError
   */
  prepare?(): Promise<void>;
  /** Why it cannot make a VM of this configuration, though its limits allow it: the test is skipped with this sentence. */
  refuses?(spec: VmSpec): string | undefined;
  /**
   * Ends what it keeps between VMs, such as a machine that many of them share. Called at the end of a process that launched a VM,
   * where the process comes to its end in order. Idempotent; never rejects.
   */
  close?(): Promise<void>;
  readonly hosts?: HostControl;
  /**
   * Makes one VM; resolves when its consoles are connected, before its first instruction. It is asked only for payloads whose kind is
   * among its features, and `tmk`; for one that is no TMK, the runtime's `start` has no test to choose.
   *
   * @throws PetriError
   */
  launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime>;
}
