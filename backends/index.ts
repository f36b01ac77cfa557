import type { Backend } from '../petri/contract/index.ts';
import type { StackManager } from '../petri/kit/stack/index.ts';

/** A backend that the package knows by name. */
export interface BackendEntry {
  readonly description: string;
  readonly load: () => Promise<Backend>;
  /** How to install what it boots, for `petri cca`. */
  readonly stack?: () => Promise<StackManager>;
}

/** The built-in backends. Loading this file loads none of them. */
export const builtinBackends: Readonly<Record<string, BackendEntry>> = {
  sim: {
    description: 'the simulated realm: AArch64 and an RMM in this process',
    load: async () => (await import('./sim/index.ts')).backend,
  },
  fvp: {
    description: "Arm's Fixed Virtual Platform, with the reference RMM",
    load: async () => (await import('./fvp/index.ts')).backend,
    stack: async () => (await import('./fvp/stack/index.ts')).stackManager,
  },
  qemu: {
    description: 'qemu-system-aarch64, as a plain VM and as a machine with RME',
    load: async () => (await import('./qemu/index.ts')).backend,
    stack: async () => (await import('./qemu/stack/index.ts')).stackManager,
  },
  hardware: {
    description: 'machines of a lab over SSH, as petri.hosts.yaml describes them',
    load: async () => (await import('./hardware/index.ts')).backend,
  },
};
