import type { SerialConsole } from '../serial/index.ts';
import type { ExecOptions, ExecResult } from './exec.ts';
import type { Feature } from './features.ts';
import type { HaltReason } from './halt.ts';
import type { PlaneInspector, RealmInspector } from './inspect.ts';
import type { IsolationType } from './isolation.ts';
import type { VmSpec } from './spec.ts';

/** One thing that keeps a backend from running here, and what to do about it. */
export interface Missing {
  /** What is missing, as a clause without a full stop, such as `qemu-system-aarch64 is not installed`. */
  readonly what: string;
  /** What the user can do about it: a sentence or a command. */
  readonly remedy: string;
}

/** What a backend can do on this host. */
export type ProbeResult =
  | {
      /** VMs of at least one isolation type may be made. */
      readonly available: true;
      /** Features per isolation type; a type that is not a key cannot be made here. */
      readonly isolation: Readonly<Partial<Record<IsolationType, readonly Feature[]>>>;
      /** Bounds on what a `VmConfig` may ask for. */
      readonly limits: BackendLimits;
      /** What keeps it from making VMs of an isolation type that it makes elsewhere. */
      readonly lacking?: Readonly<Partial<Record<IsolationType, readonly Missing[]>>>;
      /**
       * How long things take here, where it is much longer than in this process. Time-outs of tests are stretched by
       * it.
       */
      readonly pace?: BackendPace;
      /** Versions and the like, for the run record. */
      readonly facts: Readonly<Record<string, string>>;
    }
  | {
      /** No VM can be made on this host. */
      readonly available: false;
      /** Everything that is missing, at least one thing. */
      readonly missing: readonly Missing[];
    };

/** What a backend adds to the time that a test is given: its time-out becomes `boot + factor * timeout`. */
export interface BackendPace {
  /** Milliseconds that a VM may take until its payload runs, waiting for its turn included. */
  readonly boot: number;
  /** How many times slower than the simulated realm a guest may run. */
  readonly factor: number;
  /** How many VMs, or machines that VMs share, may be there at once. It bounds vitest's workers. */
  readonly parallel: number;
  /** For tests that say themselves how long they take, where their isolation type has another pace. */
  readonly isolation?: Readonly<Partial<Record<IsolationType, Pick<BackendPace, 'boot' | 'factor'>>>>;
}

/** Bounds on the configuration of a VM, each inclusive. A test that asks for more is skipped with the reason. */
export interface BackendLimits {
  /** Bytes of RAM that a VM needs at least. @default 0 */
  readonly minMemory?: number;
  /** Bytes of RAM that a VM may have. */
  readonly maxMemory: number;
  /** vCPUs that a VM may have. */
  readonly maxVcpus: number;
  /** Auxiliary planes that a realm may have (RmiRealmParams.num_aux_planes), plane 0 not counted. */
  readonly maxPlanes: number;
}

