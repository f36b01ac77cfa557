import type { BootStage, CrashSignature } from '../../boot/index.ts';
import type { Supervisor } from '../../process/index.ts';
import type { TapConsole } from './tap-console.ts';

/** The console of the host's Linux, with which our agents speak. */
export const HOST_CONSOLE = 'host';

/** A machine that runs, whose Linux has our agent: a model, or an emulator. */
export interface HostMachine {
  /** By name; one of them is `HOST_CONSOLE`. */
  readonly consoles: ReadonlyMap<string, TapConsole>;
  /** Resolves with how it ended, as a clause. Never rejects. */
  readonly ended: Promise<string>;
  /** What is running, as a clause for messages. */
  describe(): string;
  /** Lets it go on where it waits before its first instruction; called when its consoles are listened to. */
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

/** What is on the host besides our scripts. All paths are absolute. */
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

/** Milliseconds, before the slow factor, for what a machine does after its own boot. */
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
  /** From the words of a crash to the end of waiting for a sign of life. */
  readonly crash?: number;
  /** From an interrupt to the end of tmk_vmm. */
  readonly interrupt?: number;
}

/** How machines of one kind are made, on which realms are launched by our agent on the host. */
export interface HostPlatform {
  /** Name of the backend, and of the folder with the logs of a machine. */
  readonly name: string;
  /** What one of its machines is called: 'model'. */
  readonly noun: string;
  /** Tells what would boot in the same way from what would not. */
  readonly key: string;
  readonly files: HostFiles;
  /** How many may run at once over all processes of this machine. */
  readonly slots: { readonly pool: string; readonly capacity: number };
  readonly budgets: RealmBudgets;
  /** @default those of `sessionBudgets` */
  readonly runBudgets?: RunBudgets;
  /** What a VM shows of the consoles. No realm can write on those that are not `HOST_CONSOLE`. */
  readonly consoles: readonly string[];
  readonly crashes: readonly CrashSignature[];
  /** For the record of each VM. */
  readonly facts: Readonly<Record<string, string>>;
  /** @param nonce what the host agent shows when it is ready: the last stage waits for it */
  stages(nonce: string): readonly BootStage[];
  /** Resolves when the machine's consoles are connected. @throws PetriError */
  start(start: HostStart): Promise<HostMachine>;
}
