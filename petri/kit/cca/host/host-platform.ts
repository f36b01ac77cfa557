import type { BootStage, CrashSignature } from '../../boot/index.ts';
import type { Supervisor } from '../../process/index.ts';
import type { TapConsole } from './tap-console.ts';

/** The console of the host's Linux, which our agents use. */
export const HOST_CONSOLE = 'host';

/** A running machine with our agent in its Linux: a model or an emulator. */
export interface HostMachine {
  /** By name; one of them is `HOST_CONSOLE`. */
  readonly consoles: ReadonlyMap<string, TapConsole>;
  /** Resolves with how it ended, as a clause. Never rejects. */
  readonly ended: Promise<string>;
  /** What is running, as a clause for messages. */
  describe(): string;
  /** Releases a machine that waits before its first instruction; called when its consoles are connected. */
  resume?(): Promise<void>;
  /** Types into the host's console. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends it and everything that belongs to it. Idempotent; never rejects. */
  stop(): Promise<void>;
}

export interface HostStart {
  /** The root file system that the machine may write to. */
  readonly rootfs: string;
  /** Folder for what the start needs; it goes with the machine. */
  readonly folder: string;
  /** Folder for the logs of its consoles. */
  readonly logs: string;
  readonly supervisor: Supervisor;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
}

/** Files for the host, other than our scripts. All paths are absolute. */
export interface HostFiles {
  /** Root file system of the host, an ext4 image that is never written to. */
  readonly rootfs: string;
  /** Linux for plane 0 of a realm. */
  readonly plane0Kernel: string;
  /** kvmtool. */
  readonly lkvm: string;
  /** OpenVMM's tmk_vmm. */
  readonly tmkVmm: string;
}

/** Milliseconds, before the slow factor, for the stages after a machine's own boot. */
export interface RealmBudgets {
  /** Until lkvm is started. */
  readonly realm: number;
  /** Populating the realm's memory and booting Linux in it. */
  readonly 'plane 0': number;
  /** Until the agent in plane 0 has found tmk_vmm. */
  readonly tmk_vmm: number;
}

/** Milliseconds, before the slow factor, for the end of a run. */
export interface RunBudgets {
  /** From a line that looks like a crash until no sign of life is expected any more. */
  readonly crash?: number;
  /** From an interrupt to the end of tmk_vmm. */
  readonly interrupt?: number;
}

/** How to make machines of one kind, on which our agent on the host launches realms. */
export interface HostPlatform {
  /** Name of the backend, and of the folder with the logs of a machine. */
  readonly name: string;
  /** What one of its machines is called: 'model'. */
  readonly noun: string;
  /** Equal for platforms that boot the same way. */
  readonly key: string;
  readonly files: HostFiles;
  /** How many may run at once, over all processes of this computer. */
  readonly slots: { readonly pool: string; readonly capacity: number };
  readonly budgets: RealmBudgets;
  /** @default those of `sessionBudgets` */
  readonly runBudgets?: RunBudgets;
  /** Consoles that a VM shows. A realm can only write on `HOST_CONSOLE`. */
  readonly consoles: readonly string[];
  readonly crashes: readonly CrashSignature[];
  /** For the record of each VM. */
  readonly facts: Readonly<Record<string, string>>;
  /** @param nonce printed by the host agent when it is ready, which ends the last stage */
  stages(nonce: string): readonly BootStage[];
  /** Resolves when the machine's consoles are connected. @throws PetriError */
  start(start: HostStart): Promise<HostMachine>;
}