/** Why a VM is ended from outside of its guest: how its boot halts then. */
export type EndReason =
  | {
      /** Its test is over, or somebody stopped it. */
      readonly reason: 'stopped';
    }
  | {
      /** A deadline passed. */
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
   * Calls back when the VM is ended from outside of its guest: its test is over, a deadline passed, Ctrl-C. The running
   * boot is to halt with that reason at once; with `timeout` it may first look where the guest was. A boot that was
   * under way is called back again when `start` has resolved. Nobody is called after `kill`.
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
  | {
      /** The guest logged a line (Log, LogString). */
      readonly kind: 'log';
      /** The line, without its end. */
      readonly message: string;
    }
  | {
      /** The guest panicked (Panic). */
      readonly kind: 'panic';
      /** Its message. */
      readonly message: string;
      /** Source file, as the guest gave it. */
      readonly file: string;
      /** Line in that file. */
      readonly line: number;
    }
  | {
      /** The guest is done (Complete). */
      readonly kind: 'complete';
      /** Whether it said that its test passed. */
      readonly success: boolean;
    }
  | {
      /** A command that could not be read or parsed. The test goes on. */
      readonly kind: 'rejected';
      /** Why, in one sentence. */
      readonly message: string;
    };

/** One VM as a backend made it. The framework wraps it into the `Vm` that tests see. */
export interface VmRuntime {
  /**
   * Boots from the start: a runtime that ran before is reset to the state `launch` left it in. It is not called after
   * `kill`. Resolves when the guest's first instruction may run; `halted` in the result reports the end.
   *
   * @throws PetriError `boot-failed`, or another that says what failed
   */
  start(boot: BootRequest): Promise<VmBoot>;
  /** Asks the guest to stop; resolves when it has, or at the signal's abort. Idempotent. */
  stop(signal: AbortSignal): Promise<void>;
  /** Ends everything at once and gives back every resource. Idempotent; never rejects. */
  kill(): Promise<void>;
  /** Facts of the realm; for isolation `cca` where the features say so. */
  readonly realm?: RealmInspector | undefined;
  /**
   * By plane number; plane 0 may be missing where it is not a guest. Empty for other isolation types. `start` may
   * replace planes and realm: what a test keeps of them is about those that are there when it looks.
   */
  readonly planes: readonly (PlaneInspector | undefined)[];
  /** What this VM was made of - revisions, digests, versions - for its record. */
  readonly facts?: Readonly<Record<string, string>>;
  /**
   * Runs a command in a guest that has a shell. Needs `exec`. The answer must not come from what the guest prints on a
   * console.
   *
   * @throws PetriError `wait-timeout`, `vm-halted`
   */
  exec?(command: string, options: ExecOptions): Promise<ExecResult>;
  /**
   * The state of the running boot, exact to the byte and instruction, without its consoles. It is not changed by
   * anything, and `restore` of every VM with the same isolation type, payload and configuration takes it. Needs
   * `snapshot`.
   *
   * @throws PetriError `vm-halted` where the guest ends before it comes to a point at which it can be saved
   */
  snapshot?(): Promise<unknown>;
  /**
   * Goes on from a state, as `start` does from reset, whatever the VM did before.
   *
   * @param state what `snapshot` of this backend returned
   */
  restore?(state: unknown): Promise<VmBoot>;
  /**
   * Where instructions are counted: calls back when the guest has executed what stands for so many milliseconds
   * (100,000 instructions each), however long that takes here. Time-outs of waits are made of it, so that a busy host
   * makes none of them pass sooner. A guest that has not started starts at 0; no timer fires after its end.
   */
  guestTimer?(milliseconds: number, callback: () => void): GuestTimer;
  /**
   * Registers of a vCPU, the first by default, where there are no planes; `checkVcpu` refuses a number that is none.
   * Needs `inspect.registers`.
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
  /** As `petri.hosts.yaml` names it. */
  readonly name: string;
  /** Where it is reached: host name or IP address. */
  readonly address: string;
  /** What tests may ask of it in `hostTags`. */
  readonly tags: readonly string[];
  /** How many VMs, or machines that VMs share, it holds at once. */
  readonly capacity: number;
  /** Per isolation type that it is meant for: its features, or what is missing. Empty where it cannot be reached. */
  readonly isolation: Readonly<Partial<Record<IsolationType, readonly Feature[] | Missing>>>;
  /** Why it cannot be reached. */
  readonly problem?: Missing;
  /** Versions and the like. */
  readonly facts: Readonly<Record<string, string>>;
  /** Who has it. */
  readonly holders: readonly HostUser[];
  /** Who waits for it, the first in turn first. */
  readonly waiting: readonly HostUser[];
}

/** Somebody who has a machine, or waits for one. */
export interface HostUser {
  /** As the lease names its owner. */
  readonly owner: string;
  /** For how many seconds: a duration, no point in time. */
  readonly since: number;
}

/** What can be asked of a machine's power switch. */
export type PowerAction = 'on' | 'off' | 'cycle' | 'status';

/** The machines of a backend that has several, for `petri hosts`. */
export interface HostControl {
  /** All machines, asked now. @throws PetriError `hosts-file-invalid` where it is not known which machines there are */
  list(): Promise<readonly HostReport[]>;
  /** Takes a machine from whoever has it; what they run on it ends. Returns how many had it. @throws PetriError */
  release(host: string): Promise<number>;
  /** Returns what the machine's power switch said. @throws PetriError `power-failed` */
  power(host: string, action: PowerAction): Promise<string>;
}

/** A home for VMs. */
export interface Backend {
  /** By which records and messages call it. A configuration may choose it by another. */
  readonly name: string;
  /** One line for `petri list` and error messages. */
  readonly description: string;
  /** Asks the host; never throws, never installs, changes nothing. */
  probe(): Promise<ProbeResult>;
  /**
   * Loads and warms up what the first VM of a process would otherwise wait for, in no test's time. It is called before
   * the VMs of each test file, so again where a process runs several: a call that finds everything ready returns at
   * once. Everything works without it, only later.
   *
   * @throws PetriError, which fails the tests of the file
   */
  prepare?(): Promise<void>;
  /**
   * Why it cannot make a VM of this configuration, though its limits allow it: the test is skipped with this sentence.
   */
  refuses?(spec: VmSpec): string | undefined;
  /**
   * Ends what it keeps between VMs, such as a machine that many of them share. Called at the end of a process that
   * launched a VM, where the process comes to its end in order. Idempotent; never rejects.
   */
  close?(): Promise<void>;
  /** The machines that it runs VMs on, where it has several. */
  readonly hosts?: HostControl;
  /**
   * Makes one VM; resolves when its consoles are connected, before its first instruction. It is asked only for what
   * is within the limits of the probe and not refused, and for payloads whose kind is among its features, and `tmk`;
   * for one that is no TMK, the runtime's `start` has no test to choose.
   *
   * @throws PetriError with the step `launch`; anything else is reported as `backend-fault`
   */
  launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime>;
}
